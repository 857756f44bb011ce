"""Who may call the routes of the reference."""

from tests.support.callers import EVERYONE, Table

ACCESS: Table = {
    ("GET", "reference"): EVERYONE,
}
