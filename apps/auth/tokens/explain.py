"""
Explain a token: which rules it passes and which it fails, in words.

It applies the verifier's own rules (apps.auth.tokens.rules) in the same order, but does not stop at the first
failure. What it says of a token whose signature fails is what the token claims, no more. It never shows
the token or its signature.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time
from typing import TYPE_CHECKING, ParamSpec

from django.conf import settings

from apps.auth.tokens import base64url, keys, rules, verifier
from apps.auth.tokens.errors import (
    ClaimsInvalidError,
    KeysUnavailableError,
    KeyUnknownError,
    SignatureInvalidError,
    TokenError,
    TokenMalformedError,
)
from apps.claims.hasura import NO_CLAIMS
from apps.claims.identity import is_city_address, is_city_sso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")
MAX_CHARACTERS = 120
UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


@dataclass(frozen=True, slots=True)
class Check:
    """One rule: what it is about, what there is to say, and the code of the refusal if it fails."""

    subject: str
    says: str
    code: str = ""
    forbids: bool = False
    """Whether the token is accepted, and routes for staff answer 403 because of this."""

    @property
    def holds(self) -> bool:
        """Return whether the rule is obeyed."""
        return not self.code


def explain(token: str) -> list[Check]:
    """Return what there is to say, in the verifier's order; its verdict is the first that fails."""
    return list(_checks(token.strip()))


def verdict(token: str) -> str:
    """Return what the verifier itself answers: a reason code, or "accepted"."""
    try:
        verifier.verify(token.strip())
    except (TokenError, KeysUnavailableError) as refusal:
        return refusal.code
    return "accepted"


def report(token: str) -> str:
    """Return all of it as text for people."""
    lines = [f"  {_label(check):<5}  {check.subject:<10} {check.says}" for check in explain(token)]
    return "\n".join([*lines, f"Verdict: {verdict(token)}"])


def _label(check: Check) -> str:
    if not check.holds:
        return "FAILS"
    return "403" if check.forbids else "holds"


