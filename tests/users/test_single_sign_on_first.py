"""A person signed in through the City's single sign-on before an admin added them."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from django.core.management import call_command

from apps.claims.hasura import EDITOR
from apps.core.aws import clients
from apps.core.errors import MopedError
from apps.users import services
from apps.users.adapters import cognito
from apps.users.adapters.cognito import Account
from apps.users.errors import AddressHeldError, AddressTakenError
from apps.users.models import MopedUser, PendingChange
from tests.users.stores import PASSWORD, profile, roles_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apps.auth.callers import CognitoUser
    from tests.users.stores import Stores

pytestmark = pytest.mark.emulator


@pytest.fixture
def sso_account(stores: Stores, email: str) -> Account:
    """The account that the pool made for the single sign-on before the trigger denied the sign-in."""
    return sign_in_too_early(stores, email)


def sign_in_too_early(stores: Stores, email: str) -> Account:
    with suppress(MopedError):
        stores.admit_sso(email)
    account = stores.account(f"azuread_{email}")
    assert account
    return account


def create(admin: CognitoUser, email: str) -> MopedUser:
    return services.create_user(actor=admin, password=PASSWORD, **profile(email))


def rename(admin: CognitoUser, user: MopedUser, email: str) -> MopedUser:
    assert user.cognito_user_id
    return services.update_user(actor=admin, cognito_user_id=user.cognito_user_id, **profile(email))


class TestAccount:
    @pytest.mark.parametrize(
        ("username", "status"),
        [
            ("azuread_jane@austintexas.gov", "EXTERNAL_PROVIDER"),
            ("AzureAD_jane@austintexas.gov", "EXTERNAL_PROVIDER"),
            ("Google_1234", "EXTERNAL_PROVIDER"),
            ("11111111-1111-4111-8111-111111111111", "EXTERNAL_PROVIDER"),
            ("jane@austintexas.gov", "CONFIRMED"),
        ],
    )
    def test_is_native_only_with_a_uuid_and_a_password(self, username: str, status: str) -> None:
        account = Account(username, "", is_verified=True, is_enabled=True, status=status, mark="")

        assert not account.is_native


@pytest.mark.usefixtures("sso_account")
class TestSingleSignOnFirst:
    @pytest.mark.parametrize("change", ["create", "activate", "rename"])
    def test_does_not_block(
        self, stores: Stores, admin: CognitoUser, email: str, sso_account: Account, change: str
    ) -> None:
        if change == "create":
            create(admin, email)
        elif change == "rename":
            rename(admin, create(admin, f"before.{email}"), email)
        else:
            MopedUser.objects.create(**profile(email, is_deleted=True))
            services.activate_user(actor=admin, email=email, password=PASSWORD, roles=[EDITOR])

        assert stores.disagreements(email) == []
        assert stores.roles_at_sign_in(email) == [EDITOR]
        assert stores.account(sso_account.username) == sso_account
        assert roles_in(stores.admit_sso(email)) == [EDITOR]
        assert not PendingChange.objects.exists()

    def test_is_not_taken_for_the_account_of_a_failed_create(
        self, stores: Stores, admin: CognitoUser, email: str, sso_account: Account
    ) -> None:
        with pytest.raises(MopedError):
            services.create_user(actor=admin, password="too-weak-for-it", **profile(email))

        assert stores.row(email) is None
        assert stores.account(sso_account.username) == sso_account

    @pytest.mark.parametrize(
        ("is_inactive", "code"), [(False, "sso_account_unknown"), (True, "account_of_inactive")]
    )
    def test_is_a_notice_of_reconcile_users(
        self, stores: Stores, email: str, *, is_inactive: bool, code: str
    ) -> None:
        if is_inactive:  # a former user tries the sign-in again
            MopedUser.objects.create(**profile(email, is_deleted=True))

        (notice,) = findings(email)

        assert (notice["code"], notice["address"], notice["is_notice"]) == (code, email, True)
        assert notice["safe_to_repair"] == is_inactive

    def test_is_no_disagreement_once_the_person_is_there(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        create(admin, email)

        assert findings(email) == []


def findings(email: str) -> list[dict[str, Any]]:
    """Return the findings about an address; the command exits with 0."""
    out = StringIO()
    call_command("reconcile_users", "--json", "--only", email, stdout=out)
    found: list[dict[str, Any]] = json.loads(out.getvalue())["disagreements"]
    return found


@contextmanager
def pool_that_counts_federated_addresses(name: str) -> Iterator[None]:
    """
    Let the pool answer as AWS might: the single sign-on account holds its address.

    The emulator finds federated accounts by their names only, as AWS is reported to do.
    """

    def refuse(request: Any, **_event: Any) -> AWSResponse:
        class Raw:
            def stream(self, *_arguments: Any, **_options: Any) -> Iterator[bytes]:
                yield b'{"__type": "UsernameExistsException", "message": "User account already exists"}'

        headers = {"content-type": "application/x-amz-json-1.1"}
        return AWSResponse(request.url, 400, headers, Raw())  # type: ignore[arg-type]

    def resolve(params: dict[str, Any], **_event: Any) -> None:
        if f"azuread_{params['Username']}" == name:
            params["Username"] = name

    events: Any = clients.cognito().meta.events
    events.register_first("before-send.cognito-identity-provider.AdminCreateUser", refuse)
    events.register_first("provide-client-params.cognito-identity-provider.AdminGetUser", resolve)
    try:
        yield
    finally:
        events.unregister("before-send.cognito-identity-provider.AdminCreateUser", refuse)
        events.unregister("provide-client-params.cognito-identity-provider.AdminGetUser", resolve)


class TestPoolThatRefuses:
    def test_a_create_is_a_conflict_with_words(
        self, stores: Stores, admin: CognitoUser, email: str, sso_account: Account
    ) -> None:
        with (
            pool_that_counts_federated_addresses(sso_account.username),
            pytest.raises(AddressHeldError, match="single sign-on account"),
        ):
            create(admin, email)

        assert stores.row(email) is None
        assert stores.account(sso_account.username) == sso_account
        assert not PendingChange.objects.exists()

    def test_a_native_account_behind_it_still_holds_its_address(
        self, stores: Stores, admin: CognitoUser, email: str, sso_account: Account
    ) -> None:
        user = create(admin, f"before.{email}")
        cognito.create(email=email, password=PASSWORD, mark="")

        with (
            pool_that_counts_federated_addresses(sso_account.username),
            pytest.raises(AddressTakenError),
        ):
            rename(admin, user, email)
