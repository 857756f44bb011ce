"""Ids of the Moped database as they travel: decimal text."""

from __future__ import annotations

import re
from typing import Final

LARGEST: Final = 2**31 - 1  # PostgreSQL's integer
DECIMAL = re.compile(r"[1-9][0-9]{0,9}")


def parse(text: str) -> int | None:
    """Return the id, or None for "0" (which means unknown) and for anything else than an id."""
    number = int(text) if DECIMAL.fullmatch(text) else 0
    return number if 0 < number <= LARGEST else None
