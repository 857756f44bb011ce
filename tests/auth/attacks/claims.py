"""Claims: signed by the pool's own key, and still not for us, not now, or not what we can read."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from django.conf import settings

from tests.auth.attacks import (
    ACCEPTED,
    AUDIENCE,
    BAD_SIGNATURE,
    CLAIMS,
    EXPIRED,
    ISSUER,
    TOO_EARLY,
    USE,
    Attack,
)
from tests.auth.signing import compact, id_payload, key
from tests.support.token_factory import base64url

if TYPE_CHECKING:
    from collections.abc import Callable

AMAZON = "Amazon, Verifying JSON web tokens: aud, iss, token_use"
RFC_7519_4_1_1 = "RFC 7519, 4.1.1 and RFC 8725, 3.8: issuer"
RFC_7519_4_1_3 = "RFC 7519, 4.1.3 and RFC 8725, 3.9: audience"
RFC_7519_4_1_4 = "RFC 7519, 4.1.4: expiration"
RFC_7519_4_1_5 = "RFC 7519, 4.1.5 and 4.1.6: not before, issued at"
RFC_7519_7_2 = "RFC 7519, 7.2 step 10: a JSON object in UTF-8"
RFC_8725_3_12 = "RFC 8725, 3.12: one kind of token taken for another"
OIDC = "OpenID Connect Core, 5.1: types of standard claims"
GENUINE = "a genuine token that others refuse"


def claim(**changes: Any) -> Callable[[], str]:
    """Sign a payload with some claims changed; `None` drops one."""
    return lambda: key().token(id_payload(**changes))


def literal(name: str, text: str) -> Callable[[], str]:
    """Sign a payload in which the claim's value is this very JSON text."""

    def make() -> str:
        payload = compact(id_payload(**{name: "@@"}))
        return key().token(payload.replace(b'"@@"', text.encode()))

    return make


def octets(change: Callable[[bytes], bytes]) -> Callable[[], str]:
    """Sign these octets."""
    return lambda: key().token(change(compact(id_payload())))


def this(payload: bytes) -> Callable[[], str]:
    return lambda: key().token(payload)


def at(claim_name: str, seconds: float) -> Callable[[], str]:
    """Sign a payload in which that time lies so far from now."""
    return lambda: key().token(id_payload(**{claim_name: int(time.time() + seconds)}))


def another_pool() -> str:
    return settings.COGNITO_ISSUER[:-1] + ("A" if settings.COGNITO_ISSUER[-1] != "A" else "B")


def issuer(change: Callable[[str], Any]) -> Callable[[], str]:
    return lambda: key().token(id_payload(iss=change(settings.COGNITO_ISSUER)))


def audience(change: Callable[[str], Any]) -> Callable[[], str]:
    return lambda: key().token(id_payload(aud=change(settings.COGNITO_CLIENT_IDS[0])))


def access_token() -> str:
    """Return what Cognito issues beside the ID token: no email, no audience, a client id."""
    return key().token(
        id_payload(
            token_use="access",
            aud=None,
            email=None,
            email_verified=None,
            hasura=None,
            cognito__username=None,
            client_id=settings.COGNITO_CLIENT_IDS[0],
            scope="openid email",
            version=2,
            username="jane",
        )
    )


def unsigned_expired() -> str:
    """Change a payload after it was signed: the signature must be what is complained about."""
    protected, _, signature = key().token(id_payload()).split(".")
    return f"{protected}.{base64url(compact(id_payload(exp=1)))}.{signature}"


WRONG_TYPES = ("null", "true", "1", "1.5", "[]", "{}", '["x"]')
NOT_INTEGERS = ("null", "true", '"1"', "1.5", "1e3", "4102444800.0", "[]", "{}", "1e400", "9" * 30, "-1")
DEEP = "[" * 2500 + "]" * 2500

