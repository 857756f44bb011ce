"""
Explain a token: which rules it passes and which it fails, in words.

It applies the verifier's own rules (apps.auth.tokens.rules) in the same order, but does not stop at the first
failure. What it says of a token whose signature fails is what the token claims, no more. It never shows
the token or its signature.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import time
from typing import NamedTuple

from django.conf import settings

from apps.auth.tokens import keys, rules
from apps.auth.tokens.errors import (
    AudienceWrongError,
    ClaimsInvalidError,
    IssuerWrongError,
    KeysUnavailableError,
    KeyUnknownError,
    SignatureInvalidError,
    TokenError,
    TokenExpiredError,
    TokenMalformedError,
    TokenNotYetValidError,
    WrongTokenUseError,
)
from apps.claims.hasura import NO_CLAIMS
from apps.claims.identity import is_city_address, is_city_sso

MAX_CHARACTERS = 120
ACCEPTED = "accepted"


class Check(NamedTuple):
    """One rule: what it is about, what there is to say, and the code of the refusal if it fails."""

    subject: str
    says: str
    code: str = ""
    forbids: bool = False
    """Whether the token is accepted, and routes for staff answer 403 because of this."""


def explain(token: str) -> list[Check]:
    """Return what there is to say, in the verifier's order."""
    return list(_checks(token.strip()))


def verdict(checks: list[Check]) -> str:
    """Return what the verifier answers: the reason code of the first rule that fails, or "accepted"."""
    return next((check.code for check in checks if check.code), ACCEPTED)


def report(checks: list[Check]) -> str:
    """Return all of it as text for people."""
    lines = [f"  {_label(check):<5}  {check.subject:<10} {check.says}" for check in checks]
    return "\n".join([*lines, f"Verdict: {verdict(checks)}"])


def _label(check: Check) -> str:
    if check.code:
        return "FAILS"
    return "403" if check.forbids else "holds"


def _checks(token: str) -> Iterator[Check]:
    facts = f"{len(token)} characters, {token.count('.') + 1} part(s) between dots"
    try:
        message, header, payload, signature = rules.split_jws(token)
    except TokenMalformedError as error:
        needs = f"a token has three parts of base64url and at most {rules.MAX_TOKEN} characters"
        yield Check("form", f"{facts}: {needs}{_why(error)}", error.code)
        return
    yield Check("form", facts)
    yield from _signature_checks(message, header, signature)
    yield from _claims_checks(payload)


def _signature_checks(message: bytes, header: bytes, signature: bytes) -> Iterator[Check]:
    try:
        kid = rules.parse_kid(header)
    except TokenMalformedError as error:
        yield Check("header", f'not {{"alg": "RS256", "kid": …}} without "crit"{_why(error)}', error.code)
        return
    yield Check("header", f"alg RS256, kid {_printable(kid)}")
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
    if key.verifies(message, signature):
        yield Check("signature", "made by that key")
    else:
        yield Check(
            "signature", "not made by that key over this header and payload", SignatureInvalidError.code
        )


def _claims_checks(payload: bytes) -> Iterator[Check]:
    try:
        yield from _use_checks(rules.decode(payload, rules.INTENDED_USE))
        claims = rules.decode(payload, rules.CLAIMS)
    except ClaimsInvalidError as error:
        yield Check("claims", f"incomplete or broken{_why(error)}", error.code)
        return
    yield Check("claims", f"of {_printable(claims.email)}, sub {_printable(claims.sub)}")
    yield from _time_checks(claims)
    yield from _address_checks(claims)
    yield _hasura_check(claims)


def _use_checks(token: rules.IntendedUse) -> Iterator[Check]:
    pool = keys.TrustedKeys(settings.COGNITO_ISSUER, settings.COGNITO_CLIENT_IDS, {})
    errors = rules.use_violations(token, pool)
    iss, use, aud = (_printable(value) for value in (token.iss, token.token_use, token.aud))
    valid, other = f"our pool (COGNITO_ISSUER {pool.issuer})", f"another pool's: {iss}, not {pool.issuer}"
    yield _rule("issuer", IssuerWrongError, errors, valid, other)
    other = f'token_use is {use}, not "id"; send the ID token instead'
    yield _rule("use", WrongTokenUseError, errors, "an ID token", other)
    other = f"{aud}, not one of COGNITO_APP_CLIENT_ID {', '.join(pool.client_ids)}"
    yield _rule("audience", AudienceWrongError, errors, f"one of our clients: {aud}", other)


def _time_checks(claims: rules.Claims) -> Iterator[Check]:
    now = time()
    errors = rules.time_violations(claims, now)
    expiry, beginning = _time(claims.exp, now), _time(max(claims.iat, claims.nbf), now)
    yield _rule("expiry", TokenExpiredError, errors, f"expires {expiry}", f"expired {expiry}")
    early = f"valid only {beginning}; is this clock right?"
    yield _rule("beginning", TokenNotYetValidError, errors, f"valid {beginning}", early)


def _rule(
    subject: str, error: type[TokenError], errors: Sequence[type[TokenError]], valid: str, invalid: str
) -> Check:
    return Check(subject, invalid, error.code) if error in errors else Check(subject, valid)


def _address_checks(claims: rules.Claims) -> Iterator[Check]:
    if is_city_sso(claims.username):
        yield Check("verified", "the City's single sign-on proves the address")
    elif claims.has_verified_email:
        yield Check("verified", "email_verified is true")
    else:
        says = "email_verified is false: an admin must save the user in the editor, then sign in again"
        yield Check("verified", says, forbids=True)
    domain = f"@{settings.STAFF_EMAIL_DOMAIN}"
    if is_city_address(claims.email):
        yield Check("city", f"the address ends in {domain}")
    else:
        says = f"the address does not end in {domain}: only downloads are open to it"
        yield Check("city", says, forbids=True)


def _hasura_check(claims: rules.Claims) -> Check:
    try:
        hasura = rules.hasura_claims(claims.hasura_json)
    except ClaimsInvalidError as error:
        return Check("hasura", f"the claims for Hasura are broken{_why(error)}", error.code)
    if hasura == NO_CLAIMS:
        return Check("hasura", "no claims: there was no active Moped account at the sign-in", forbids=True)
    if not hasura.allowed_roles:
        return Check("hasura", "no roles: routes that need one answer 403", forbids=True)
    says = f"roles {_printable(hasura.allowed_roles)}, database id {_printable(hasura.database_id)}"
    return Check("hasura", f"{says}; a role counts as long as the account is active and has it")


def _time(moment: int, now: float) -> str:
    """Return a time as `2 days, 3:00:00 from now (2026-11-23 12:00:00 UTC)`."""
    span, direction = timedelta(seconds=abs(int(moment - now))), "ago" if moment <= now else "from now"
    return f"{span} {direction} ({datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC)"


def _printable(value: object) -> str:
    """Return a value of the token so that it can do nothing to a terminal."""
    text = repr(value)
    with suppress(TypeError, ValueError):
        text = json.dumps(value)
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}…"


def _why(error: TokenError) -> str:
    return f": {_printable(str(error.__cause__))[1:-1]}" if error.__cause__ else ""
