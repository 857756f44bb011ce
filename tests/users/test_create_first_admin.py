"""The first admin of a new stage, created by an operator."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.claims.hasura import ADMIN, EDITOR, VIEWER
from apps.users.adapters import cognito
from apps.users.models import Event, MopedUser, MopedWorkgroup
from tests.users.stores import PASSWORD, Stores

pytestmark = [pytest.mark.emulator, pytest.mark.django_db]


def create(*arguments: str) -> str:
    out = StringIO()
    call_command("create_first_admin", *arguments, stdout=out)
    return out.getvalue()


class TestCreateFirstAdmin:
    def test_creates_an_admin_who_can_sign_in(self, stores: Stores, email: str) -> None:
        assert create(email, "Mary", "Ann", "Doe") == f"created {email} as {ADMIN}\n"

        user = MopedUser.objects.get(email=email)
        assert (user.first_name, user.last_name) == ("Mary Ann", "Doe")
        cognito.set_password(str(user.cognito_user_id), PASSWORD)
        assert stores.roles_at_sign_in(email, PASSWORD) == [ADMIN]
        assert Event.objects.get(user=user).actor_email == ""

    def test_creates_the_smoke_account_once(self, stores: Stores, email: str) -> None:
        smoke = f"smoke.{email}"
        cognito.create(email=smoke, password=PASSWORD, mark="")

        create("--smoke", smoke, email, "Jane", "Doe")
        again = create("--smoke", smoke, email, "Jane", "Doe")

        assert MopedUser.objects.get(email=smoke).login_roles == (VIEWER,)
        assert again == f"{smoke} is {VIEWER} already\n{email} is {ADMIN} already\n"

    @pytest.mark.parametrize("has_account", [True, False])
    def test_is_refused_while_there_is_an_admin_in_the_pool(
        self, stores: Stores, email: str, *, has_account: bool
    ) -> None:
        admin = stores.admit(f"admin.{email}", [ADMIN])
        if has_account:
            with pytest.raises(CommandError, match=f"There is an admin already .{admin.email}."):
                create(email, "Jane", "Doe")
        else:
            cognito.delete(str(admin.cognito_user_id))
            assert "created" in create(email, "Jane", "Doe")

    def test_does_not_promote_a_user(self, stores: Stores, email: str) -> None:
        editor = stores.admit(email, [EDITOR])

        with pytest.raises(CommandError, match=rf"{email} could not be created"):
            create(email, "Jane", "Doe")
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
    @pytest.mark.usefixtures("stores")
    def test_says_what_is_wrong(self, arguments: tuple[str, ...], reason: str) -> None:
        with pytest.raises(CommandError, match=reason):
            create(*arguments)

    @pytest.mark.usefixtures("stores")
    def test_needs_a_workgroup(self, email: str) -> None:
        MopedUser.objects.all().delete()
        MopedWorkgroup.objects.update(is_deleted=True)

        with pytest.raises(CommandError, match="no workgroup"):
            create(email, "Jane", "Doe")
