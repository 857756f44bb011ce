"""Ids of the Moped database as they travel: decimal text."""

import re

# PostgreSQL's integer has at most ten digits. Larger values of ten digits match no row.
DECIMAL = re.compile(r"[1-9][0-9]{0,9}")


def parse(text: str) -> int | None:
    """Return the id, or None for "0" (which means unknown) and for anything else than an id."""
    return int(text) if DECIMAL.fullmatch(text) else None
