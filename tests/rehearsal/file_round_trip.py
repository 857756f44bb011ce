"""A file is uploaded and downloaded, as the editor does it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import requests

from tests.support.waiting import LIMIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rehearsal.clients import Answer


def carry(call: Callable[..., Answer], token: str, origin: str, prefix: str = "") -> str:
    """
    Upload a file, download it and compare; return a sentence for the report.

    :param prefix: what the file's key must begin with
    """
    content = b"%PDF-1.7 " + secrets.token_bytes(20_000)
    upload_form = call("GET", "/files/request-signature?file=Plan%20Set.pdf", token).body["credentials"]
    upload = requests.post(
        upload_form["url"],
        data=upload_form["fields"],
        files={"file": ("plan.pdf", content)},
        headers={"Origin": origin},
        timeout=LIMIT_SECONDS,
    )
    upload.raise_for_status()
    key = upload_form["fields"]["key"]
    assert key.startswith(prefix), key
    url = call("GET", f"/files/download/{key}", token).body["download_url"]
    assert requests.get(url, timeout=LIMIT_SECONDS).content == content
    return f"a file of {len(content)} bytes, up and down: {prefix}…{key.rpartition('_')[2]}"
