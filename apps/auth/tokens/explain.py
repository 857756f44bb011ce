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
from datetime import UTC, datetime, timedelta
from time import time
from typing import TYPE_CHECKING

from django.conf import settings

from apps.auth.tokens import keys, rules, verifier
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

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CHARACTERS = 120


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


def _checks(token: str) -> Iterator[Check]:
    facts = f"{len(token)} characters, {token.count('.') + 1} part(s) between dots"
    try:
        message, header, payload, signature = rules.split_jws(token)
    except TokenMalformedError as error:
        needs = f"a token has three parts of base64url and at most {rules.MAX_TOKEN} characters"
        yield Check("form", f"{facts}: {needs}{_why(error)}", error.code)
        return
    yield Check("form", facts)
    yield from _signed(message, header, signature)
    yield from _claimed(payload)


# ---- who signed it ------------------------------------------------------------------------------


def _signed(message: bytes, header: str, signature: bytes) -> Iterator[Check]:
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
        says = "not made by that key over this header and payload"
        yield Check("signature", says, SignatureInvalidError.code)


# ---- for whom, and when -------------------------------------------------------------------------


def _claimed(payload: bytes) -> Iterator[Check]:
    try:
        yield from _intended_use(rules.decode(payload, rules.INTENDED_USE))
        claims = rules.decode(payload, rules.CLAIMS)
    except ClaimsInvalidError as error:
        yield Check("claims", f"incomplete or broken{_why(error)}", error.code)
        return
    yield Check("claims", f"of {_printable(claims.email)}, sub {_printable(claims.sub)}")
    yield from _times(claims)
    yield _verified(claims)
    yield _city(claims)
    yield _hasura(claims)


def _intended_use(token: rules.IntendedUse) -> Iterator[Check]:
    pool = keys.TrustedKeys(settings.COGNITO_ISSUER, settings.COGNITO_CLIENT_IDS, {})
    violations = set(rules.use_violations(token, pool))
    iss, use, aud = (_printable(value) for value in (token.iss, token.token_use, token.aud))
    client_ids = ", ".join(pool.client_ids)
    ours, other = f"our pool (COGNITO_ISSUER {pool.issuer})", f"another pool's: {iss}, not {pool.issuer}"
    yield _rule("issuer", IssuerWrongError, violations, ours, other)
    other = f'token_use is {use}, not "id"; send the ID token instead'
    yield _rule("use", WrongTokenUseError, violations, "an ID token", other)
    ours, other = f"one of our clients: {aud}", f"{aud}, not one of COGNITO_APP_CLIENT_ID {client_ids}"
    yield _rule("audience", AudienceWrongError, violations, ours, other)


def _times(claims: rules.Claims) -> Iterator[Check]:
    now = time()
    violations = set(rules.time_violations(claims, now))
    expiry, beginning = (f"{_span(at - now)} ({_date(at)})" for at in (claims.exp, claims.begins))
    yield _rule("expiry", TokenExpiredError, violations, f"expires {expiry}", f"expired {expiry}")
    early = f"valid only {beginning}; is this clock right?"
    yield _rule("beginning", TokenNotYetValidError, violations, f"valid {beginning}", early)


def _rule(subject: str, error: type[TokenError], violations: set[type[TokenError]], *says: str) -> Check:
    """Return the check of a rule, with the first text if the token obeys it and the second if not."""
    holds, fails = says
    return Check(subject, fails, error.code) if error in violations else Check(subject, holds)


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


def _hasura(claims: rules.Claims) -> Check:
    try:
        hasura = rules.hasura_claims(bytes(claims.hasura_json))
    except ClaimsInvalidError as error:
        return Check("hasura", f"the claims for Hasura are broken{_why(error)}", error.code)
    if hasura == NO_CLAIMS:
        return Check("hasura", "no claims: there was no active Moped account at the sign-in", forbids=True)
    if not hasura.allowed_roles:
        return Check("hasura", "no roles: routes that need one answer 403", forbids=True)
    says = f"roles {_printable(hasura.allowed_roles)}, database id {_printable(hasura.database_id)}"
    return Check("hasura", f"{says}; a role counts as long as the account is active and has it")


def _span(seconds: float) -> str:
    """Return a time from now, as `2 days, 3:00:00 from now` or `3:00:00 ago`."""
    span = timedelta(seconds=abs(int(seconds)))
    return f"{span} ago" if seconds <= 0 else f"{span} from now"


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
