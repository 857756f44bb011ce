"""The first admin of a new stage, created by an operator."""

from __future__ import annotations

import uuid
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from apps.claims.hasura import ADMIN, EDITOR, VIEWER
from apps.users.adapters import cognito
from apps.users.models import Event, MopedUser, MopedWorkgroup
from tests.users.stores import PASSWORD

if TYPE_CHECKING:
    from tests.users.stores import Stores

pytestmark = [pytest.mark.emulator, pytest.mark.django_db]


def create(*arguments: str) -> str:
    out = StringIO()
    call_command("create_first_admin", *arguments, stdout=out)
    return out.getvalue()


def address() -> str:
    return f"person.{uuid.uuid4().hex[:12]}@austintexas.gov"


class TestCreateFirstAdmin:
    def test_creates_an_admin_who_can_sign_in(self, stores: Stores) -> None:
        email = address()

        assert create(email, "Mary", "Ann", "Doe") == f"created {email} as {ADMIN}\n"

        user = MopedUser.objects.get(email=email)
        assert (user.first_name, user.last_name) == ("Mary Ann", "Doe")
        cognito.set_password(str(user.cognito_user_id), PASSWORD)
        assert stores.roles_at_sign_in(email, PASSWORD) == [ADMIN]
        assert Event.objects.get(user=user).actor_email == ""

    def test_makes_the_test_account_of_deployments_a_viewer(self, stores: Stores) -> None:
        email, smoke = address(), address()
        cognito.create(email=smoke, password=PASSWORD, mark="")

        create("--smoke", smoke, email, "Jane", "Doe")

        assert MopedUser.objects.get(email=smoke).login_roles == (VIEWER,)

    def test_can_be_repeated(self, stores: Stores) -> None:
        email, smoke = address(), address()
        create("--smoke", smoke, email, "Jane", "Doe")

        again = create("--smoke", smoke, email, "Jane", "Doe")

        assert again == f"{smoke} is {VIEWER} already\n{email} is {ADMIN} already\n"

    def test_is_refused_while_there_is_another_admin(self, stores: Stores) -> None:
        admin = stores.admit(address(), [ADMIN])

        with pytest.raises(CommandError, match=f"There is an admin already .{admin.email}."):
            create(address(), "Jane", "Doe")

    def test_ignores_an_admin_without_an_account_in_this_pool(self, stores: Stores) -> None:
        admin = stores.admit(address(), [ADMIN])
        cognito.delete(str(admin.cognito_user_id))

        assert "created" in create(address(), "Jane", "Doe")

    def test_does_not_promote_a_user(self, stores: Stores) -> None:
        editor = stores.admit(address(), [EDITOR])

        with pytest.raises(CommandError, match=rf"{editor.email} could not be created"):
            create(editor.email, "Jane", "Doe")
        editor.refresh_from_db()
        assert editor.login_roles == (EDITOR,)

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (("jane.doe@austintexas.gov", "Jane"), "in full"),
            (("jane.doe@austintexas.gov", "Jane", "D<e"), "last_name"),
            (("no-address", "Jane", "Doe"), "email"),
        ],
    )
    def test_says_what_is_wrong(self, stores: Stores, arguments: tuple[str, ...], reason: str) -> None:
        with pytest.raises(CommandError, match=reason):
            create(*arguments)

    def test_needs_a_workgroup(self, stores: Stores) -> None:
        MopedUser.objects.all().delete()
        MopedWorkgroup.objects.update(is_deleted=True)

        with pytest.raises(CommandError, match="no workgroup"):
            create(address(), "Jane", "Doe")
