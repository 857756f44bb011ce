"""Algorithm and key: a foreign key, no key, or our key used for another algorithm."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from tests.auth.attacks import ACCEPTED, BAD_SIGNATURE, MALFORMED, UNKNOWN_KEY, catalogue
from tests.auth.signing import compact, id_payload, key
from tests.support.token_factory import base64url

if TYPE_CHECKING:
    from collections.abc import Callable


def message(header: dict[str, Any]) -> str:
    return f"{base64url(compact(header))}.{base64url(compact(id_payload()))}"


def signed_with(sign: Callable[[bytes], bytes], **changes: Any) -> Callable[[], str]:
    """Return a maker of tokens whose signature this function makes, under a changed header."""

    def make() -> str:
        signing_input = message(key().header(**changes))
        return f"{signing_input}.{base64url(sign(signing_input.encode()))}"

    return make


def unsigned(algorithm: Any, signature: bytes = b"") -> Callable[[], str]:
    return signed_with(lambda _: signature, alg=algorithm)


def hmac_with(secret: Callable[[], bytes], algorithm: str = "HS256") -> Callable[[], str]:
    return signed_with(
        lambda octets: hmac.digest(secret(), octets, f"sha{algorithm[2:]}"),
        alg=algorithm,
    )


def public_key(encoding: Encoding, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> bytes:
    return key().private.public_key().public_bytes(encoding, form)


def pem() -> bytes:
    return public_key(Encoding.PEM)


def modulus() -> bytes:
    return key().numbers.n.to_bytes(256, "big")


def header(**changes: Any) -> Callable[[], str]:
    """Sign correctly under a changed header."""
    return signed_with(lambda octets: key().signature(octets), **changes)


def signed_by(signer: str, **changes: Any) -> Callable[[], str]:
    """Sign with another key under the header of ours."""
    return signed_with(lambda octets: key(signer).signature(octets), **changes)


def rsa(pad: Any, digest: Any, algorithm: str = "RS256") -> Callable[[], str]:
    """Sign with our key by another scheme."""
    return signed_with(lambda octets: key().signature(octets, pad, digest), alg=algorithm)


def elliptic(algorithm: str) -> Callable[[], str]:
    return signed_with(
        lambda octets: ec.generate_private_key(ec.SECP256R1()).sign(octets, ec.ECDSA(SHA256)),
        alg=algorithm,
    )


def embedded(name: str, value: Callable[[], Any]) -> Callable[[], str]:
    """Bring one's own key along in the header."""
    return lambda: key("attacker").sign(id_payload(), key().header(**{name: value()}))


def number_as_signature(number: Callable[[], int]) -> Callable[[], str]:
    return signed_with(lambda _: number().to_bytes(256, "big"))


def textbook(prefix: bytes) -> Callable[[], str]:
    """Sign a hash in an encoding of PKCS #1 that is not quite the one."""

    def sign(octets: bytes) -> bytes:
        digest = hashlib.sha256(octets).digest()
        block = b"\x00\x01" + b"\xff" * (256 - 3 - len(prefix) - len(digest)) + b"\x00" + prefix + digest
        number = pow(int.from_bytes(block, "big"), key().private.private_numbers().d, key().numbers.n)
        return number.to_bytes(256, "big")

    return signed_with(sign)


def changed(change: Callable[[bytes], bytes]) -> Callable[[], str]:
    """Change the octets of a genuine signature."""
    return signed_with(lambda octets: change(key().signature(octets)))


