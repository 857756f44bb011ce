"""Algorithm and key: a foreign key, no key, or our key used for another algorithm."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from tests.auth.attacks import ACCEPTED, BAD_SIGNATURE, MALFORMED, UNKNOWN_KEY, catalogue
from tests.auth.signing import compact, id_payload, key
from tests.support.token_factory import base64url

SHA256 = hashes.SHA256()
PSS = padding.PSS(padding.MGF1(SHA256), 32)


def signed_with(sign: Callable[[bytes], bytes], **changes: Any) -> Callable[[], str]:
    """Return a maker of tokens whose signature this function makes, under a changed header."""

    def make() -> str:
        message = f"{base64url(compact(key().header(**changes)))}.{base64url(compact(id_payload()))}"
        return f"{message}.{base64url(sign(message.encode()))}"

    return make


def unsigned(algorithm: Any, signature: bytes = b"") -> Callable[[], str]:
    return signed_with(lambda _: signature, alg=algorithm)


def hmac_with(secret: Callable[[], bytes], algorithm: str = "HS256") -> Callable[[], str]:
    return signed_with(lambda octets: hmac.digest(secret(), octets, f"sha{algorithm[2:]}"), alg=algorithm)


def public_key(encoding: Encoding) -> bytes:
    return key().private.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def header(**changes: Any) -> Callable[[], str]:
    """Sign correctly under a changed header."""
    return signed_with(lambda octets: key().signature(octets), **changes)


def signed_by(signer: str, **changes: Any) -> Callable[[], str]:
    """Sign with another key under the header of ours."""
    return signed_with(lambda octets: key(signer).signature(octets), **changes)


def rsa(pad: Any, digest: Any, algorithm: str = "RS256") -> Callable[[], str]:
    """Sign with our key by another scheme."""
    return signed_with(lambda octets: key().signature(octets, pad, digest), alg=algorithm)


def changed(change: Callable[[bytes], bytes]) -> Callable[[], str]:
    """Change the octets of a genuine signature."""
    return signed_with(lambda octets: change(key().signature(octets)))


def embedded(name: str, value: Callable[[], Any]) -> Callable[[], str]:
    """Bring one's own key along in the header."""
    return lambda: key("attacker").sign(id_payload(), key().header(**{name: value()}))


NOT_RS256 = ("none", "None", "none ", "", ["RS256"], {"RS256": 1}, 256, "rs256", "RS256 ", "RS256\u0000")
CRITICAL: tuple[Any, ...] = (["exp"], [], "exp", {}, False)
NOT_TEXT: tuple[Any, ...] = (1, True, ["pool-key-1"])
# What a verifier may take for an HMAC secret: our public key in its forms, an empty one, Django's own.
# CVE-2016-10555, CVE-2022-29217, CVE-2024-33663; RFC 8725, 2.1; simplejwt's default
SECRETS: dict[str, Callable[[], bytes]] = {
    "SECRET_KEY": lambda: bytes(settings.SECRET_KEY, "ascii"),
    "empty-secret": lambda: b"",
    "public-key-pem": lambda: public_key(Encoding.PEM),
    "public-key-der": lambda: public_key(Encoding.DER),
    "modulus": lambda: key().numbers.n.to_bytes(256, "big"),
    "jwk": lambda: compact(key().jwk()),
}
# What a sender may name beside the key id (RFC 7515, 4.1; RFC 8725, 3.10; CVE-2018-0114): all ignored.
OWN_KEYS: dict[str, Callable[[], Any]] = {
    "jwk": lambda: key("attacker").jwk(),
    "jku": lambda: "https://attacker.example/jwks.json",
    "x5u": lambda: "https://attacker.example/chain.pem",
    "x5c": lambda: [base64.b64encode(public_key(Encoding.DER)).decode()],
}

