"""
The catalogue of attacks: what was tried on others, as data.

Each case says what is sent and what the answer must be. A comment names the source of the cases below it,
or of the case in its line: an RFC's section, a CVE, or a document that can be found by its name.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

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
    """A token or the document of a key set, made when needed: times and keys are those of the moment."""

    name: str
    make: Callable[[], Any]
    answer: str


def catalogue(makers: Mapping[str, Mapping[str, Callable[[], Any]]]) -> tuple[Attack, ...]:
    """Return the cases that are listed by the answer to them and by name."""
    return tuple(
        Attack(name, make, answer) for answer, by_name in makers.items() for name, make in by_name.items()
    )
