"""Creates the account, row and claims item of each persona. Complete personas do not change."""

from collections.abc import Iterable

from apps.claims import items as claims_items
from apps.claims.identity import is_city_address
from apps.devstack.personas import PASSWORD, Persona
from apps.users.adapters import cognito
from apps.users.models import MopedUser

# The status of an account with a permanent password. Before, it is FORCE_CHANGE_PASSWORD.
COMPLETE = "CONFIRMED"


def ensure(personas: Iterable[Persona], *, with_rows: bool = True) -> None:
    """
    Create missing personas, and complete those that lack a part.

    :param with_rows: False for tests without a database
    """
    for persona in personas:
        account = cognito.get_or_none(persona.email)
        is_stored = not with_rows or MopedUser.objects.filter(email=persona.email).exists()
        has_row = is_stored or not persona.has_claims
        if account and account.status == COMPLETE and has_row:
            continue
        username = account.username if account else _create_account(persona)
        if persona.has_claims:
            row = _row(persona, username, is_stored=with_rows)
            claims_items.put(email=persona.email, claims=row.claims)
        # This step sets the status COMPLETE, so it is the last. The next start repairs an interrupted one.
        cognito.set_password(username, PASSWORD)


def lost_addresses() -> list[str]:
    """Return the addresses of users who may sign in according to their row but have no account."""
    usernames = {account.username for account in cognito.iter_accounts()}
    people = [person for person in MopedUser.objects.order_by("email") if person.may_sign_in]
    return [person.address for person in people if str(person.cognito_user_id) not in usernames]


def _create_account(persona: Persona) -> str:
    account = cognito.create(email=persona.email, password=PASSWORD, mark="")
    if not persona.email_verified and not persona.is_sso:  # the native account of an SSO persona is verified
        cognito.set_email(account.username, persona.email, is_verified=False)
    return account.username


def _row(persona: Persona, username: str, *, is_stored: bool) -> MopedUser:
    first_name, last_name = persona.email.partition("@")[0].title().split(".")
    columns = {
        "first_name": first_name,
        "last_name": last_name,
        "title": "Persona",
        "workgroup_id": 1,
        "cognito_user_id": username,
        "roles": list(persona.roles),
        "is_coa_staff": is_city_address(persona.email),
        "is_deleted": False,
    }
    if not is_stored:
        return MopedUser(user_id=persona.database_id, email=persona.email, **columns)
    return MopedUser.objects.update_or_create(email=persona.email, defaults=columns)[0]
