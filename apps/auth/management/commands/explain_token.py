"""
`manage.py explain_token < token.txt`.

The report shows the token's values, the values that the verifier expects, and the verifier's answer.
If the signature is wrong, the values may be forged. The report never shows the token itself or its
signature.
"""

import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.conf import settings
from django.core.management import BaseCommand, CommandError

from apps.auth import permissions
from apps.auth.callers import CognitoUser
from apps.auth.tokens import base64url, errors, key_cache, verifier
from apps.claims.hasura import NO_CLAIMS

ACCEPTED = "accepted"
MAX_CHARACTERS = 300
TIMES = ("exp", "iat", "nbf", "auth_time")

_members_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Command(BaseCommand):
    help = "Say why the API accepts or refuses a token. Reads it from standard input."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        if sys.stdin.isatty():
            self.stderr.write("Paste the token, press Enter, then Ctrl-D.")
        verdict, report = explain(_extract_token(sys.stdin.read()))
        self.stdout.write(report)
        if verdict != ACCEPTED:
            raise CommandError("The API refuses this token.")


def explain(token: str) -> tuple[str, str]:
    """Return the verifier's error code, or "accepted", and a report for people."""
    verdict, reasons = ACCEPTED, [f"Verdict: {ACCEPTED}"]
    try:
        reasons[:0] = _reasons_for_403(verifier.verify(token))
    except (errors.TokenError, errors.KeysUnavailableError) as error:
        cause = f" ({_printable(str(error.__cause__))})" if error.__cause__ else ""
        verdict, reasons = error.code, [f"Verdict: {error.code}. {error}{cause}"]
    size = f"{len(token)} characters, {token.count('.') + 1} part(s) between dots"
    return verdict, "\n".join([size, f"Now: {datetime.now(UTC):%F %T} UTC", *_members(token), *reasons])


def _extract_token(text: str) -> str:
    """Return the token of a pasted line, which may have the header's name, the scheme or quotes."""
    _, _, pasted = f" {text.strip()}".rpartition(" ")
    return pasted.strip("\"'")


def _members(token: str) -> Iterator[str]:
    """Yield a line for each member of header and payload, if it can be read."""
    expected = {
        "kid": tuple(key_cache.current().keys) or (f"a key of {settings.COGNITO_JWKS_URL}",),
        "alg": ("RS256",),
        "iss": (settings.COGNITO_ISSUER,),
        "token_use": ("id",),
        "aud": settings.COGNITO_CLIENT_IDS,
    }
    members = dict.fromkeys(expected, msgspec.Raw(b"absent"))
    with suppress(errors.TokenError, ValueError, RecursionError):
        _, header, payload, _ = verifier.split_jws(token)
        for document in (base64url.decode(header), payload):
            members |= _members_decoder.decode(document.decode())
    for name, value in members.items():
        text = _printable(bytes(value).decode())
        note = _format_time(text) if name in TIMES else ""
        if name in expected and text.strip('"') not in expected[name]:
            note = f"  (expected: {' or '.join(expected[name])})"
        yield f"  {_printable(name):<18} {text}{note}"


def _format_time(time_claim: str) -> str:
    """Return a time as `: 2026-11-23 12:00:00 UTC`, or "" if it is not a time."""
    if not time_claim.isdecimal() or int(time_claim) > verifier.LAST_INSTANT:
        return ""
    return f": {datetime.fromtimestamp(int(time_claim), UTC):%F %T} UTC"


def _reasons_for_403(caller: CognitoUser) -> list[str]:
    """Return the conditions of most routes that the token does not meet. Current roles may differ."""
    conditions = {
        permissions.ADDRESS_UNVERIFIED: caller.is_verified,
        permissions.NO_CITY_ADDRESS: caller.has_city_address,
        permissions.NOT_ACTIVE: caller.claims != NO_CLAIMS,
        permissions.NO_ROLE: bool(caller.roles),
    }
    return [f"Routes may answer 403: {reason}" for reason, is_met in conditions.items() if not is_met]


def _printable(text: str) -> str:
    """Return text of the token in escaped ASCII, which is safe in a terminal."""
    escaped = ascii(text)[1:-1].replace("\\\\", "\\")
    return escaped if len(escaped) <= MAX_CHARACTERS else f"{escaped[:MAX_CHARACTERS]}…"
