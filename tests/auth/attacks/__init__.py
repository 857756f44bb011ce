"""
The catalogue of attacks: what was tried on others, as data.

Each case says what is sent, what the answer must be, and who teaches it. A source is an RFC's
section, a CVE, or a document that can be found by its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

ACCEPTED = "accepted"

MALFORMED = "token_malformed"
UNKNOWN_KEY = "key_unknown"
BAD_SIGNATURE = "signature_invalid"
EXPIRED = "token_expired"
TOO_EARLY = "token_not_yet_valid"
ISSUER = "issuer_wrong"
AUDIENCE = "audience_wrong"
USE = "use_wrong"
CLAIMS = "claims_invalid"
UNAVAILABLE = "keys_unavailable"


class Attack(NamedTuple):
    """One token, made when it is needed: times and keys are those of the moment."""

    name: str
    make: Callable[[], str]
    answer: str
    source: str


class KeySetAttack(NamedTuple):
    """One key-set document, and what a genuine token of `pool-key-1` is then answered."""

    name: str
    document: Callable[[], Any]
    answer: str
    source: str
