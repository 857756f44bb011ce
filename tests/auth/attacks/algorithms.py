"""Algorithm and key: a foreign key, no key, or our key used for another algorithm."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from django.conf import settings

from tests.auth.attacks import ACCEPTED, BAD_SIGNATURE, MALFORMED, UNKNOWN_KEY, Attack
from tests.auth.signing import compact, id_payload, key
from tests.support.token_factory import base64url

if TYPE_CHECKING:
    from collections.abc import Callable

RFC_8725_2_1 = "RFC 8725, 2.1: weak signatures and insufficient signature validation"
RFC_8725_3_1 = "RFC 8725, 3.1: perform algorithm verification"
RFC_7515_4_1 = "RFC 7515, 4.1: header parameters"
RFC_7515_10_11 = "RFC 7515, 10.11: plaintext in JWS; 'none' and its spellings"
CONFUSION = "CVE-2016-10555, CVE-2022-29217, CVE-2024-33663: a public key taken for an HMAC secret"


def message(header: dict[str, Any]) -> str:
    return f"{base64url(compact(header))}.{base64url(compact(id_payload()))}"


def with_signature(header: dict[str, Any], signature: bytes) -> str:
    return f"{message(header)}.{base64url(signature)}"


def hmac_with(secret: Callable[[], bytes], algorithm: str = "HS256") -> Callable[[], str]:
    def make() -> str:
        digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
        signing_input = message(key().header(alg=algorithm))
        return f"{signing_input}.{base64url(hmac.new(secret(), signing_input.encode(), digest).digest())}"

    return make


def pem() -> bytes:
    return (
        key()
        .private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def der() -> bytes:
    return (
        key()
        .private.public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def openssh() -> bytes:
    return (
        key()
        .private.public_key()
        .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    )


def modulus() -> bytes:
    return key().numbers.n.to_bytes(256, "big")


def header(**changes: Any) -> Callable[[], str]:
    """Sign correctly under a changed header."""
    return lambda: key().token(id_payload(), key().header(**changes))


def signed_by(signer: str, **changes: Any) -> Callable[[], str]:
    """Sign with another key under the header of ours."""
    return lambda: key(signer).token(id_payload(), key().header(**changes))


def unsigned(algorithm: Any, signature: bytes = b"") -> Callable[[], str]:
    return lambda: with_signature(key().header(alg=algorithm), signature)


def rsa(pad: Any, digest: Any, algorithm: str = "RS256") -> Callable[[], str]:
    """Sign with our key by another scheme."""

    def make() -> str:
        signing_input = message(key().header(alg=algorithm))
        return f"{signing_input}.{base64url(key().sign(signing_input.encode(), pad, digest))}"

    return make


def elliptic(algorithm: str = "ES256") -> str:
    signing_input = message(key().header(alg=algorithm))
    private = ec.generate_private_key(ec.SECP256R1())
    return f"{signing_input}.{base64url(private.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256())))}"


def edwards() -> str:
    signing_input = message(key().header(alg="EdDSA"))
    return f"{signing_input}.{base64url(ed25519.Ed25519PrivateKey.generate().sign(signing_input.encode()))}"


def embedded(name: str, value: Callable[[], Any]) -> Callable[[], str]:
    """Bring one's own key along in the header."""
    return lambda: key("attacker").token(id_payload(), key().header(**{name: value()}))


def number_as_signature(number: Callable[[], int]) -> Callable[[], str]:
    return lambda: with_signature(key().header(), number().to_bytes(256, "big"))


def textbook(prefix: bytes) -> Callable[[], str]:
    """Sign a hash in an encoding of PKCS #1 that is not quite the one."""

    def make() -> str:
        signing_input = message(key().header())
        digest = hashlib.sha256(signing_input.encode()).digest()
        block = b"\x00\x01" + b"\xff" * (256 - 3 - len(prefix) - len(digest)) + b"\x00" + prefix + digest
        private = key().private.private_numbers()
        number = pow(int.from_bytes(block, "big"), private.d, key().numbers.n)
        return f"{signing_input}.{base64url(number.to_bytes(256, 'big'))}"

    return make


def lengthened_with_zero() -> str:
    signing_input = message(key().header())
    signature = b"\x00" + key().sign(signing_input.encode())
    return f"{signing_input}.{base64url(signature)}"


def shortened() -> str:
    signing_input = message(key().header())
    return f"{signing_input}.{base64url(key().sign(signing_input.encode())[:-1])}"


