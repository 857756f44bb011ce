"""Who may call the routes of core."""

from tests.access import EVERYONE, Table

ACCESS: Table = {
    ("GET", "root"): EVERYONE,
    ("GET", "live"): EVERYONE,
    ("GET", "ready"): EVERYONE,
    ("GET", "reference"): EVERYONE,
}
