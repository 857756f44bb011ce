"""Who may call the routes of auth."""

from tests.support.callers import EVERYONE, SIGNED_IN, Table

ACCESS: Table = {
    ("GET", "auth"): EVERYONE,
    ("GET", "current-user"): SIGNED_IN,
    ("GET", "current-user2"): SIGNED_IN,
}
