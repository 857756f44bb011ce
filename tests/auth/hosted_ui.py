"""A token endpoint on loopback that answers what a test tells it to: for what no pool would do."""

import json
from typing import Any
from urllib.parse import parse_qs

from tests.support.http_stub import Request, StubServer


class TokenEndpoint(StubServer):
    """Answers `status` and `reply`, as JSON unless it is bytes; `form` is what it was last sent."""

    def __init__(self) -> None:
        super().__init__(self.reply_to)
        self.status = 200
        self.reply: Any = {}
        self.form: dict[str, list[str]] = {}

    def reply_to(self, request: Request) -> None:
        is_form = request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        self.form = parse_qs(request.body.decode()) if is_form else {}  # as the pool
        body = self.reply if isinstance(self.reply, bytes) else json.dumps(self.reply).encode()
        request.answer(body, self.status, Content_Type="application/json")
