"""
The personas of the laptop and of the tests: one for each kind of caller.

`make run` creates a real account and claims item for each. `tests/test_access.py` calls every route as
each of them.
"""

from dataclasses import dataclass

from apps.claims.hasura import ADMIN, EDITOR, VIEWER

# All personas share it, and every start prints it. It opens only data on this machine.
PASSWORD = "Mobility-for-2026"  # noqa: S105 (see above)


@dataclass(frozen=True)
class Persona:
    """
    An invented person who calls the API.

    `database_id` is the id of the row in moped_users of a new database, or 0 without a row. A persona
    with single sign-on has two accounts, like the City's employees: a native account, whose UUID is in
    the claims, and a single sign-on account.
    """

    key: str
    email: str
    summary: str
    database_id: int
    roles: tuple[str, ...] = ()
    email_verified: bool = True
    is_sso: bool = False
    has_claims: bool = True


PERSONAS = (
    Persona("admin", "ada.admin@austintexas.gov", "may do everything", 1, (ADMIN,)),
    Persona("editor", "eddie.editor@austintexas.gov", "may put files", 2, (EDITOR,)),
    Persona("viewer", "vera.viewer@austintexas.gov", "may look", 3, (VIEWER,)),
    Persona(
        "sso_editor",
        "sam.single@austintexas.gov",
        "an editor with single sign-on; the address is not verified",
        4,
        (EDITOR,),
        email_verified=False,
        is_sso=True,
    ),
    Persona("external_viewer", "xenia.external@gmail.com", "a viewer who is not City staff", 5, (VIEWER,)),
    Persona(
        "unverified",
        "ugo.unverified@austintexas.gov",
        "an editor whose address is not verified",
        6,
        (EDITOR,),
        email_verified=False,
    ),
    Persona("no_roles", "nora.noroles@austintexas.gov", "City staff without a role", 7),
    Persona(
        "outsider",
        "otto.outsider@gmail.com",
        "has an account but no claims: the trigger denies the sign-in",
        0,
        has_claims=False,
    ),
)

BY_KEY = {persona.key: persona for persona in PERSONAS}
