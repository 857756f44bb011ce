"""A token endpoint on loopback that answers what a test tells it to: for what no pool would do."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from tests.support.loopback import Loopback


class TokenEndpoint(Loopback):
    """Answers `status` and `reply`, as JSON unless it is bytes; `form` is what it was last sent."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 200
        self.reply: Any = {}
        self.form: dict[str, list[str]] = {}

    def answer(self, body: bytes) -> tuple[int, bytes]:
        self.form = parse_qs(body.decode())
        return self.status, self.reply if isinstance(self.reply, bytes) else json.dumps(self.reply).encode()
