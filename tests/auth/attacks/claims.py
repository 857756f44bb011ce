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
    return octets(lambda _: compact(id_payload(**{name: "@@"})).replace(b'"@@"', text.encode()))


def octets(change: Callable[[bytes], bytes]) -> Callable[[], str]:
    """Sign these octets."""
    return lambda: key().sign(change(compact(id_payload())))


def replaced(payload: bytes) -> Callable[[], str]:
    return octets(lambda _: payload)


def ending_in(rest: bytes) -> Callable[[], str]:
    """Put this in the place of the last brace."""
    return octets(lambda text: text[:-1] + rest)


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


def changed_after_signing() -> str:
    """Change a payload after it was signed: the signature must be what is complained about."""
    protected, _, signature = key().sign(id_payload()).split(".")
    return f"{protected}.{base64url(compact(id_payload(exp=1)))}.{signature}"


WRONG_TYPES = ("null", "true", "1", "[]", "{}", '["x"]')
NOT_INTEGERS = ("null", "true", '"1"', "1.5", "1e3", "[]", "1e400", "9" * 30)
TEXTS = ("sub", "email", "cognito__username")
TIMES = ("exp", "iat", "auth_time")
# Claims, and JSON values that they may not have.
REFUSED_VALUES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(TEXTS, WRONG_TYPES),  # OpenID Connect Core, 5.1: types of standard claims
    **dict.fromkeys((*TIMES, "nbf"), NOT_INTEGERS),  # RFC 7519, 2: NumericDate; python-jose: OverflowError
    "email_verified": ("null", "1", '"yes"', '"TRUE"', "[]"),
    "cognito__groups": ("null", '"admin"', "{}", '["a",null]', '[["a"]]'),  # Amazon, Using the ID token
    "nonce": ("1",),  # OpenID Connect Core, 2: nonce
}
# Octets in the place of claims (RFC 7519, 7.2 step 10: a JSON object in UTF-8), or after the last of them.
REFUSED_PAYLOADS = {"array": b"[]", "null": b"null", "not-json": b"<", "octet": b"\x00"}
REFUSED_MEMBERS = {
    "not-utf-8": b',"x":"\xff"}',
    "not-utf-8-in-a-name": b',"\xff":1}',
    "encoded-surrogate": b',"x":"\xed\xa0\x80"}',  # RFC 3629, 3
    "overlong-utf-8": b',"x":"\xc0\xaf"}',
    "lone-surrogate": b',"x":"\\udfff"}',  # RFC 8259, 8.2
    "nan": b',"x":NaN}',  # RFC 8259, 6
    "number-beyond-floats": b',"x":1e400}',
    "deeply-nested": b',"x":' + b"[" * 2500 + b"]" * 2500 + b"}",  # RFC 8259, 9; python-jose: RecursionError
    "nested-by-objects": b',"x":' + b'{"x":' * 600 + b"1" + b"}" * 601,
    "nested-below-any-crash": b',"x":' + b"[" * 300 + b"]" * 300 + b"}",  # renderers
    "cut-short": b"",
    "tail": b"}{}",
}

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
            "iss-of-another-region": issuer(lambda iss: iss.replace("us-east-1.", "us-west-2.")),
            "iss-cut-short": issuer(lambda iss: iss[:-1]),  # CVE-2024-53861: a part of the issuer is enough
            "iss-empty": claim(iss=""),  # CVE-2024-53861
            # RFC 7519, 4: the last of duplicates
            "iss-twice-ours-first": ending_in(b',"iss":"https://attacker.example"}'),
            "payload-object-of-nothing": replaced(b"{}"),
        },
        ACCEPTED: {
            # RFC 7519, 4: the last of duplicates; the pool signed it
            "iss-twice-ours-last": octets(lambda text: b'{"iss":"https://attacker.example",' + text[1:]),
            "aud-of-the-second-client": audience(lambda _: settings.COGNITO_CLIENT_IDS[-1]),
            "payload-with-many-brackets": literal("x", json.dumps([["[{"]] * 40)),
            "issued-in-5-seconds": at("iat", 5),  # clock skew between Cognito and Lambda
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
        },
        AUDIENCE: {
            # RFC 7519, 4.1.3 and RFC 8725, 3.9: audience
            "aud-absent": claim(aud=None),
            "aud-empty": claim(aud=""),
            "aud-cut-short": audience(lambda aud: aud[:-1]),
            "aud-in-capitals": audience(str.upper),
            "aud-of-both-clients": audience(lambda _: ",".join(settings.COGNITO_CLIENT_IDS)),
            "aud-in-a-list": audience(lambda aud: [aud]),
            **{f"aud-{text}": literal("aud", text) for text in WRONG_TYPES},
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
            # RFC 7519, 4.1.4: expiration (on or after)
            "expired-in-1970": claim(exp=0),
            "expires-now": at("exp", 0),
        },
        CLAIMS: {
            **{f"{name}-absent": claim(**{name: None}) for name in (*TEXTS, *TIMES)},
            **{
                f"{name}-{text[:12]}": literal(name, text)
                for name, texts in REFUSED_VALUES.items()
                for text in texts
            },
            **{f"payload-{name}": replaced(text) for name, text in REFUSED_PAYLOADS.items()},
            **{f"payload-with-{name}": ending_in(rest) for name, rest in REFUSED_MEMBERS.items()},
            "payload-byte-order-mark": octets(lambda text: b"\xef\xbb\xbf" + text),  # RFC 8259, 8.1
            "payload-exp-infinity": literal("exp", "Infinity"),  # RFC 8259, 6; a token for ever
            "payload-lone-surrogate-in-a-claim": literal("email", '"\\ud800@austintexas.gov"'),
        },
        TOO_EARLY: {
            # RFC 7519, 4.1.5 and 4.1.6: not before, issued at
            "issued-in-an-hour": at("iat", 3600),
            "valid-in-an-hour": at("nbf", 3600),
        },
        BAD_SIGNATURE: {
            "payload-changed-after-signing": changed_after_signing,  # signature before payload
        },
    }
)
