"""
Explain a token: what it says, beside what the verifier compares it with, and the verifier's answer.

What a token says is no more than a claim if its signature is wrong. The token itself is never shown, nor
its signature.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import time

import msgspec
from django.conf import settings

from apps.auth import permissions
from apps.auth.callers import CognitoUser
from apps.auth.tokens import base64url, verifier
from apps.claims.hasura import NO_CLAIMS
from apps.core.errors import MopedError

ACCEPTED = "accepted"
MAX_CHARACTERS = 300
TIMES = ("exp", "iat", "nbf", "auth_time")

_members_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


def explain(token: str) -> tuple[str, str]:
    """Return the code of the verifier's answer, which may be "accepted", and a report for people."""
    token = token.strip()
    lines = [f"{len(token)} characters, {token.count('.') + 1} part(s) between dots", *_members(token)]
    try:
        caller = verifier.verify(token)
    except (verifier.TokenError, verifier.KeysUnavailableError) as error:
        return error.code, "\n".join([*lines, f"Verdict: {error.code}. {error}{_cause(error)}"])
    refusals = (f"Routes may answer 403: {reason}" for reason in _reasons_for_403(caller))
    return ACCEPTED, "\n".join([*lines, *refusals, f"Verdict: {ACCEPTED}"])


def _members(token: str) -> Iterator[str]:
    """Yield the members of header and payload, as far as they can be read."""
    expected = {
        "kid": f"a key of {settings.COGNITO_JWKS_URL}",
        "alg": "RS256",
        "iss": settings.COGNITO_ISSUER,
        "token_use": "id",
        "aud": " or ".join(settings.COGNITO_CLIENT_IDS),
    }
    members = dict.fromkeys(expected, msgspec.Raw(b"absent"))
    with suppress(verifier.TokenError, ValueError, RecursionError):
        _, header, payload, _ = verifier.split_jws(token)
        for document in (base64url.decode(header), payload):
            members |= _members_decoder.decode(document.decode())
    for name, value in members.items():
        text = _printable(bytes(value).decode())
        note = _in_words(text) if name in TIMES else ""
        if name in expected and text != f'"{expected[name]}"':
            note = f"  (expected: {expected[name]})"
        yield f"  {_printable(name):<18} {text}{note}"


def _in_words(time_claim: str) -> str:
    """Return a time as `: 2026-11-23 12:00:00 UTC, 3:00:00 ago`, or "" for what is no time."""
    if not time_claim.isdecimal() or int(time_claim) > verifier.LAST_INSTANT:
        return ""
    moment, now = int(time_claim), int(time())
    span, direction = timedelta(seconds=abs(moment - now)), "ago" if moment <= now else "from now"
    return f": {datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC, {span} {direction}"


def _reasons_for_403(caller: CognitoUser) -> list[str]:
    """Return what the token says against the permissions of most routes. Roles are also looked up."""
    conditions = {
        permissions.ADDRESS_UNVERIFIED: caller.is_verified,
        permissions.NO_CITY_ADDRESS: caller.has_city_address,
        permissions.NOT_ACTIVE: caller.claims != NO_CLAIMS,
        permissions.NO_ROLE: bool(caller.roles),
    }
    return [reason for reason, is_met in conditions.items() if not is_met]


def _printable(text: str) -> str:
    """Return text of the token so that it can do nothing to a terminal."""
    escaped = ascii(text)[1:-1].replace("\\\\", "\\")
    return escaped if len(escaped) <= MAX_CHARACTERS else f"{escaped[:MAX_CHARACTERS]}…"


def _cause(error: MopedError) -> str:
    return f" ({_printable(str(error.__cause__))})" if error.__cause__ else ""
