"""Structure: what is not one compact JWS in its one spelling."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.auth.attacks import ACCEPTED, BAD_SIGNATURE, MALFORMED, UNKNOWN_KEY, Attack
from tests.auth.signing import compact, id_payload, key
from tests.support.token_factory import base64url

if TYPE_CHECKING:
    from collections.abc import Callable

RFC_7515_2 = "RFC 7515, 2: base64url without padding, line breaks, whitespace"
RFC_7515_4 = "RFC 7515, 4: header parameter names are unique"
RFC_7515_5_2 = "RFC 7515, 5.2: message signature validation"
RFC_7515_7_1 = "RFC 7515, 7.1: compact serialization"
RFC_4648_3_5 = "RFC 4648, 3.5: canonical encoding"
JSON_CONFUSION = "CVE-2022-39227: compact and JSON serialization confused"
LIMITS = "CVE-2024-33664, CVE-2025-30204: resource exhaustion"


def genuine() -> str:
    return key().token(id_payload())


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
    return lambda: key().token(id_payload() if payload is None else payload, header)


def signed_text(change: Callable[[str], str], number: int) -> Callable[[], str]:
    """Change header (0) or payload (1) and sign the changed text, so that only the spelling is wrong."""

    def make() -> str:
        parts = [base64url(compact(key().header())), base64url(compact(id_payload()))]
        parts[number] = change(parts[number])
        message = ".".join(parts)
        return f"{message}.{base64url(key().sign(message.encode()))}"

    return make


def inserting(junk: str) -> Callable[[str], str]:
    return lambda text: text[:8] + junk + text[8:]


def next_to_canonical(text: str) -> str:
    """Return another spelling of the same octets: unused bits that are not zero."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


def with_rest(rest: int) -> Callable[[], str]:
    """Sign a payload whose text ends in a group of `rest` characters, one bit too many set."""

    def make() -> str:
        payload = compact(id_payload())
        while len(base64url(payload)) % 4 != rest:
            payload += b" "
        message = f"{base64url(compact(key().header()))}.{next_to_canonical(base64url(payload))}"
        return f"{message}.{base64url(key().sign(message.encode()))}"

    return make


def standard_alphabet() -> str:
    """Sign a payload that has `-` and `_` in its text, and write them `+` and `/`."""
    text = base64url(b" " + compact(id_payload()).replace(b'"sub"', b'"x":"~~~???>>>","sub"'))
    assert "-" in text or "_" in text
    message = f"{base64url(compact(key().header()))}.{text.replace('-', '+').replace('_', '/')}"
    return f"{message}.{base64url(key().sign(message.encode()))}"


def flattened() -> str:
    protected, payload, signature = genuine().split(".")
    return json.dumps({"protected": protected, "payload": payload, "signature": signature})


def general() -> str:
    protected, payload, signature = genuine().split(".")
    return json.dumps({"payload": payload, "signatures": [{"protected": protected, "signature": signature}]})


def polyglot() -> str:
    """Hide a genuine token in the JSON of a forged one."""
    protected, payload, signature = genuine().split(".")
    forged = base64url(compact(id_payload(email="attacker@austintexas.gov")))
    members = {
        f"{protected}.{forged}.": "",
        "protected": protected,
        "payload": payload,
        "signature": signature,
    }
    return json.dumps(members)


def of_length(length: int) -> Callable[[], str]:
    """Sign a token of exactly so many characters; spaces after the payload fill it up."""

    def make() -> str:
        header = base64url(compact(key().header()))
        octets = (length - len(header) - 342 - 2) * 3 // 4
        message = f"{header}.{base64url(compact(id_payload()).ljust(octets))}"
        return f"{message}.{base64url(key().sign(message.encode()))}"

    return make


HEADER = '{"kid":"pool-key-1","alg":"RS256"%s}'


def raw_header(extra: str) -> Callable[[], str]:
    return signed((HEADER % extra).encode())