def in_words(seconds: float) -> str:
    """Return a span of time as people say it: "3 hours"."""
    for unit, length in UNITS:
        if (count := int(abs(seconds) // length)) or unit == "second":
            break
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _checks(token: str) -> Iterator[Check]:
    try:
        message, header, payload, signature = rules.split_jws(token)
    except TokenMalformedError:
        yield Check("form", _malformed_reason(token), TokenMalformedError.code)
        return
    yield Check("form", f"three parts of base64url, {len(token)} characters")
    yield from _signed(message, header, signature)
    yield from _claimed(payload)


def _malformed_reason(token: str) -> str:
    if len(token) > rules.MAX_TOKEN:
        return f"{len(token)} characters; at most {rules.MAX_TOKEN} are read"
    parts = token.split(".")
    if len(parts) != len(("header", "payload", "signature")):
        return f"{len(parts)} part(s) between dots; a signed token has three"
    named_parts = zip(("header", "payload", "signature"), parts, strict=True)
    broken = [name for name, part in named_parts if _is_not_base64url(part)]
    return f"not the one base64url spelling of anything: the {' and the '.join(broken)}"


def _is_not_base64url(part: str) -> bool:
    try:
        base64url.decode(part.encode("ascii"))
    except ValueError:
        return True
    return False


# ---- who signed it ------------------------------------------------------------------------------


def _signed(message: bytes, header: str, signature: bytes) -> Iterator[Check]:
    try:
        kid = rules.parse_kid(header)
    except TokenMalformedError as error:
        yield Check("header", f'not {{"alg": "RS256", "kid": …}} without "crit"{_why(error)}', error.code)
        return
    yield Check("header", f"alg RS256, kid {_printable(kid)}")
    yield from _signed_with(kid, message, signature)


def _signed_with(kid: str, message: bytes, signature: bytes) -> Iterator[Check]:
    where = f"(COGNITO_JWKS_URL {settings.COGNITO_JWKS_URL})"
    try:
        key = keys.refresh_for_kid(kid).keys.get(kid)
    except KeysUnavailableError as error:
        yield Check("key", f"the pool's keys cannot be fetched {where}", error.code)
        return
    if key is None:
        yield Check("key", f"the pool does not publish this key {where}", KeyUnknownError.code)
        return
    yield Check("key", f"published by the pool {where}")
    genuine = key.verifies(message, signature)
    says = "made by that key" if genuine else "not made by that key over this header and payload"
    yield Check("signature", says, "" if genuine else SignatureInvalidError.code)


# ---- for whom, and when -------------------------------------------------------------------------


def _claimed(payload: bytes) -> Iterator[Check]:
    try:
        yield from _addressed(rules.decode_intended_use(payload))
        claims = rules.decode_claims(payload)
    except ClaimsInvalidError as error:
        yield Check("claims", f"incomplete or broken{_why(error)}", error.code)
        return
    yield Check("claims", f"of {_printable(claims.email)}, sub {_printable(claims.sub)}")
    yield from _times(claims)
    yield _verified(claims)
    yield _city(claims)
    yield _hasura(claims, payload)


def _addressed(token: rules.IntendedUse) -> Iterator[Check]:
    trusted = keys.TrustedKeys(settings.COGNITO_ISSUER, settings.COGNITO_CLIENT_IDS, {})
    code = _refusal(rules.check_issuer, token, trusted)
    says = f"issued by another pool: {_printable(token.iss)}, not {trusted.issuer}"
    yield Check("issuer", says if code else f"our pool (COGNITO_ISSUER {trusted.issuer})", code)
    code = _refusal(rules.check_use, token)
    yield Check("use", _wrong_use(token.token_use) if code else "an ID token", code)
    code = _refusal(rules.check_audience, token, trusted)
    client_ids = ", ".join(trusted.client_ids)
    says = f"issued to {_printable(token.aud)}, not to one of COGNITO_APP_CLIENT_ID {client_ids}"
    yield Check("audience", says if code else f"one of our clients: {_printable(token.aud)}", code)


def _wrong_use(use: object) -> str:
    if use == "access":
        return "an access token; send the ID token instead"
    return f'token_use is {_printable(use)}, not "id"'


def _times(claims: rules.Claims) -> Iterator[Check]:
    now = time()
    code = _refusal(rules.check_expiry, claims, now)
    span = in_words(claims.exp - now)
    says = f"expired {span} ago" if code else f"expires in {span}"
    yield Check("expiry", f"{says} ({_date(claims.exp)})", code)
    code = _refusal(rules.check_beginning, claims, now)
    early = f"valid only in {in_words(claims.begins - now)} ({_date(claims.begins)}); is this clock right?"
    issued = f"issued {in_words(now - claims.iat)} ago ({_date(claims.iat)})"
    yield Check("beginning", early if code else issued, code)


def _refusal(check: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> str:
    """Return the code with which a rule refuses the token, "" if it does not."""
    try:
        check(*args, **kwargs)
    except TokenError as error:
        return error.code
    return ""


def _verified(claims: rules.Claims) -> Check:
    if is_city_sso(claims.username):
        return Check("verified", "the City's single sign-on proves the address")
    if claims.has_verified_email:
        return Check("verified", "email_verified is true")
    says = "email_verified is false: an admin must save the user in the editor, then sign in again"
    return Check("verified", says, forbids=True)


def _city(claims: rules.Claims) -> Check:
    domain = f"@{settings.STAFF_EMAIL_DOMAIN}"
    if is_city_address(claims.email):
        return Check("city", f"the address ends in {domain}")
    return Check("city", f"the address does not end in {domain}: only downloads are open to it", forbids=True)


def _hasura(claims: rules.Claims, payload: bytes) -> Check:
    try:
        hasura = rules.hasura_claims(claims.hasura, payload)
    except ClaimsInvalidError as error:
        return Check("hasura", f"the claims for Hasura are broken{_why(error)}", error.code)
    if hasura == NO_CLAIMS:
        return Check("hasura", "no claims: there was no active Moped account at the sign-in", forbids=True)
    if not hasura.allowed_roles:
        return Check("hasura", "no roles: routes that need one answer 403", forbids=True)
    says = f"roles {_printable(hasura.allowed_roles)}, database id {_printable(hasura.database_id)}"
    return Check("hasura", f"{says}; a role counts as long as the account is active and has it")


def _date(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _printable(value: object) -> str:
    """Return a value of the token so that it can do nothing to a terminal."""
    text = repr(value)
    with suppress(TypeError, ValueError):
        text = json.dumps(value)
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}…"


def _why(error: TokenError) -> str:
    return f": {_printable(str(error.__cause__))[1:-1]}" if error.__cause__ else ""
