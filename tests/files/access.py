"""Who may call the routes of files."""

from tests.support.callers import EDITORS, EVERYONE, PROVEN_WITH_A_ROLE, Table

ACCESS: Table = {
    ("GET", "files"): EVERYONE,
    ("GET", "file-upload"): EDITORS,
    ("GET", "file-download"): PROVEN_WITH_A_ROLE,
}
