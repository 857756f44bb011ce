"""Claims: signed by the pool's own key, and still not for us, not now, or not what we can read."""

import json
import time
from collections.abc import Callable
from typing import Any

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
    catalogue,
)
from tests.auth.signing import compact, id_payload, key
from tests.support.token_factory import base64url


def claim(**changes: Any) -> Callable[[], str]:
    """Sign a payload with some claims changed; `None` drops one."""
    return lambda: key().sign(id_payload(**changes))


def literal(name: str, text: str) -> Callable[[], str]:
    """Sign a payload in which the claim's value is this very JSON text."""

    def make() -> str:
        payload = compact(id_payload(**{name: "@@"}))
        return key().sign(payload.replace(b'"@@"', text.encode()))

    return make


def octets(change: Callable[[bytes], bytes]) -> Callable[[], str]:
    """Sign these octets."""
    return lambda: key().sign(change(compact(id_payload())))


def this(payload: bytes) -> Callable[[], str]:
    return lambda: key().sign(payload)


def at(claim_name: str, seconds: float) -> Callable[[], str]:
    """Sign a payload in which that time lies so far from now."""
    return lambda: key().sign(id_payload(**{claim_name: int(time.time() + seconds)}))


def issuer(change: Callable[[str], Any]) -> Callable[[], str]:
    return lambda: key().sign(id_payload(iss=change(settings.COGNITO_ISSUER)))


def audience(change: Callable[[str], Any]) -> Callable[[], str]:
    return lambda: key().sign(id_payload(aud=change(settings.COGNITO_CLIENT_IDS[0])))


def access_token() -> str:
    """Return what Cognito issues beside the ID token: no email, no audience, a client id."""
    absent = dict.fromkeys(("aud", "email", "email_verified", "hasura", "cognito__username"))
    present = {"client_id": settings.COGNITO_CLIENT_IDS[0], "scope": "openid email", "username": "jane"}
    return key().sign(id_payload(token_use="access", **absent, **present))


def unsigned_expired() -> str:
    """Change a payload after it was signed: the signature must be what is complained about."""
    protected, _, signature = key().sign(id_payload()).split(".")
    return f"{protected}.{base64url(compact(id_payload(exp=1)))}.{signature}"


WRONG_TYPES = ("null", "true", "1", "1.5", "[]", "{}", '["x"]')
NOT_INTEGERS = ("null", "true", '"1"', "1.5", "1e3", "4102444800.0", "[]", "{}", "1e400", "9" * 30, "-1")
DEEP = "[" * 2500 + "]" * 2500

