"""The callers of a load test: good ones, and what else comes to a public server."""

import json
import random
import socket
import struct
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, RemoteDisconnected
from threading import Event
from typing import Any, NamedTuple

HOST = "127.0.0.1"
PATIENCE_SECONDS = 30
EDITORS_PAGE = "https://moped.example"
LARGEST_BODY = 64 * 1024
CRASHED = 500
AT_ONCE = struct.pack("ii", 1, 0)  # closed with a reset, not with a farewell


class Wish(NamedTuple):
    """A request that must be granted."""

    name: str
    path: str
    token: str = ""
    method: str = "GET"
    statuses: tuple[int, ...] = (200,)


Plan = list[tuple[Wish, float]]
"""What is asked for, and how often beside the others."""


@dataclass
class Tally:
    """What came back, from all threads: appending to a list needs no lock."""

    granted: list[tuple[str, float]] = field(default_factory=list)
    """Names and seconds of the good requests that were served."""
    failures: list[str] = field(default_factory=list)
    """The good requests that were not."""
    junk: list[tuple[str, int]] = field(default_factory=list)
    """Kinds of junk and their statuses, 0 for no answer."""

    @property
    def crashes(self) -> list[str]:
        """Junk that was answered as if it were our fault."""
        return [f"{kind}: {status}" for kind, status in sorted(set(self.junk)) if status >= CRASHED]


# ---- good callers ---------------------------------------------------------------------------------


def wishes(port: int, people: dict[str, Any]) -> Plan:
    """Return what is asked for, much as the editor does it."""
    plan: Plan = [
        (Wish("/", "/"), 5),
        (Wish("/health/live", "/health/live"), 5),
        # 503 says that a neighbour took more than a second, which is an answer and no failure.
        (Wish("/health/ready", "/health/ready", statuses=(200, 503)), 1),
        (Wish("preflight", "/users/", method="OPTIONS"), 9),
        (Wish("list of users", "/users/", people["tokens"]["admin"]), 10),
    ]
    form, share = "/files/request-signature?file=plan.pdf", 10 / len(people["crowd"])
    for token in people["crowd"]:
        with closing(HTTPConnection(HOST, port)) as connection:
            key = json.loads(_ask(connection, Wish("", form, token))[1])["filename"]
        plan += [
            (Wish("/auth/current_user", "/auth/current_user", token), 4 * share),
            (Wish("upload form", form, token), 1.5 * share),
            (Wish("download link", f"/files/download/{key}", token), 1.5 * share),
        ]
    return plan


def good(port: int, plan: Plan, count: int, tally: Tally) -> None:
    """Call again and again on one connection. Each unexpected status and each lost answer is a failure."""
    chooser = random.Random(count)
    connection = HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)
    for wish in chooser.choices([wish for wish, _ in plan], [share for _, share in plan], k=count):
        began = time.perf_counter()
        try:
            status, body = _ask_again(connection, wish)
        except (OSError, HTTPException) as error:
            connection.close()
            tally.failures.append(f"{wish.method} {wish.path}: {error!r}")
            continue
        if status in wish.statuses:
            tally.granted.append((wish.name, time.perf_counter() - began))
        else:
            tally.failures.append(f"{wish.method} {wish.path}: {status} {body[:200]!r}")
    connection.close()


def _ask_again(connection: HTTPConnection, wish: Wish) -> tuple[int, bytes]:
    """Ask; once more if the server had hung up between two requests, as every client does (RFC 9112, 9.6)."""
    is_open = connection.sock is not None
    try:
        return _ask(connection, wish)
    except (RemoteDisconnected, BrokenPipeError, ConnectionResetError):
        connection.close()
        if not is_open:
            raise
        return _ask(connection, wish)


def _ask(connection: HTTPConnection, wish: Wish) -> tuple[int, bytes]:
    headers = {"Origin": EDITORS_PAGE, "Content-Type": "text/plain;charset=UTF-8"}
    if wish.token:
        headers["Authorization"] = f"Bearer {wish.token}"
    if wish.method == "OPTIONS":
        headers["Access-Control-Request-Method"] = "GET"
    connection.request(wish.method, wish.path, headers=headers)
    response = connection.getresponse()
    return response.status, response.read()


