"""
Fetch the pool's key set within a time limit.

http.client has no code for redirects, for proxies from the environment or for other schemes. The settings
permit only the pool's own URL, which is https, or a URL of this machine.
"""

from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

from apps.core import deadline

DEADLINE_SECONDS = 2.0
MAX_OCTETS = 64 * 1024
HEADERS = {"Accept": "application/json", "Connection": "close"}


class FetchError(Exception):
    """The key set cannot be fetched now. The text gives the reason and may be logged."""


def fetch(url: str) -> bytes:
    """
    Return the body of the response.

    :raises FetchError: unless it is a 200 of at most 64 kB within two seconds
    """
    try:
        with deadline.within(DEADLINE_SECONDS):
            return deadline.call(_get, urlsplit(url))
    except (deadline.DeadlineError, TimeoutError) as error:
        raise FetchError("no answer in time") from error
    except (OSError, HTTPException, ValueError, RuntimeError) as error:  # RuntimeError: no more threads
        raise FetchError(type(error).__name__) from error


def _get(url: SplitResult) -> bytes:
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    with closing(kind(url.hostname or "", url.port, timeout=DEADLINE_SECONDS)) as connection:
        path = url._replace(scheme="", netloc="", fragment="").geturl() or "/"
        connection.request("GET", path, headers=HEADERS)
        with connection.getresponse() as response:
            if response.status != HTTPStatus.OK:
                raise FetchError(f"it answered {response.status}")
            body = response.read(MAX_OCTETS + 1)
    if len(body) > MAX_OCTETS:
        raise FetchError(f"the answer is longer than {MAX_OCTETS} octets")
    return body