ATTACKS = (
    Attack("genuine", genuine, ACCEPTED, "what Cognito issues"),
    Attack("null-of-the-editor", lambda: "null", MALFORMED, "the Moped editor without a session"),
    Attack("undefined", lambda: "undefined", MALFORMED, "the same, by another hand"),
    Attack("one-part", lambda: genuine().partition(".")[0], MALFORMED, RFC_7515_7_1),
    Attack("two-parts", changed(lambda token: token.rpartition(".")[0]), MALFORMED, RFC_7515_7_1),
    Attack("four-parts", changed(lambda token: f"{token}.x"), MALFORMED, RFC_7515_7_1),
    Attack(
        "five-parts-as-jwe", changed(lambda token: f"{token}.x.x"), MALFORMED, "RFC 7516, 9; CVE-2024-33664"
    ),
    Attack("trailing-dot", changed(lambda token: f"{token}."), MALFORMED, RFC_7515_7_1),
    Attack("leading-dot", changed(lambda token: f".{token}"), MALFORMED, RFC_7515_7_1),
    Attack("only-dots", lambda: "..", MALFORMED, RFC_7515_7_1),
    Attack("empty-header", part(0, lambda _: ""), MALFORMED, RFC_7515_5_2),
    Attack("empty-payload", part(1, lambda _: ""), BAD_SIGNATURE, RFC_7515_5_2),
    Attack("empty-signature", part(2, lambda _: ""), BAD_SIGNATURE, "CVE-2020-28042"),
    Attack(
        "detached-payload", signed(None, b""), "claims_invalid", "RFC 7515, F: detached content is not for us"
    ),
    Attack(
        "dots-of-another-script", changed(lambda token: token.replace(".", "\u00b7")), MALFORMED, RFC_7515_7_1
    ),
    Attack("two-tokens-with-comma", changed(lambda token: f"{token},{token}"), MALFORMED, RFC_7515_7_1),
    Attack("flattened-json", flattened, MALFORMED, "RFC 7515, 7.2.2"),
    Attack("general-json", general, MALFORMED, "RFC 7515, 7.2.1"),
    Attack("polyglot", polyglot, MALFORMED, JSON_CONFUSION),
    # ---- base64url ------------------------------------------------------------------------------
    *(
        Attack(f"padding-on-part-{number}", part(number, lambda text: f"{text}=="), MALFORMED, RFC_7515_2)
        for number in range(3)
    ),
    Attack(
        "padding-that-is-signed",
        signed_text(lambda text: text + "=" * (-len(text) % 4 or 4), 1),
        MALFORMED,
        RFC_7515_2,
    ),
    *(
        Attack(
            f"{name}-in-the-signature",
            part(2, inserting(junk)),
            MALFORMED,
            RFC_7515_2,
        )
        for name, junk in (
            ("space", " "),
            ("tab", "\t"),
            ("newline", "\n"),
            ("nul", "\0"),
            ("percent", "%41"),
            ("quote", '"'),
            ("backslash", "\\"),
            ("escape", "\\u0041"),
            ("latin", "é"),
            ("equals", "="),
            ("plus", "+"),
            ("slash", "/"),
            ("exclamation-mark", "!"),
            ("comma", ","),
            ("del", "\x7f"),
        )
    ),
    *(
        Attack(
            f"{name}-in-the-payload",
            signed_text(inserting(junk), 1),
            MALFORMED,
            RFC_7515_2,
        )
        for name, junk in (("space", " "), ("newline", "\r\n"), ("exclamation-marks", "!!!!"), ("quote", '"'))
    ),
    Attack("space-in-the-header", signed_text(inserting(" "), 0), MALFORMED, RFC_7515_2),
    Attack("standard-alphabet", standard_alphabet, MALFORMED, RFC_7515_2),
    Attack("signature-not-canonical", part(2, next_to_canonical), MALFORMED, RFC_4648_3_5),
    Attack("payload-not-canonical-two-left", with_rest(2), MALFORMED, RFC_4648_3_5),
    Attack("payload-not-canonical-three-left", with_rest(3), MALFORMED, RFC_4648_3_5),
    Attack(
        "impossible-length", part(1, lambda text: text[: len(text) // 4 * 4] + "A"), MALFORMED, RFC_7515_2
    ),
    Attack("impossible-length-of-signature", part(2, lambda text: text[:-1]), MALFORMED, RFC_7515_2),
    # ---- the header's JSON ----------------------------------------------------------------------
    Attack("header-array", signed([]), MALFORMED, f"{RFC_7515_5_2} step 3 (an object)"),
    Attack("header-string", signed(b'"RS256"'), MALFORMED, f"{RFC_7515_5_2} step 3"),
    Attack("header-null", signed(b"null"), MALFORMED, f"{RFC_7515_5_2} step 3"),
    Attack("header-number", signed(b"1"), MALFORMED, f"{RFC_7515_5_2} step 3"),
    Attack("header-empty-object", signed(b"{}"), MALFORMED, RFC_7515_4),
    Attack("header-not-json", signed(b"alg=RS256"), MALFORMED, f"{RFC_7515_5_2} step 3"),
    Attack(
        "header-cut-short", signed(b'{"kid":"pool-key-1","alg":"RS256"'), MALFORMED, f"{RFC_7515_5_2} step 3"
    ),
    Attack(
        "header-with-a-tail",
        signed(b'{"kid":"pool-key-1","alg":"RS256"}{}'),
        MALFORMED,
        f"{RFC_7515_5_2} step 3",
    ),
    Attack("header-trailing-comma", raw_header(","), MALFORMED, "RFC 8259, 4"),
    Attack("header-single-quotes", signed(b"{'kid':'pool-key-1','alg':'RS256'}"), MALFORMED, "RFC 8259, 7"),
    Attack("header-comment", raw_header("/**/"), MALFORMED, "RFC 8259, 2"),
    Attack(
        "header-byte-order-mark",
        signed(b'\xef\xbb\xbf{"kid":"pool-key-1","alg":"RS256"}'),
        MALFORMED,
        "RFC 8259, 8.1",
    ),
    Attack("header-utf-16", signed((HEADER % "").encode("utf-16-le")), MALFORMED, "RFC 8259, 8.1"),
    Attack(
        "header-not-utf-8",
        signed(b'{"kid":"pool-key-1","alg":"RS256","x":"\xff"}'),
        MALFORMED,
        "RFC 8259, 8.1",
    ),
    Attack("header-lone-surrogate", raw_header(',"x":"\\ud800"'), MALFORMED, "RFC 8259, 8.2"),
    Attack(
        "header-control-character",
        signed(b'{"kid":"pool-key-1","alg":"RS256","x":"\x01"}'),
        MALFORMED,
        "RFC 8259, 7",
    ),
    Attack("header-nan", raw_header(',"x":NaN'), MALFORMED, "RFC 8259, 6"),
    Attack("header-infinity", raw_header(',"x":-Infinity'), MALFORMED, "RFC 8259, 6"),
    Attack("header-alg-twice-same", raw_header(',"alg":"RS256"'), MALFORMED, RFC_7515_4),
    Attack(
        "header-alg-twice-none-first",
        signed(b'{"alg":"none","kid":"pool-key-1","alg":"RS256"}'),
        MALFORMED,
        RFC_7515_4,
    ),
    Attack("header-alg-twice-none-last", raw_header(',"alg":"none"'), MALFORMED, RFC_7515_4),
    Attack("header-alg-twice-escaped", raw_header(',"\\u0061lg":"none"'), MALFORMED, RFC_7515_4),
    Attack("header-kid-twice", raw_header(',"kid":"pool-key-2"'), MALFORMED, RFC_7515_4),
    Attack("header-duplicate-of-no-interest", raw_header(',"typ":"JWT","typ":"JWT"'), MALFORMED, RFC_7515_4),
    Attack("header-duplicate-further-in", raw_header(',"jwk":{"k":1,"k":2}'), MALFORMED, RFC_7515_4),
    Attack(
        "header-deeply-nested",
        raw_header(',"x":' + "[" * 300 + "]" * 300),
        ACCEPTED,
        "RFC 8259, 9 (within 1 kB: answered)",
    ),
    Attack("header-of-1-kB-and-more", raw_header(',"x":"%s"' % ("x" * 800)), MALFORMED, LIMITS),
    Attack("header-of-70-kB", raw_header(',"x":"%s"' % ("x" * 70_000)), MALFORMED, LIMITS),
    Attack(
        "header-with-a-long-number",
        raw_header(',"x":%s' % ("9" * 600)),
        ACCEPTED,
        "RFC 8259, 6 (it is not read)",
    ),
    Attack(
        "header-just-within-the-limit",
        raw_header(',"x":"%s"' % ("x" * 700)),
        ACCEPTED,
        "nothing genuine stays out",
    ),
    Attack(
        "header-kid-escaped", signed(b'{"kid":"\\u0070ool-key-1","alg":"RS256"}'), ACCEPTED, "RFC 8259, 8.3"
    ),
    Attack("header-typ-jwt", raw_header(',"typ":"JWT"'), ACCEPTED, "RFC 7519, 5.1"),
    Attack(
        "header-members-in-another-order",
        signed(b'{ "alg" : "RS256" , "kid" : "pool-key-1" }'),
        ACCEPTED,
        "RFC 8259, 4",
    ),
    # ---- size -----------------------------------------------------------------------------------
    Attack("as-large-as-may-be", of_length(8192), ACCEPTED, "nothing genuine stays out"),
    Attack("one-too-large", of_length(8193), MALFORMED, LIMITS),
    Attack("a-hundred-kilobytes", lambda: "A" * 100_000, MALFORMED, LIMITS),
    Attack(
        "eight-kilobytes-of-dots",
        lambda: "." * 8192,
        MALFORMED,
        "CVE-2025-30204: splitting without a bound",
    ),
    Attack(
        "unknown-key-and-nonsense",
        lambda: base64url(b'{"kid":"x","alg":"RS256"}') + ".AA.AA",
        UNKNOWN_KEY,
        RFC_7515_5_2,
    ),
)