def plus_modulus() -> str:
    """Return the signature's number plus n: the same residue, where it still fits."""
    signing_input = message(key().header())
    number = int.from_bytes(key().sign(signing_input.encode()), "big") + key().numbers.n
    octets = max(256, (number.bit_length() + 7) // 8)
    return f"{signing_input}.{base64url(number.to_bytes(octets, 'big'))}"


def bit_flipped(position: int) -> Callable[[], str]:
    def make() -> str:
        signing_input = message(key().header())
        signature = bytearray(key().sign(signing_input.encode()))
        signature[position] ^= 1
        return f"{signing_input}.{base64url(bytes(signature))}"

    return make


def of_another_token() -> str:
    """Carry the genuine signature of other claims."""
    other = key().token(id_payload(email="another.user@austintexas.gov"))
    return f"{message(key().header())}.{other.rpartition('.')[2]}"


SHA256 = hashes.SHA256()
CRITICAL: tuple[Any, ...] = (["exp"], ["b64"], ["alg"], [], "exp", {}, ["x", "x"], False)
ATTACKS = (
    *(
        Attack(f"alg-{spelling or 'empty'}-without-signature", unsigned(spelling), MALFORMED, RFC_7515_10_11)
        for spelling in ("none", "None", "NONE", "nOnE", "none ", "\u0000none", "")
    ),
    Attack("alg-none-with-a-signature", unsigned("none", b"x" * 256), MALFORMED, RFC_7515_10_11),
    Attack("alg-RS256-without-signature", unsigned("RS256"), BAD_SIGNATURE, "CVE-2020-28042"),
    Attack("alg-absent", header(alg=None), MALFORMED, f"{RFC_7515_4_1}.1 (alg must be present)"),
    *(
        Attack(f"alg-{json.dumps(value)}", unsigned(value, b"x" * 256), MALFORMED, f"{RFC_7515_4_1}.1")
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
    ),
    Attack(
        "hmac-with-SECRET_KEY",
        hmac_with(lambda: bytes(settings.SECRET_KEY, "ascii")),
        MALFORMED,
        "simplejwt's default: HS256 with SECRET_KEY",
    ),
    Attack("hmac-with-empty-secret", hmac_with(lambda: b""), MALFORMED, RFC_8725_2_1),
    Attack("hmac-with-public-key-pem", hmac_with(pem), MALFORMED, CONFUSION),
    Attack("hmac-with-public-key-pem-stripped", hmac_with(lambda: pem().strip()), MALFORMED, CONFUSION),
    Attack("hmac-with-public-key-der", hmac_with(der), MALFORMED, CONFUSION),
    Attack("hmac-with-public-key-openssh", hmac_with(openssh), MALFORMED, "CVE-2024-33663"),
    Attack("hmac-with-modulus", hmac_with(modulus), MALFORMED, CONFUSION),
    Attack(
        "hmac-with-modulus-in-base64url",
        hmac_with(lambda: base64url(modulus()).encode()),
        MALFORMED,
        CONFUSION,
    ),
    Attack("hmac-with-jwk", hmac_with(lambda: compact(key().jwk())), MALFORMED, CONFUSION),
    Attack("hmac-384-with-public-key", hmac_with(pem, "HS384"), MALFORMED, CONFUSION),
    Attack("hmac-512-with-public-key", hmac_with(pem, "HS512"), MALFORMED, CONFUSION),
    Attack(
        "hmac-signature-under-RS256",
        lambda: with_signature(key().header(), hashlib.sha256(pem()).digest()),
        BAD_SIGNATURE,
        RFC_8725_3_1,
    ),
    Attack("rs384", rsa(padding.PKCS1v15(), hashes.SHA384(), "RS384"), MALFORMED, RFC_8725_3_1),
    Attack("rs512", rsa(padding.PKCS1v15(), hashes.SHA512(), "RS512"), MALFORMED, RFC_8725_3_1),
    Attack("rs512-said-to-be-RS256", rsa(padding.PKCS1v15(), hashes.SHA512()), BAD_SIGNATURE, RFC_8725_3_1),
    Attack(
        "rs1-said-to-be-RS256",
        rsa(padding.PKCS1v15(), hashes.SHA1()),  # noqa: S303 (the attack)
        BAD_SIGNATURE,
        "Wycheproof, RSA PKCS #1 v1.5: wrong hash",
    ),
    Attack("ps256", rsa(padding.PSS(padding.MGF1(SHA256), 32), SHA256, "PS256"), MALFORMED, RFC_8725_3_1),
    Attack(
        "ps256-said-to-be-RS256",
        rsa(padding.PSS(padding.MGF1(SHA256), 32), SHA256),
        BAD_SIGNATURE,
        RFC_8725_3_1,
    ),
    Attack("es256", elliptic, MALFORMED, RFC_8725_3_1),
    Attack("es256-said-to-be-RS256", lambda: elliptic("RS256"), BAD_SIGNATURE, RFC_8725_3_1),
    Attack(
        "es256-psychic-signature",
        lambda: with_signature(key().header(alg="ES256"), b"\x00" * 64),
        MALFORMED,
        "CVE-2022-21449",
    ),
    Attack("eddsa", edwards, MALFORMED, RFC_8725_3_1),
    Attack("jwe-algorithm", unsigned("RSA-OAEP", b"x" * 256), MALFORMED, "CVE-2023-51774: JWE taken for JWS"),
    Attack(
        "zero-signature", number_as_signature(lambda: 0), BAD_SIGNATURE, "Wycheproof, RSA: special signatures"
    ),
    Attack(
        "one-as-signature",
        number_as_signature(lambda: 1),
        BAD_SIGNATURE,
        "Wycheproof, RSA: special signatures",
    ),
    Attack(
        "modulus-as-signature",
        number_as_signature(lambda: key().numbers.n),
        BAD_SIGNATURE,
        "Wycheproof, RSA: special signatures",
    ),
    Attack(
        "modulus-less-one-as-signature",
        number_as_signature(lambda: key().numbers.n - 1),
        BAD_SIGNATURE,
        "Wycheproof, RSA: special signatures",
    ),
    Attack(
        "signature-without-digest-info",
        textbook(b""),
        BAD_SIGNATURE,
        "RFC 8017, 9.2; Wycheproof: MissingDigestInfo",
    ),
    Attack(
        "signature-without-null-parameter",
        textbook(bytes.fromhex("302f300b0609608648016503040201" + "0420")),
        BAD_SIGNATURE,
        "RFC 8017, 9.2; Wycheproof: MissingNull",
    ),
    Attack(
        "signature-with-a-leading-zero",
        lengthened_with_zero,
        BAD_SIGNATURE,
        "Wycheproof, RSA: signature too long",
    ),
    Attack(
        "signature-plus-modulus", plus_modulus, BAD_SIGNATURE, "RFC 8017, 5.2.2: representative out of range"
    ),
    Attack("signature-too-short", shortened, BAD_SIGNATURE, "Wycheproof, RSA: signature too short"),
    Attack("signature-first-bit", bit_flipped(0), BAD_SIGNATURE, "RFC 7515, 5.2 step 8"),
    Attack("signature-last-bit", bit_flipped(-1), BAD_SIGNATURE, "RFC 7515, 5.2 step 8"),
    Attack("signature-of-another-token", of_another_token, BAD_SIGNATURE, "RFC 7515, 5.2 step 8"),
    Attack("signed-by-a-stranger-under-our-kid", signed_by("attacker"), BAD_SIGNATURE, RFC_8725_2_1),
    Attack(
        "signed-by-our-other-key-under-this-kid",
        signed_by("pool-key-2"),
        BAD_SIGNATURE,
        "RFC 7515, 6: the key that kid names, and no other",
    ),
    Attack(
        "signed-by-a-stranger-without-kid",
        signed_by("attacker", kid=None),
        MALFORMED,
        "Amazon, Verifying JSON web tokens: kid",
    ),
    Attack("kid-absent", header(kid=None), MALFORMED, "Amazon, Verifying JSON web tokens: kid"),
    *(
        Attack(
            f"kid-{json.dumps(value)[:12]}",
            header(kid=value),
            MALFORMED,
            f"{RFC_7515_4_1}.4 (kid is a string)",
        )
        for value in (1, True, ["pool-key-1"], {"kid": "pool-key-1"}, 1.5)
    ),
    *(
        Attack(
            f"kid-{name}",
            header(kid=value),
            UNKNOWN_KEY,
            "RFC 8725, 3.10: do not trust received claims (kid)",
        )
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
    ),
    Attack("jwk-embedded", embedded("jwk", lambda: key("attacker").jwk()), BAD_SIGNATURE, "CVE-2018-0114"),
    Attack(
        "jwk-embedded-under-its-own-kid",
        lambda: key("attacker").token(id_payload(), key("attacker").header(jwk=key("attacker").jwk())),
        UNKNOWN_KEY,
        "CVE-2018-0114",
    ),
    Attack(
        "jku",
        embedded("jku", lambda: "https://attacker.example/jwks.json"),
        BAD_SIGNATURE,
        "RFC 8725, 3.10: jku and server-side request forgery",
    ),
    Attack(
        "jku-at-the-real-place",
        embedded("jku", lambda: settings.COGNITO_JWKS_URL),
        BAD_SIGNATURE,
        "RFC 8725, 3.10",
    ),
    Attack(
        "x5u", embedded("x5u", lambda: "https://attacker.example/chain.pem"), BAD_SIGNATURE, "RFC 8725, 3.10"
    ),
    Attack(
        "x5c", embedded("x5c", lambda: [base64.b64encode(der()).decode()]), BAD_SIGNATURE, f"{RFC_7515_4_1}.6"
    ),
    Attack(
        "genuine-although-jwk-is-there",
        header(jwk={"kty": "oct", "k": "AA"}),
        ACCEPTED,
        f"{RFC_7515_4_1}.3 (ignored, not fetched)",
    ),
    Attack(
        "genuine-although-jku-is-there",
        header(jku="http://127.0.0.1:1/"),
        ACCEPTED,
        f"{RFC_7515_4_1}.2 (ignored, not fetched)",
    ),
    *(
        Attack(f"crit-{json.dumps(value)}", header(crit=value), MALFORMED, f"{RFC_7515_4_1}.11 (crit)")
        for value in CRITICAL
    ),
    Attack(
        "crit-null",
        lambda: key().token(id_payload(), b'{"kid":"pool-key-1","alg":"RS256","crit":null}'),
        MALFORMED,
        f"{RFC_7515_4_1}.11 (crit)",
    ),
    Attack("crit-and-unencoded-payload", header(crit=["b64"], b64=False), MALFORMED, "RFC 7797, 6"),
)