def plus_modulus(signature: bytes) -> bytes:
    """Return the signature's number plus n: the same residue, where it still fits."""
    number = int.from_bytes(signature, "big") + key().numbers.n
    return number.to_bytes(max(256, (number.bit_length() + 7) // 8), "big")


def of_another_token() -> str:
    """Carry the genuine signature of other claims."""
    other = key().sign(id_payload(email="another.user@austintexas.gov"))
    return f"{message(key().header())}.{other.rpartition('.')[2]}"


SHA256 = hashes.SHA256()
CRITICAL: tuple[Any, ...] = (["exp"], ["b64"], ["alg"], [], "exp", {}, ["x", "x"], False)
ATTACKS = catalogue(
    {
        MALFORMED: {
            # RFC 7515, 10.11: plaintext in JWS; 'none' and its spellings
            **{
                f"alg-{spelling or 'empty'}-without-signature": unsigned(spelling)
                for spelling in ("none", "None", "NONE", "nOnE", "none ", "\u0000none", "")
            },
            "alg-none-with-a-signature": unsigned("none", b"x" * 256),
            "alg-absent": header(alg=None),  # RFC 7515, 4.1.1 (alg must be present)
            # RFC 7515, 4.1.1
            **{
                f"alg-{json.dumps(value)}": unsigned(value, b"x" * 256)
                for value in (
                    ["RS256"],
                    {"RS256": 1},
                    256,
                    True,
                    "rs256",
                    "RS256 ",
                    " RS256",
                    "RS-256",
                    "Rs256",
                    "RS256\u0000",
                    "RSA-SHA256",
                    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
                )
            },
            # simplejwt's default: HS256 with SECRET_KEY
            "hmac-with-SECRET_KEY": hmac_with(lambda: bytes(settings.SECRET_KEY, "ascii")),
            # RFC 8725, 2.1: weak signatures and insufficient signature validation
            "hmac-with-empty-secret": hmac_with(lambda: b""),
            # CVE-2016-10555, CVE-2022-29217, CVE-2024-33663: a public key taken for an HMAC secret
            "hmac-with-public-key-pem": hmac_with(pem),
            "hmac-with-public-key-pem-stripped": hmac_with(lambda: pem().strip()),
            "hmac-with-public-key-der": hmac_with(lambda: public_key(Encoding.DER)),
            "hmac-with-modulus": hmac_with(modulus),
            "hmac-with-modulus-in-base64url": hmac_with(lambda: base64url(modulus()).encode()),
            "hmac-with-jwk": hmac_with(lambda: compact(key().jwk())),
            "hmac-384-with-public-key": hmac_with(pem, "HS384"),
            "hmac-512-with-public-key": hmac_with(pem, "HS512"),
            "hmac-with-public-key-openssh": hmac_with(
                lambda: public_key(Encoding.OpenSSH, PublicFormat.OpenSSH)
            ),  # CVE-2024-33663
            # RFC 8725, 3.1: perform algorithm verification
            "rs384": rsa(padding.PKCS1v15(), hashes.SHA384(), "RS384"),
            "rs512": rsa(padding.PKCS1v15(), hashes.SHA512(), "RS512"),
            "ps256": rsa(padding.PSS(padding.MGF1(SHA256), 32), SHA256, "PS256"),
            "es256": elliptic("ES256"),
            "eddsa": signed_with(ed25519.Ed25519PrivateKey.generate().sign, alg="EdDSA"),
            # CVE-2022-21449
            "es256-psychic-signature": unsigned("ES256", b"\x00" * 64),
            "jwe-algorithm": unsigned("RSA-OAEP", b"x" * 256),  # CVE-2023-51774: JWE taken for JWS
            # Amazon, Verifying JSON web tokens: kid
            "signed-by-a-stranger-without-kid": signed_by("attacker", kid=None),
            "kid-absent": header(kid=None),
            # RFC 7515, 4.1.4 (kid is a string)
            **{
                f"kid-{json.dumps(value)[:12]}": header(kid=value)
                for value in (1, True, ["pool-key-1"], {"kid": "pool-key-1"}, 1.5)
            },
            # RFC 7515, 4.1.11 (crit)
            **{f"crit-{json.dumps(value)}": header(crit=value) for value in CRITICAL},
            "crit-null": lambda: key().sign(id_payload(), b'{"kid":"pool-key-1","alg":"RS256","crit":null}'),
            "crit-and-unencoded-payload": header(crit=["b64"], b64=False),  # RFC 7797, 6
        },
        BAD_SIGNATURE: {
            "alg-RS256-without-signature": unsigned("RS256"),  # CVE-2020-28042
            # RFC 8725, 3.1: perform algorithm verification
            "hmac-signature-under-RS256": signed_with(lambda _: hashlib.sha256(pem()).digest()),
            "rs512-said-to-be-RS256": rsa(padding.PKCS1v15(), hashes.SHA512()),
            "ps256-said-to-be-RS256": rsa(padding.PSS(padding.MGF1(SHA256), 32), SHA256),
            "es256-said-to-be-RS256": elliptic("RS256"),
            # Wycheproof, RSA PKCS #1 v1.5: wrong hash
            "rs1-said-to-be-RS256": rsa(padding.PKCS1v15(), hashes.SHA1()),  # noqa: S303 (the attack)
            # Wycheproof, RSA: special signatures
            "zero-signature": number_as_signature(lambda: 0),
            "one-as-signature": number_as_signature(lambda: 1),
            "modulus-as-signature": number_as_signature(lambda: key().numbers.n),
            "modulus-less-one-as-signature": number_as_signature(lambda: key().numbers.n - 1),
            "signature-without-digest-info": textbook(b""),  # RFC 8017, 9.2; Wycheproof: MissingDigestInfo
            # RFC 8017, 9.2; Wycheproof: MissingNull
            "signature-without-null-parameter": textbook(
                bytes.fromhex("302f300b0609608648016503040201" + "0420")
            ),
            "signature-with-a-leading-zero": changed(
                lambda signature: b"\x00" + signature
            ),  # Wycheproof, RSA: signature too long
            "signature-plus-modulus": changed(plus_modulus),  # RFC 8017, 5.2.2: representative out of range
            "signature-too-short": changed(
                lambda signature: signature[:-1]
            ),  # Wycheproof, RSA: signature too short
            # RFC 7515, 5.2 step 8
            "signature-first-bit": changed(lambda signature: bytes([signature[0] ^ 1]) + signature[1:]),
            "signature-last-bit": changed(lambda signature: signature[:-1] + bytes([signature[-1] ^ 1])),
            "signature-of-another-token": of_another_token,
            # RFC 8725, 2.1: weak signatures and insufficient signature validation
            "signed-by-a-stranger-under-our-kid": signed_by("attacker"),
            # RFC 7515, 6: the key that kid names, and no other
            "signed-by-our-other-key-under-this-kid": signed_by("pool-key-2"),
            "jwk-embedded": embedded("jwk", lambda: key("attacker").jwk()),  # CVE-2018-0114
            # RFC 8725, 3.10: jku and server-side request forgery
            "jku": embedded("jku", lambda: "https://attacker.example/jwks.json"),
            # RFC 8725, 3.10
            "jku-at-the-real-place": embedded("jku", lambda: settings.COGNITO_JWKS_URL),
            "x5u": embedded("x5u", lambda: "https://attacker.example/chain.pem"),
            # RFC 7515, 4.1.6
            "x5c": embedded("x5c", lambda: [base64.b64encode(public_key(Encoding.DER)).decode()]),
        },
        UNKNOWN_KEY: {
            # RFC 8725, 3.10: do not trust received claims (kid)
            **{
                f"kid-{name}": header(kid=value)
                for name, value in (
                    ("empty", ""),
                    ("of-another-case", "POOL-KEY-1"),
                    ("with-a-space", "pool-key-1 "),
                    ("with-a-nul", "pool-key-1\u0000"),
                    ("path", "../../../../dev/null"),
                    ("sql", "x' UNION SELECT 'secret"),
                    ("command", "key; cat /etc/passwd"),
                    ("url", "https://attacker.example/key.json"),
                    ("long", "k" * 600),
                    ("null-spelt-out", "null"),
                    ("of-python", "__class__"),
                )
            },
            # CVE-2018-0114
            "jwk-embedded-under-its-own-kid": lambda: key("attacker").sign(
                id_payload(), key("attacker").header(jwk=key("attacker").jwk())
            ),
        },
        ACCEPTED: {
            # RFC 7515, 4.1.3 (ignored, not fetched)
            "genuine-although-jwk-is-there": header(jwk={"kty": "oct", "k": "AA"}),
            # RFC 7515, 4.1.2 (ignored, not fetched)
            "genuine-although-jku-is-there": header(jku="http://127.0.0.1:1/"),
        },
    }
)
