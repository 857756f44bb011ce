"""One file, up and down again, as the editor's browser does it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

from tests.support.waiting import LIMIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rehearsal.clients import Answer


def carry(ask: Callable[..., Answer], token: str, origin: str, below: str = "") -> str:
    """
    Return what was carried; whoever looks into the file afterwards must find what was sent.

    :param below: what the file's key must begin with
    """
    content = b"%PDF-1.7 " + secrets.token_bytes(20_000)
    signed = ask("GET", "/files/request-signature?file=Plan%20Set.pdf", token).body["credentials"]
    with urlopen(_form(signed["url"], signed["fields"], content, origin), timeout=LIMIT_SECONDS) as response:
        assert response.status in {200, 201, 204}, response.status
    key = signed["fields"]["key"]
    assert key.startswith(below), key
    url = ask("GET", f"/files/download/{key}", token).body["download_url"]
    with urlopen(url, timeout=LIMIT_SECONDS) as response:
        assert response.read() == content
    return f"a file of {len(content)} bytes, up and down: {below}…{key.rpartition('_')[2]}"


def _form(url: str, fields: dict[str, str], content: bytes, origin: str) -> Request:
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="plan.pdf"\r\n\r\n'
    body = b"".join(parts) + head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return Request(
        url,
        body,
        {"Content-Type": f"multipart/form-data; boundary={boundary}", "Origin": origin},
        method="POST",
    )
