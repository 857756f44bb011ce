"""
Fetch the pool's key set within a time limit.

http.client and nothing above it: no redirects, no proxies from the environment, no other
schemes: there is no code for them.
"""

from __future__ import annotations

import socket
import threading
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic
from urllib.parse import SplitResult, urlsplit

DEADLINE_SECONDS = 2.0
MAX_OCTETS = 64 * 1024
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
HEADERS = {"Accept": "application/json", "Connection": "close"}
OK = 200

# Held by the one thread that talks to the key server, until it ends. Name resolution cannot be cut
# short: while it hangs, a second thread would hang beside the first.
_one_at_a_time = threading.Lock()


class FetchError(Exception):
    """There is no key set to be had now; the text says why and may be logged."""


def fetch(url: str) -> bytes:
    """
    Return the body of what the URL answers.

    A thread of its own asks, so that the deadline holds for name resolution, handshake, headers
    and body together: a socket's timeout starts again with every octet that drips in.

    :raises FetchError: unless it is a 200 of at most 64 kB within two seconds
    """
    conversation = _Conversation(_permitted(url))
    ends_at = monotonic() + DEADLINE_SECONDS
    if not _one_at_a_time.acquire(timeout=DEADLINE_SECONDS):
        raise FetchError("an earlier request has not ended")
    try:
        conversation.start()
    except RuntimeError as error:  # no more threads
        _one_at_a_time.release()
        raise FetchError("no thread can be started") from error
    conversation.join(max(0.0, ends_at - monotonic()))
    if conversation.is_alive():
        conversation.cut()
        raise FetchError(_too_late())
    if conversation.failure:
        raise FetchError(conversation.failure)
    return conversation.body


def _too_late() -> str:
    return f"no answer within {DEADLINE_SECONDS:g} s"


def _permitted(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.hostname and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    ):
        return parts
    raise FetchError("the key set's address is neither https nor on this machine")


class _Conversation(threading.Thread):
    """One question to the key server, and its answer."""

    def __init__(self, url: SplitResult) -> None:
        super().__init__(name="key-set", daemon=True)
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        self._connection = kind(url.hostname or "", url.port, timeout=DEADLINE_SECONDS)
        self._path = url._replace(scheme="", netloc="", fragment="").geturl() or "/"
        self._socket: socket.socket | None = None
        self._is_cut = False
        self.body = b""
        self.failure = ""

    def run(self) -> None:
        """Ask; whatever happens ends up in `body` or in `failure`."""
        try:
            self._ask()
        except TimeoutError:  # the socket's own limit, in the moment in which ours ends
            self.failure = _too_late()
        except (OSError, HTTPException, ValueError) as error:
            self.failure = type(error).__name__
        finally:
            self._connection.close()
            _one_at_a_time.release()

    def cut(self) -> None:
        """End the conversation from another thread: a blocked read returns at once, a look-up later."""
        self._is_cut = True
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it ended by itself in this very moment

    def _ask(self) -> None:
        self._connection.connect()
        self._socket = self._connection.sock
        if self._is_cut:  # while the name was looked up
            return
        self._connection.request("GET", self._path, headers=HEADERS)
        with self._connection.getresponse() as answer:
            if answer.status != OK:
                self.failure = f"it answered {answer.status}"
                return
            self.body = answer.read(MAX_OCTETS + 1)
        if len(self.body) > MAX_OCTETS:
            self.failure = f"the answer is longer than {MAX_OCTETS} octets"
