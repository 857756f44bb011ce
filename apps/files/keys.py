"""
The layout of the bucket: how keys are built and read.

    <type>/project/<project id>/<user>_<MMDDYYYYhhmmss>_<16 hex>_<name>
    <type>/user/<user>/<MMDDYYYYhhmmss>_<16 hex>_<name>

A stage that shares another stage's bucket puts its keys below its own prefix (UPLOADS_PREFIX).

The editor labels a file with the part of its key after the third underscore. So the number of
underscores before the name must not change.
"""

import re
import secrets
from datetime import UTC, datetime
from typing import Final

TYPES: Final = ("private", "public")
PROJECT_FOLDERS: Final = tuple(f"{kind}/project/" for kind in TYPES)
USER_FOLDERS: Final = tuple(f"{kind}/user/" for kind in TYPES)
# PostgreSQL's integer has at most ten digits. Larger values of ten digits match no row.
ID = re.compile(r"[1-9][0-9]{0,9}")
MAX_BYTES: Final = 1024  # S3's own limit

# The last part of a person's file has no user id. All other files follow the editor's rule.
NAME_PREFIX = re.compile(r"(?:[0-9]{14}_[0-9a-f]{16}_|(?:[^_]*_){3})(?=.)")
# Characters that no key of ours has, and dot segments such as `..`. They mean nothing to S3, but browsers
# resolve them before they send a request.
FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]|(?:^|[\\/])\.\.?(?:$|[\\/])")


def new_key(*, kind: str, project_id: int | None, user_id: str, name: str) -> str:
    """Return a new key for a file of a project, or of the user without a project. `name` must be clean."""
    folder = f"user/{user_id}/" if project_id is None else f"project/{project_id}/{user_id}_"
    return f"{kind}/{folder}{datetime.now(UTC):%m%d%Y%H%M%S}_{secrets.token_hex(8)}_{name}"


def canonical(key: str) -> str:
    """
    Return the key of the object in the bucket. Rows may store it with a leading slash.

    Return "" for a key that no object of ours can have.
    """
    bare = key.lstrip("/")
    return "" if FORBIDDEN.search(bare) or len(bare.encode()) > MAX_BYTES else bare


def folders_of_user(user_id: str) -> tuple[str, ...]:
    """Return the folders that are this person's own."""
    return tuple(f"{folder}{user_id}/" for folder in USER_FOLDERS)


def display_name(key: str) -> str:
    """Return the name as the editor shows it, without folders."""
    last = key.rstrip("/").rpartition("/")[2]
    matched = NAME_PREFIX.match(last)
    return last[matched.end() :] if matched else last
