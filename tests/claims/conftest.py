"""The claims table is one of the three stores that the tests of `apps/users` prepare."""

from __future__ import annotations

from tests.users.conftest import email, stores

__all__ = ["email", "stores"]
