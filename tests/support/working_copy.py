"""A copy of the working tree, for what a test may not do to the tree itself."""

import shutil
from pathlib import Path

from django.conf import settings

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
