"""The claims table is one of the three stores that the tests of `apps/users` prepare."""

from tests.users.conftest import email, stores

__all__ = ["email", "stores"]
