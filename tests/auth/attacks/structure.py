"""Structure: what is not one compact JWS in its one spelling."""

import json
from collections.abc import Callable
from typing import Any

from tests.auth.attacks import ACCEPTED, BAD_SIGNATURE, CLAIMS, MALFORMED, UNKNOWN_KEY, catalogue
from tests.auth.signing import compact, id_payload, key
from tests.support.token_factory import base64url

HEADER = '{"kid":"pool-key-1","alg":"RS256"%s}'
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def genuine() -> str:
    return key().sign(id_payload())


def changed(change: Callable[[str], str]) -> Callable[[], str]:
    """Change a genuine token's text."""
    return lambda: change(genuine())


def part(number: int, change: Callable[[str], str]) -> Callable[[], str]:
    """Change one part of a genuine token."""

    def make() -> str:
        parts = genuine().split(".")
        parts[number] = change(parts[number])
        return ".".join(parts)

    return make


def signed(header: Any, payload: Any = None) -> Callable[[], str]:
    """Sign whatever this is, correctly."""
    return lambda: key().sign(id_payload() if payload is None else payload, header)


def raw_header(extra: str) -> Callable[[], str]:
    return signed((HEADER % extra).encode())


def signed_text(rest: int, change: Callable[[str], str]) -> Callable[[], str]:
    """
    Change the text of a payload and sign the changed text, so that only the spelling is wrong.

    :param rest: the number of characters in the last group of the text
    """

    def make() -> str:
        payload = compact(id_payload())
        while len(base64url(payload)) % 4 != rest:
            payload += b" "
        message = f"{base64url(compact(key().header()))}.{change(base64url(payload))}"
        return f"{message}.{base64url(key().signature(message.encode()))}"

    return make


def inserting(junk: str) -> Callable[[str], str]:
    return lambda text: text[:8] + junk + text[8:]


def next_to_canonical(text: str) -> str:
    """Return another spelling of the same octets: unused bits that are not zero."""
    return text[:-1] + ALPHABET[ALPHABET.index(text[-1]) + 1]


def flattened(**more: str) -> str:
    protected, payload, signature = genuine().split(".")
    return json.dumps({**more, "protected": protected, "payload": payload, "signature": signature})


def polyglot() -> str:
    """Hide a genuine token in the JSON of a forged one."""
    header = base64url(compact(key().header()))
    forged = base64url(compact(id_payload(email="attacker@austintexas.gov")))
    return flattened(**{f"{header}.{forged}.": ""})


def of_length(length: int) -> Callable[[], str]:
    """Sign a token of exactly so many characters; spaces after the payload fill it up."""

    def make() -> str:
        octets = (length - len(base64url(compact(key().header()))) - 342 - 2) * 3 // 4
        return key().sign(compact(id_payload()).ljust(octets))

    return make


ATTACKS = catalogue(
    {
        ACCEPTED: {
            "genuine": genuine,  # what Cognito issues
            "header-deeply-nested": raw_header(',"x":' + "[" * 300 + "]" * 300),  # RFC 8259, 9
            "header-with-a-long-number": raw_header(',"x":%s' % ("9" * 600)),  # RFC 8259, 6 (it is not read)
            "as-large-as-may-be": of_length(8192),
            "header-kid-escaped": signed(b'{"kid":"\\u0070ool-key-1","alg":"RS256"}'),  # RFC 8259, 8.3
            "header-typ-jwt": raw_header(',"typ":"JWT"'),  # RFC 7519, 5.1
        },
        MALFORMED: {
            "null-of-the-editor": lambda: "null",  # the Moped editor without a session
            # RFC 7515, 7.1: compact serialization
            "two-parts": changed(lambda token: token.rpartition(".")[0]),
            "four-parts": changed(lambda token: f"{token}.x"),
            "trailing-dot": changed(lambda token: f"{token}."),
            "only-dots": lambda: "..",
            "two-tokens-with-comma": changed(lambda token: f"{token},{token}"),
            "five-parts-as-jwe": changed(lambda token: f"{token}.x.x"),  # RFC 7516, 9; CVE-2024-33664
            "empty-header": part(0, lambda _: ""),
            "flattened-json": flattened,  # RFC 7515, 7.2.2
            "polyglot": polyglot,  # CVE-2022-39227: compact and JSON serialization confused
            # RFC 7515, 2: base64url without padding, line breaks, whitespace
            **{f"padding-on-part-{number}": part(number, lambda text: f"{text}==") for number in range(3)},
            "padding-that-is-signed": signed_text(2, lambda text: f"{text}=="),
            **{
                f"{junk!a}-in-the-signature": part(2, inserting(junk))
                for junk in ("\n", "\0", '"', "\\u0041", "é", "=", "+", "/")
            },
            **{
                f"{junk!a}-in-the-payload": signed_text(0, inserting(junk))
                for junk in (" ", "\r\n", "!!!!", '"')
            },
            "impossible-length": part(1, lambda text: text[: len(text) // 4 * 4] + "A"),
            # RFC 4648, 3.5: canonical encoding
            "signature-not-canonical": part(2, next_to_canonical),
            "payload-not-canonical-two-left": signed_text(2, next_to_canonical),
            "payload-not-canonical-three-left": signed_text(3, next_to_canonical),
            # RFC 7515, 5.2 step 3 (an object)
            "header-array": signed([]),
            "header-not-json": signed(b"alg=RS256"),
            "header-with-a-tail": signed(b'{"kid":"pool-key-1","alg":"RS256"}{}'),
            # RFC 7515, 4: header parameter names are unique
            "header-empty-object": signed(b"{}"),
            "header-alg-twice-none-first": signed(b'{"alg":"none","kid":"pool-key-1","alg":"RS256"}'),
            "header-alg-twice-none-last": raw_header(',"alg":"none"'),
            "header-alg-twice-escaped": raw_header(',"\\u0061lg":"none"'),
            "header-duplicate-of-no-interest": raw_header(',"typ":"JWT","typ":"JWT"'),
            "header-duplicate-further-in": raw_header(',"jwk":{"k":1,"k":2}'),
            # RFC 8259, 7 and 8
            "header-control-character": signed(b'{"kid":"pool-key-1","alg":"RS256","x":"\x01"}'),
            "header-byte-order-mark": signed(b'\xef\xbb\xbf{"kid":"pool-key-1","alg":"RS256"}'),
            "header-not-utf-8": signed(b'{"kid":"pool-key-1","alg":"RS256","x":"\xff"}'),
            "header-lone-surrogate": raw_header(',"x":"\\ud800"'),
            "header-nan": raw_header(',"x":NaN'),  # RFC 8259, 6
            # CVE-2024-33664, CVE-2025-30204: resource exhaustion
            "header-of-70-kB": raw_header(',"x":"%s"' % ("x" * 70_000)),
            "one-too-large": of_length(8193),
            "eight-kilobytes-of-dots": lambda: "." * 8192,
        },
        BAD_SIGNATURE: {
            "empty-payload": part(1, lambda _: ""),  # RFC 7515, 5.2: message signature validation
            "empty-signature": part(2, lambda _: ""),  # CVE-2020-28042
        },
        CLAIMS: {
            "detached-payload": signed(None, b""),  # RFC 7515, F: detached content is not for us
        },
        UNKNOWN_KEY: {
            # RFC 7515, 5.2: message signature validation
            "unknown-key-and-nonsense": lambda: base64url(b'{"kid":"x","alg":"RS256"}') + ".AA.AA",
        },
    }
)
