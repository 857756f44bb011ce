"""A copy of the working tree, for what a test may not do to the tree itself."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from pathlib import Path

COPIED = (
    "apps",
    "infrastructure",
    "manage.py",
    "moped_api",
    "openapi.yaml",
    "pyproject.toml",
    "requirements",
    "tests",
    "zappa_settings.json",
)


def copy_tree(folder: Path) -> Path:
    """Copy what is ours, bytecode included, into a new folder. It shares the installed requirements."""
    folder.mkdir()
    for name in COPIED:
        source = settings.BASE_DIR / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder / name)
    (folder / ".venv").symlink_to(settings.BASE_DIR / ".venv")
    return folder