ATTACKS = catalogue(
    {
        MALFORMED: {
            # RFC 7515, 10.11: plaintext in JWS
            "alg-none-without-signature": unsigned("none"),
            "alg-none-with-a-signature": unsigned("none", b"x" * 256),
            # RFC 7515, 4.1.1
            "alg-absent": header(alg=None),
            **{f"alg-{json.dumps(value)}": header(alg=value) for value in NOT_RS256},
            **{f"hmac-with-{name}": hmac_with(secret) for name, secret in SECRETS.items()},
            "hmac-512-with-public-key": hmac_with(SECRETS["public-key-pem"], "HS512"),
            # RFC 8725, 3.1: perform algorithm verification
            "rs512": rsa(padding.PKCS1v15(), hashes.SHA512(), "RS512"),
            "ps256": rsa(PSS, SHA256, "PS256"),
            "es256-psychic-signature": unsigned("ES256", b"\x00" * 64),  # CVE-2022-21449
            "jwe-algorithm": unsigned("RSA-OAEP", b"x" * 256),  # CVE-2023-51774: JWE taken for JWS
            # Amazon, Verifying JSON web tokens: kid; RFC 7515, 4.1.4 (kid is a string)
            "signed-by-a-stranger-without-kid": signed_by("attacker", kid=None),
            "kid-absent": header(kid=None),
            **{f"kid-{json.dumps(value)}": header(kid=value) for value in NOT_TEXT},
            # RFC 7515, 4.1.11 (crit); RFC 7797, 6
            **{f"crit-{json.dumps(value)}": header(crit=value) for value in CRITICAL},
            "crit-null": lambda: key().sign(id_payload(), b'{"kid":"pool-key-1","alg":"RS256","crit":null}'),
            "crit-and-unencoded-payload": header(crit=["b64"], b64=False),
        },
        BAD_SIGNATURE: {
            "alg-RS256-without-signature": unsigned("RS256"),  # CVE-2020-28042
            # RFC 8725, 3.1: perform algorithm verification
            "hmac-signature-under-RS256": signed_with(lambda octets: hashlib.sha256(octets).digest()),
            "rs512-said-to-be-RS256": rsa(padding.PKCS1v15(), hashes.SHA512()),
            "ps256-said-to-be-RS256": rsa(PSS, SHA256),
            # RFC 8017, 5.2.2 and 8.2.2: length and range of a signature
            "signature-with-a-leading-zero": changed(lambda signature: b"\x00" + signature),
            "signature-too-short": changed(lambda signature: signature[:-1]),
            # RFC 7515, 5.2 step 8
            "signature-last-bit": changed(lambda signature: signature[:-1] + bytes([signature[-1] ^ 1])),
            "signed-by-a-stranger-under-our-kid": signed_by("attacker"),  # RFC 8725, 2.1
            "signed-by-our-other-key-under-this-kid": signed_by("pool-key-2"),  # RFC 7515, 6
            **{f"{name}-of-the-attacker": embedded(name, value) for name, value in OWN_KEYS.items()},
        },
        UNKNOWN_KEY: {
            # RFC 8725, 3.10: do not trust received claims (kid)
            **{
                f"kid-{name}": header(kid=value)
                for name, value in (
                    ("empty", ""),
                    ("of-another-case", "POOL-KEY-1"),
                    ("with-a-space", "pool-key-1 "),
                    ("path", "../../../../dev/null"),
                    ("long", "k" * 600),
                )
            },
            # CVE-2018-0114
            "jwk-embedded-under-its-own-kid": lambda: key("attacker").sign(
                id_payload(), key("attacker").header(jwk=key("attacker").jwk())
            ),
        },
        ACCEPTED: {
            # RFC 7515, 4.1.2 and 4.1.3 (ignored, not fetched)
            "genuine-although-jwk-is-there": header(jwk={"kty": "oct", "k": "AA"}),
            "genuine-although-jku-is-there": header(jku="http://127.0.0.1:1/"),
        },
    }
)
