"""Clients of a stage: over HTTP through its gateway."""

import secrets
from collections.abc import Callable
from typing import Any

import requests

from tests.support.waiting import LIMIT_SECONDS

FORBIDDEN = {401, 403}
CRASHED = 500


def over_http(port: int, host: str, prefix: str = "") -> Callable[..., requests.Response]:
    """Return a caller of a stage by the host name that its gateway has on this machine."""

    def call(method: str, path: str, token: str = "") -> requests.Response:
        headers = {"Host": host, **({"Authorization": f"Bearer {token}"} if token else {})}
        url = f"http://127.0.0.1:{port}{prefix}{path}"
        return requests.request(method, url, headers=headers, allow_redirects=False, timeout=LIMIT_SECONDS)

    return call


def walk(
    call: Callable[..., requests.Response], routes: list[dict[str, Any]], tokens: dict[str, str]
) -> tuple[int, list[str]]:
    """Call routes with each token and without one. Return the number of calls and the faults."""
    callers = {"anonymous": "", **{key: token for key, token in tokens.items() if token}}
    faults = []
    for route in routes:
        for caller, token in callers.items():
            answer = call(route["method"], route["path"], token)
            status, accepted = answer.status_code, answer.status_code not in FORBIDDEN
            if status >= CRASHED or accepted != (caller in route["allowed"]):
                faults.append(f"{route['method']} {route['path']} as {caller}: {status} {answer.text}")
    return len(routes) * len(callers), faults


def carry(call: Callable[..., requests.Response], token: str, origin: str, prefix: str = "") -> str:
    """
    Upload a file, download it and compare, as the editor does. Return a sentence for the report.

    :param prefix: what the file's key must begin with
    """
    content = b"%PDF-1.7 " + secrets.token_bytes(20_000)
    upload_form = call("GET", "/files/request-signature?file=Plan%20Set.pdf", token).json()["credentials"]
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
    url = call("GET", f"/files/download/{key}", token).json()["download_url"]
    assert requests.get(url, timeout=LIMIT_SECONDS).content == content
    return f"a file of {len(content)} bytes, up and down: {prefix}…{key.rpartition('_')[2]}"