# ---- junk -----------------------------------------------------------------------------------------


def junk(port: int, token: str, ended: Event, tally: Tally, seed: int) -> None:
    """Send one piece of junk after the other, at a bounded rate."""
    chooser = random.Random(seed)
    while not ended.is_set():
        kinds = _kinds(token, chooser.randbytes(300))  # new noise each time: nothing may be kept of it
        kind = chooser.choice(sorted(kinds))
        status = _throw(port, kinds[kind], hang_up=kind.startswith("hanging up"))
        tally.junk.append((kind, status))
        time.sleep(0.01)


def slow(port: int, ended: Event, tally: Tally) -> None:
    """Send a request a few bytes at a time, as if to block a worker."""
    while not ended.is_set():
        with socket.create_connection((HOST, port), PATIENCE_SECONDS) as line, suppress(OSError):
            for piece in (b"GET / HT", b"TP/1.1\r\nHo", b"st: 127.0.0.1\r\nConne", b"ction: close\r\n\r\n"):
                line.sendall(piece)
                time.sleep(0.3)
            tally.junk.append(("a slow client", _status(line)))


def _throw(port: int, message: bytes, *, hang_up: bool) -> int:
    with socket.create_connection((HOST, port), PATIENCE_SECONDS) as line:
        with suppress(OSError):  # it hung up while we were talking, and its answer may be there all the same
            line.sendall(message)
        if not hang_up:
            return _status(line)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        return 0


def _status(line: socket.socket) -> int:
    try:
        with line.makefile("rb") as answer:
            words = answer.readline().split()
        return int(words[1]) if len(words) > 1 else 0
    except OSError:
        return 0


def _request(line: str, *headers: str, body: bytes = b"", announced: int = 0) -> bytes:
    head = [f"{line} HTTP/1.1", "Connection: close", *headers]
    head += [] if any(name.startswith("Host:") for name in headers) else ["Host: 127.0.0.1"]
    head += [f"Content-Length: {announced or len(body)}"] if body else []
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def _kinds(token: str, noise: bytes) -> dict[str, bytes]:
    """Return every kind of junk, by name."""
    mine, as_json = f"Authorization: Bearer {token}", "Content-Type: application/json"
    other_signature, no_signature = f"{token[:-20]}{'A' * 20}", f"{token.rpartition('.')[0]}."
    return {
        "no token": _request("GET /auth/current_user"),
        "a token of noise": _request("GET /auth/current_user", f"Authorization: Bearer {noise.hex()}"),
        "a token with another signature": _request(
            "GET /auth/current_user", f"Authorization: Bearer {other_signature}"
        ),
        "a token without a signature": _request("GET /users/", f"Authorization: Bearer {no_signature}"),
        "an unknown path": _request(f"GET /{noise[:20].hex()}"),
        "a path of a scanner": _request("GET /wp-login.php?x=%27%20OR%201=1"),
        "a path that is no text": _request("GET /%00%ff%fe/..%2f..%2fetc/passwd"),
        "another host": _request("GET /", "Host: elsewhere.example"),
        "an unknown method": _request("BREW /users/", mine),
        "broken JSON": _request("POST /users/", mine, as_json, body=b'{"email": '),
        "JSON of the wrong shape": _request("POST /users/", mine, as_json, body=b"[1, 2, 3]"),
        "no JSON at all": _request("POST /users/", mine, "Content-Type: text/xml", body=b"<user/>"),
        "a body that is too large": _request("POST /users/", mine, as_json, body=b" " * (LARGEST_BODY + 1)),
        "a body of megabytes": _request("POST /users/", mine, as_json, body=b" " * 3_000_000),
        "large headers": _request("GET /", f"X-Junk: {'x' * 7_000}"),
        "headers that are too large": _request("GET /", f"X-Junk: {'x' * 20_000}"),
        "too many headers": _request("GET /", *(f"X-Junk-{number}: x" for number in range(200))),
        "no HTTP": noise[:200] + b"\r\n\r\n",
        "hanging up without a word": b"",
        "hanging up in the first line": b"GET /auth/curr",
        "hanging up in the body": _request("POST /users/", mine, as_json, body=b'{"email"', announced=2_000),
        "hanging up before the answer": _request("GET /users/", mine),
    }
