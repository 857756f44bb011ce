"""Create the first admin of a new stage, because in the API only an admin can create users."""

import secrets
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.core.management.base import CommandParser

from apps.claims.hasura import ADMIN, VIEWER
from apps.claims.identity import normalize
from apps.core.errors import MopedError
from apps.users import services
from apps.users.adapters import cognito
from apps.users.models import MopedUser, MopedWorkgroup
from apps.users.serializers import NewUserSerializer


class Command(BaseCommand):
    help = "Create the first admin, with a random password. Refused while there is another admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("name", nargs="+", help="first names, then one last name")
        parser.add_argument(
            "--smoke", default="", help="the account that tests deployments: it becomes a viewer"
        )

    def handle(self, *, email: str, name: list[str], smoke: str, **_options: Any) -> None:
        address = normalize(email)
        if admins := _admins() - {address}:
            raise CommandError(
                f"There is an admin already ({min(admins)}). Admins create users in the editor."
            )
        if len(name) < 2:  # noqa: PLR2004 (a first and a last name)
            raise CommandError("Name the person in full, for example: Jane Doe")
        try:
            if smoke:
                self._create(normalize(smoke), "Deployment", "Test", VIEWER)
            self._create(address, " ".join(name[:-1]), name[-1], ADMIN)
        except MopedError as error:
            raise CommandError(f"{address} could not be created: {error}") from error

    def _create(self, email: str, first_name: str, last_name: str, role: str) -> None:
        """Create a user, unless an active one has this role."""
        user = MopedUser.objects.filter(email=email).first()
        if user and user.may_sign_in and role in user.login_roles:
            self.stdout.write(f"{email} is {role} already")
            return
        new_user = NewUserSerializer(
            data={
                "email": email,
                "password": f"{secrets.token_urlsafe(18)}aA1!",  # the suffix satisfies the pool's policy
                "first_name": first_name,
                "last_name": last_name,
                "title": "Created at set-up",
                "workgroup_id": _first_workgroup(),
                "roles": [role],
            }
        )
        if not new_user.is_valid():
            problems = [f"{field}: {' '.join(messages)}" for field, messages in new_user.errors.items()]
            raise CommandError(f"{email} cannot be created: {'; '.join(problems)}")
        services.create_user(actor=None, **new_user.validated_data)
        self.stdout.write(f"created {email} as {role}")


def _admins() -> set[str]:
    """Return the addresses of active admins who have an account in this pool."""
    active = MopedUser.objects.filter(
        is_deleted=False, cognito_user_id__isnull=False, roles__contains=[ADMIN]
    )
    return {user.address for user in active if cognito.get_or_none(str(user.cognito_user_id))}


def _first_workgroup() -> int:
    workgroup = MopedWorkgroup.objects.filter(is_deleted=False).order_by("pk").first()
    if workgroup is None:
        raise CommandError("The database has no workgroup. Add one to moped_workgroup first.")
    return workgroup.pk
