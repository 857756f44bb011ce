"""How a stage's pool finds a single sign-on account: it is read, never made."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from apps.claims.identity import normalize, sso_address
from apps.core.aws.errors import translate_errors
from apps.core.errors import NotFoundError

if TYPE_CHECKING:
    from apps.deployment.verification.target import Subject

# Observed if the pool has no single sign-on account.
NOT_CHECKED: Final = object()
FEDERATED = "EXTERNAL_PROVIDER"
EXPECTED: Final = {
    "named after its address": True,
    "listed by its address": True,
    "found by its name": True,
    "found by its address": False,
}


def observe(subject: Subject) -> object:
    """Return how the pool finds a single sign-on account; `NOT_CHECKED` if it has none."""
    account = _any_sso_account(subject)
    if account is None:
        return NOT_CHECKED
    username, email = account["Username"], _email(account)
    users = subject.of_pool("list_users", Filter=f'email = "{email}"', Limit=60)["Users"]
    return {
        "named after its address": sso_address(username) == normalize(email),
        "listed by its address": username in [user["Username"] for user in users],
        "found by its name": _name_found(subject, username) == username,
        "found by its address": _name_found(subject, email) == username,
    }


def _any_sso_account(subject: Subject) -> Any:
    prefix = f'username ^= "{settings.SSO_USERNAME_PREFIX}"'
    users = subject.of_pool("list_users", Filter=prefix, Limit=60)["Users"]
    return next((user for user in users if user["UserStatus"] == FEDERATED and _email(user)), None)


def _email(user: Any) -> str:
    return next((str(each["Value"]) for each in user["Attributes"] if each["Name"] == "email"), "")


def _name_found(subject: Subject, name: str) -> str:
    with suppress(NotFoundError), translate_errors(UserNotFoundException=NotFoundError):
        return str(subject.of_pool("admin_get_user", Username=name)["Username"])
    return ""