ATTACKS = (
    # ---- who issued it --------------------------------------------------------------------------
    Attack("iss-absent", claim(iss=None), ISSUER, RFC_7519_4_1_1),
    Attack("iss-of-another-pool", lambda: key().token(id_payload(iss=another_pool())), ISSUER, AMAZON),
    Attack(
        "iss-of-another-region", issuer(lambda iss: iss.replace("us-east-1.", "us-west-2.")), ISSUER, AMAZON
    ),
    Attack("iss-with-a-slash", issuer(lambda iss: f"{iss}/"), ISSUER, RFC_7519_4_1_1),
    Attack("iss-over-http", issuer(lambda iss: iss.replace("https:", "http:")), ISSUER, RFC_7519_4_1_1),
    Attack("iss-in-capitals", issuer(str.upper), ISSUER, RFC_7519_4_1_1),
    Attack(
        "iss-cut-short",
        issuer(lambda iss: iss[:-1]),
        ISSUER,
        "CVE-2024-53861: a part of the issuer is enough",
    ),
    Attack("iss-empty", issuer(lambda _: ""), ISSUER, "CVE-2024-53861"),
    Attack("iss-prolonged", issuer(lambda iss: f"{iss}.attacker.example"), ISSUER, RFC_7519_4_1_1),
    Attack("iss-in-a-list", issuer(lambda iss: [iss]), ISSUER, RFC_7519_4_1_1),
    Attack("iss-in-an-object", issuer(lambda iss: {iss: 1}), ISSUER, RFC_7519_4_1_1),
    Attack("iss-null", literal("iss", "null"), ISSUER, RFC_7519_4_1_1),
    Attack("iss-of-the-key-set", issuer(lambda iss: f"{iss}/.well-known/jwks.json"), ISSUER, AMAZON),
    Attack(
        "iss-twice-ours-last",
        octets(lambda text: b'{"iss":"https://attacker.example",' + text[1:]),
        ACCEPTED,
        "RFC 7519, 4: the last of duplicates; the pool signed it",
    ),
    Attack(
        "iss-twice-ours-first",
        octets(lambda text: text[:-1] + b',"iss":"https://attacker.example"}'),
        ISSUER,
        "RFC 7519, 4: the last of duplicates",
    ),
    # ---- for whom -------------------------------------------------------------------------------
    Attack("aud-absent", claim(aud=None), AUDIENCE, RFC_7519_4_1_3),
    Attack("aud-of-another-client", claim(aud="another-client"), AUDIENCE, AMAZON),
    Attack("aud-empty", claim(aud=""), AUDIENCE, RFC_7519_4_1_3),
    Attack("aud-cut-short", audience(lambda aud: aud[:-1]), AUDIENCE, RFC_7519_4_1_3),
    Attack("aud-in-capitals", audience(str.upper), AUDIENCE, RFC_7519_4_1_3),
    Attack("aud-with-a-space", audience(lambda aud: f"{aud} "), AUDIENCE, RFC_7519_4_1_3),
    Attack(
        "aud-of-both-clients",
        lambda: key().token(id_payload(aud=",".join(settings.COGNITO_CLIENT_IDS))),
        AUDIENCE,
        RFC_7519_4_1_3,
    ),
    Attack("aud-in-a-list", audience(lambda aud: [aud]), AUDIENCE, AMAZON),
    Attack(
        "aud-in-a-list-of-many",
        audience(lambda aud: [aud, "another"]),
        AUDIENCE,
        AMAZON,
    ),
    *(Attack(f"aud-{text}", literal("aud", text), AUDIENCE, RFC_7519_4_1_3) for text in WRONG_TYPES),
    Attack(
        "aud-of-the-second-client",
        lambda: key().token(id_payload(aud=settings.COGNITO_CLIENT_IDS[-1])),
        ACCEPTED,
        "one pool, several clients",
    ),
    # ---- for what -------------------------------------------------------------------------------
    Attack("access-token", access_token, USE, f"{AMAZON}; {RFC_8725_3_12}"),
    Attack("access-token-in-disguise", claim(token_use="access"), USE, RFC_8725_3_12),
    Attack("refresh-token", claim(token_use="refresh"), USE, RFC_8725_3_12),
    Attack("use-absent", claim(token_use=None), USE, "the Flask API answered 500"),
    Attack("use-in-capitals", claim(token_use="ID"), USE, AMAZON),
    Attack("use-empty", claim(token_use=""), USE, AMAZON),
    Attack("use-in-a-list", claim(token_use=["id"]), USE, AMAZON),
    *(Attack(f"use-{text}", literal("token_use", text), USE, AMAZON) for text in WRONG_TYPES),
    # ---- when -----------------------------------------------------------------------------------
    Attack("expired-a-second-ago", at("exp", -1), EXPIRED, RFC_7519_4_1_4),
    Attack("expires-now", at("exp", 0), EXPIRED, f"{RFC_7519_4_1_4} (on or after)"),
    Attack("expired-in-1970", claim(exp=0), EXPIRED, RFC_7519_4_1_4),
    Attack("expires-in-a-minute", at("exp", 60), ACCEPTED, "nothing genuine stays out"),
    Attack("exp-absent", claim(exp=None), CLAIMS, "python-jose and the Flask API: an absent exp"),
    Attack("iat-absent", claim(iat=None), CLAIMS, RFC_7519_4_1_5),
    Attack("auth_time-absent", claim(auth_time=None), CLAIMS, "OpenID Connect Core, 2: auth_time"),
    *(
        Attack(
            f"{name}-{text[:12]}",
            literal(name, text),
            CLAIMS,
            "RFC 7519, 2: NumericDate; python-jose: OverflowError",
        )
        for name in ("exp", "iat", "auth_time", "nbf")
        for text in NOT_INTEGERS
    ),
    Attack("issued-in-an-hour", at("iat", 3600), TOO_EARLY, RFC_7519_4_1_5),
    Attack("issued-in-40-seconds", at("iat", 40), TOO_EARLY, RFC_7519_4_1_5),
    Attack("issued-in-5-seconds", at("iat", 5), ACCEPTED, "clock skew between Cognito and Lambda"),
    Attack("issued-in-29-seconds", at("iat", 29), ACCEPTED, "clock skew between Cognito and Lambda"),
    Attack("valid-in-an-hour", at("nbf", 3600), TOO_EARLY, RFC_7519_4_1_5),
    Attack("valid-in-40-seconds", at("nbf", 40), TOO_EARLY, RFC_7519_4_1_5),
    Attack("valid-in-29-seconds", at("nbf", 29), ACCEPTED, RFC_7519_4_1_5),
    Attack("valid-since-yesterday", at("nbf", -86_400), ACCEPTED, RFC_7519_4_1_5),
    # ---- whom it names --------------------------------------------------------------------------
    *(
        Attack(f"{name}-absent", claim(**{name: None}), CLAIMS, OIDC)
        for name in ("sub", "email", "cognito__username")
    ),
    *(
        Attack(f"{name}-{text}", literal(name, text), CLAIMS, OIDC)
        for name in ("sub", "email", "cognito__username")
        for text in WRONG_TYPES
    ),
    *(
        Attack(
            f"groups-{text}",
            literal("cognito__groups", text),
            CLAIMS,
            "Amazon, Using the ID token: cognito:groups",
        )
        for text in ("null", "true", "1", '"admin"', "{}", "[1]", '["a",null]', '[["a"]]')
    ),
    Attack(
        "groups-of-none", claim(cognito__groups=[]), ACCEPTED, "Amazon, Using the ID token: cognito:groups"
    ),
    *(
        Attack(f"email_verified-{text}", literal("email_verified", text), CLAIMS, OIDC)
        for text in ("null", "1", "0", '"yes"', '"TRUE"', '""', "[]", "{}")
    ),
    *(
        Attack(
            f"email_verified-{text}",
            literal("email_verified", text),
            ACCEPTED,
            "Cognito writes some booleans as strings",
        )
        for text in ("true", "false", '"true"', '"false"')
    ),
    Attack(
        "email_verified-absent",
        claim(email_verified=None),
        ACCEPTED,
        "federated users; then it is not verified",
    ),
    Attack("nonce-of-another-type", literal("nonce", "1"), CLAIMS, "OpenID Connect Core, 2: nonce"),
    # ---- what is no set of claims ---------------------------------------------------------------
    *(
        Attack(f"payload-{name}", this(text), CLAIMS, RFC_7519_7_2)
        for name, text in (
            ("array", b"[]"),
            ("null", b"null"),
            ("string", b'"sub"'),
            ("number", b"1"),
            ("empty-object", b"{"),
            ("not-json", b"sub=1"),
            ("html", b"<html>"),
            ("one-octet", b"\x00"),
        )
    ),
    Attack("payload-object-of-nothing", octets(lambda _: b"{}"), ISSUER, RFC_7519_7_2),
    Attack("payload-cut-short", octets(lambda text: text[:-1]), CLAIMS, RFC_7519_7_2),
    Attack("payload-with-a-tail", octets(lambda text: text + b"{}"), CLAIMS, RFC_7519_7_2),
    Attack("payload-byte-order-mark", octets(lambda text: b"\xef\xbb\xbf" + text), CLAIMS, "RFC 8259, 8.1"),
    Attack("payload-utf-16", octets(lambda text: text.decode().encode("utf-16")), CLAIMS, "RFC 8259, 8.1"),
    Attack(
        "payload-not-utf-8", octets(lambda text: text.replace(b"jane", b"j\xe4ne")), CLAIMS, "RFC 8259, 8.1"
    ),
    Attack(
        "payload-not-utf-8-in-an-unread-member",
        octets(lambda text: text[:-1] + b',"x":"\xff"}'),
        CLAIMS,
        "RFC 8259, 8.1",
    ),
    Attack(
        "payload-not-utf-8-in-a-name", octets(lambda text: text[:-1] + b',"\xff":1}'), CLAIMS, "RFC 8259, 8.1"
    ),
    Attack(
        "payload-encoded-surrogate",
        octets(lambda text: text[:-1] + b',"x":"\xed\xa0\x80"}'),
        CLAIMS,
        "RFC 3629, 3",
    ),
    Attack(
        "payload-overlong-utf-8", octets(lambda text: text[:-1] + b',"x":"\xc0\xaf"}'), CLAIMS, "RFC 3629, 3"
    ),
    Attack("payload-lone-surrogate", literal("email", '"\\ud800@austintexas.gov"'), CLAIMS, "RFC 8259, 8.2"),
    Attack("payload-lone-surrogate-in-an-unread-member", literal("x", '"\\udfff"'), CLAIMS, "RFC 8259, 8.2"),
    Attack("payload-nan", literal("x", "NaN"), CLAIMS, "RFC 8259, 6"),
    Attack("payload-infinity", literal("x", "Infinity"), CLAIMS, "RFC 8259, 6"),
    Attack("payload-exp-nan", literal("exp", "NaN"), CLAIMS, "RFC 8259, 6"),
    Attack("payload-exp-infinity", literal("exp", "Infinity"), CLAIMS, "RFC 8259, 6; a token for ever"),
    Attack("payload-number-beyond-floats", literal("x", "1e400"), CLAIMS, "RFC 8259, 6"),
    Attack("payload-deeply-nested", literal("x", DEEP), CLAIMS, "RFC 8259, 9; python-jose: RecursionError"),
    Attack("payload-nested-by-objects", literal("x", '{"x":' * 600 + "1" + "}" * 600), CLAIMS, "RFC 8259, 9"),
    Attack(
        "payload-nested-below-any-crash",
        literal("x", "[" * 300 + "]" * 300),
        CLAIMS,
        "RFC 8259, 9; renderers",
    ),
    Attack(
        "payload-with-many-brackets",
        literal("x", json.dumps([["[{"]] * 40)),
        ACCEPTED,
        "nothing genuine stays out",
    ),
    Attack(
        "payload-integer-beyond-64-bits", literal("x", "9" * 40), ACCEPTED, "RFC 8259, 6 (it is not read)"
    ),
    Attack("payload-changed-after-signing", unsigned_expired, BAD_SIGNATURE, "signature before payload"),
    # ---- what others refuse and we must not -----------------------------------------------------
    Attack(
        "with-at_hash", claim(at_hash="AAAAAAAAAAAAAAAAAAAAAA"), ACCEPTED, f"{GENUINE}: python-jose (at_hash)"
    ),
    Attack("without-jti", claim(jti=None, origin_jti=None), ACCEPTED, f"{GENUINE}: simplejwt (jti)"),
    Attack("without-event_id", claim(event_id=None), ACCEPTED, GENUINE),
    Attack(
        "with-identities",
        claim(identities=[{"userId": "x", "primary": "true"}]),
        ACCEPTED,
        f"{GENUINE}: federation",
    ),
    Attack("with-letters-of-all-kinds", claim(given_name="Zoë 🚲 \u2028"), ACCEPTED, GENUINE),
    Attack(
        "with-custom-claims", claim(custom__department="ATD", phone_number_verified=False), ACCEPTED, GENUINE
    ),
)
