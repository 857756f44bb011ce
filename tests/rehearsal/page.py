"""The commands of a section of docs/operations.md, as an operator runs them."""

import re
import shlex

from apps.deployment.paths import PROJECT

PAGE = PROJECT / "docs" / "operations.md"
NEW_ACCOUNT = "A new account"
COMMAND = "python manage.py "


def commands(section: str) -> list[list[str]]:
    """Return the arguments of every `python manage.py` in the section's blocks of shell code, in order."""
    (text,) = re.findall(
        rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [
        shlex.split(line.removeprefix(COMMAND), comments=True) for line in lines if line.startswith(COMMAND)
    ]