ATTACKS = catalogue(
    {
        ISSUER: {
            # RFC 7519, 4.1.1 and RFC 8725, 3.8: issuer
            "iss-absent": claim(iss=None),
            "iss-with-a-slash": issuer(lambda iss: f"{iss}/"),
            "iss-over-http": issuer(lambda iss: iss.replace("https:", "http:")),
            "iss-in-capitals": issuer(str.upper),
            "iss-prolonged": issuer(lambda iss: f"{iss}.attacker.example"),
            "iss-in-a-list": issuer(lambda iss: [iss]),
            "iss-null": literal("iss", "null"),
            # Amazon, Verifying JSON web tokens: aud, iss, token_use
            "iss-of-another-pool": issuer(lambda iss: f"{iss[:-1]}{'A' if iss[-1] != 'A' else 'B'}"),
            "iss-of-another-region": issuer(lambda iss: iss.replace("us-east-1.", "us-west-2.")),
            "iss-of-the-key-set": issuer(lambda iss: f"{iss}/.well-known/jwks.json"),
            "iss-cut-short": issuer(lambda iss: iss[:-1]),  # CVE-2024-53861: a part of the issuer is enough
            "iss-empty": issuer(lambda _: ""),  # CVE-2024-53861
            # RFC 7519, 4: the last of duplicates
            "iss-twice-ours-first": octets(lambda text: text[:-1] + b',"iss":"https://attacker.example"}'),
            # RFC 7519, 7.2 step 10: a JSON object in UTF-8
            "payload-object-of-nothing": octets(lambda _: b"{}"),
        },
        ACCEPTED: {
            # RFC 7519, 4: the last of duplicates; the pool signed it
            "iss-twice-ours-last": octets(lambda text: b'{"iss":"https://attacker.example",' + text[1:]),
            # one pool, several clients
            "aud-of-the-second-client": audience(lambda _: settings.COGNITO_CLIENT_IDS[-1]),
            # nothing genuine stays out
            "payload-with-many-brackets": literal("x", json.dumps([["[{"]] * 40)),
            # clock skew between Cognito and Lambda
            "issued-in-5-seconds": at("iat", 5),
            # RFC 7519, 4.1.5 and 4.1.6: not before, issued at
            "valid-since-yesterday": at("nbf", -86_400),
            "groups-of-none": claim(cognito__groups=[]),  # Amazon, Using the ID token: cognito:groups
            # Cognito writes some booleans as strings
            **{
                f"email_verified-{text}": literal("email_verified", text)
                for text in ("true", "false", '"true"', '"false"')
            },
            "email_verified-absent": claim(email_verified=None),  # federated users; then it is not verified
            "payload-integer-beyond-64-bits": literal("x", "9" * 40),  # RFC 8259, 6 (it is not read)
            # genuine tokens that others refuse: python-jose (at_hash), simplejwt (jti), federation
            "with-at_hash": claim(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
            "without-jti": claim(jti=None, origin_jti=None),
            "with-letters-of-all-kinds": claim(given_name="Zoë 🚲 \u2028"),
            "with-identities": claim(identities=[{"userId": "x", "primary": "true"}]),
        },
        AUDIENCE: {
            # RFC 7519, 4.1.3 and RFC 8725, 3.9: audience
            "aud-absent": claim(aud=None),
            "aud-empty": claim(aud=""),
            "aud-cut-short": audience(lambda aud: aud[:-1]),
            "aud-in-capitals": audience(str.upper),
            "aud-with-a-space": audience(lambda aud: f"{aud} "),
            "aud-of-both-clients": audience(lambda _: ",".join(settings.COGNITO_CLIENT_IDS)),
            **{f"aud-{text}": literal("aud", text) for text in WRONG_TYPES},
            # Amazon, Verifying JSON web tokens: aud, iss, token_use
            "aud-of-another-client": claim(aud="another-client"),
            "aud-in-a-list": audience(lambda aud: [aud]),
        },
        USE: {
            # RFC 8725, 3.12: one kind of token taken for another; Amazon, Verifying JSON web tokens
            "access-token": access_token,
            "access-token-in-disguise": claim(token_use="access"),
            "refresh-token": claim(token_use="refresh"),
            "use-absent": claim(token_use=None),  # the Flask API answered 500
            "use-in-capitals": claim(token_use="ID"),
            "use-in-a-list": claim(token_use=["id"]),
            **{f"use-{text}": literal("token_use", text) for text in WRONG_TYPES},
        },
        EXPIRED: {
            # RFC 7519, 4.1.4: expiration
            "expired-a-second-ago": at("exp", -1),
            "expired-in-1970": claim(exp=0),
            "expires-now": at("exp", 0),  # RFC 7519, 4.1.4: expiration (on or after)
        },
        CLAIMS: {
            "exp-absent": claim(exp=None),  # python-jose and the Flask API: an absent exp
            "iat-absent": claim(iat=None),  # RFC 7519, 4.1.5 and 4.1.6: not before, issued at
            "auth_time-absent": claim(auth_time=None),  # OpenID Connect Core, 2: auth_time
            # RFC 7519, 2: NumericDate; python-jose: OverflowError
            **{
                f"{name}-{text[:12]}": literal(name, text)
                for name in ("exp", "iat", "auth_time", "nbf")
                for text in NOT_INTEGERS
            },
            # OpenID Connect Core, 5.1: types of standard claims
            **{f"{name}-absent": claim(**{name: None}) for name in ("sub", "email", "cognito__username")},
            **{
                f"{name}-{text}": literal(name, text)
                for name in ("sub", "email", "cognito__username")
                for text in WRONG_TYPES
            },
            **{
                f"email_verified-{text}": literal("email_verified", text)
                for text in ("null", "1", "0", '"yes"', '"TRUE"', '""', "[]", "{}")
            },
            # Amazon, Using the ID token: cognito:groups
            **{
                f"groups-{text}": literal("cognito__groups", text)
                for text in ("null", "true", "1", '"admin"', "{}", "[1]", '["a",null]', '[["a"]]')
            },
            "nonce-of-another-type": literal("nonce", "1"),  # OpenID Connect Core, 2: nonce
            # RFC 7519, 7.2 step 10: a JSON object in UTF-8
            **{
                f"payload-{name}": this(text)
                for name, text in (
                    ("array", b"[]"),
                    ("null", b"null"),
                    ("not-json", b"<"),
                    ("octet", b"\x00"),
                )
            },
            "payload-cut-short": octets(lambda text: text[:-1]),
            "payload-with-a-tail": octets(lambda text: text + b"{}"),
            # RFC 8259, 8.1
            "payload-byte-order-mark": octets(lambda text: b"\xef\xbb\xbf" + text),
            "payload-utf-16": octets(lambda text: text.decode().encode("utf-16")),
            "payload-not-utf-8": octets(lambda text: text.replace(b"jane", b"j\xe4ne")),
            "payload-not-utf-8-in-an-unread-member": octets(lambda text: text[:-1] + b',"x":"\xff"}'),
            "payload-not-utf-8-in-a-name": octets(lambda text: text[:-1] + b',"\xff":1}'),
            # RFC 3629, 3
            "payload-encoded-surrogate": octets(lambda text: text[:-1] + b',"x":"\xed\xa0\x80"}'),
            "payload-overlong-utf-8": octets(lambda text: text[:-1] + b',"x":"\xc0\xaf"}'),
            # RFC 8259, 8.2
            "payload-lone-surrogate": literal("email", '"\\ud800@austintexas.gov"'),
            "payload-lone-surrogate-in-an-unread-member": literal("x", '"\\udfff"'),
            # RFC 8259, 6
            "payload-nan": literal("x", "NaN"),
            "payload-exp-nan": literal("exp", "NaN"),
            "payload-number-beyond-floats": literal("x", "1e400"),
            "payload-exp-infinity": literal("exp", "Infinity"),  # RFC 8259, 6; a token for ever
            "payload-deeply-nested": literal("x", DEEP),  # RFC 8259, 9; python-jose: RecursionError
            "payload-nested-by-objects": literal("x", '{"x":' * 600 + "1" + "}" * 600),  # RFC 8259, 9
            "payload-nested-below-any-crash": literal("x", "[" * 300 + "]" * 300),  # RFC 8259, 9; renderers
        },
        TOO_EARLY: {
            # RFC 7519, 4.1.5 and 4.1.6: not before, issued at
            "issued-in-an-hour": at("iat", 3600),
            "valid-in-an-hour": at("nbf", 3600),
        },
        BAD_SIGNATURE: {
            "payload-changed-after-signing": unsigned_expired,  # signature before payload
        },
    }
)
