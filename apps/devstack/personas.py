"""
The people of the laptop and of the tests, from personas.yaml: one for each way in which callers differ.

`make run` makes each a real account with a real claims item; the test matrix walks every route as
each of them.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml

# One for all, printed at every start: what it opens lies on this machine only.
PASSWORD = "Mobility-for-2026"  # noqa: S105 (see above)


@dataclass(frozen=True)
class Persona:
    """
    An invented person who calls the API. Their name is in their address.

    A persona of the single sign-on has two accounts, as the City's employees have: a native one,
    whose UUID stands in the claims, and the directory's.
    """

    key: str
    email: str
    summary: str
    database_id: int
    roles: tuple[str, ...] = ()
    email_verified: bool = True
    is_sso: bool = False
    has_claims: bool = True


PERSONAS = tuple(
    Persona(**values | {"roles": tuple(values.get("roles", ()))})
    for values in yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
)
BY_KEY = {persona.key: persona for persona in PERSONAS}
