"""Who may call the routes of health."""

from tests.support.callers import EVERYONE, Table

ACCESS: Table = {
    ("GET", "root"): EVERYONE,
    ("GET", "live"): EVERYONE,
    ("GET", "ready"): EVERYONE,
}
