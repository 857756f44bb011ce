"""
One HTTP request to the user pool.

http.client supports no redirects, no proxies from the environment and no other schemes. The settings
permit only the pool's own URLs, which are https, or URLs of this machine.
"""

from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlencode, urlsplit

from apps.core import deadline

MAX_OCTETS = 64 * 1024
# Firewalls of AWS refuse requests without a User-Agent.
HEADERS = {"Accept": "application/json", "Connection": "close", "User-Agent": "moped-api"}
FORM_HEADERS = HEADERS | {"Content-Type": "application/x-www-form-urlencoded"}


def send(url: str, *, timeout: float, form: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """
    Return the status and the first 64 kB of the body, before the deadline of the request.

    :param form: a form to post, or None for a GET
    :raises DeadlineError: at the deadline
    :raises OSError: if the pool cannot be reached
    :raises HTTPException: if its answer is not HTTP
    """
    if form is None:
        return deadline.call(_send, url, timeout, "GET", None, HEADERS)
    return deadline.call(_send, url, timeout, "POST", urlencode(form), FORM_HEADERS)


def _send(
    url: str, timeout: float, method: str, body: str | None, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    with closing(kind(parts.hostname or "", parts.port, timeout=timeout)) as connection:
        path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        connection.request(method, path, body, headers)
        with connection.getresponse() as response:
            return response.status, response.read(MAX_OCTETS)
