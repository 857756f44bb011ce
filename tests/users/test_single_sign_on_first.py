"""A person signed in through the City's single sign-on before an admin added them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from apps.core.aws import clients
from apps.core.errors import MopedError
from apps.users.adapters import cognito
from apps.users.adapters.cognito import Account
from apps.users.errors import AddressHeldError, AddressTakenError, WeakPasswordError
from apps.users.models import MopedUser, PendingChange
from tests.users.fault_injection import error_answer, registered
from tests.users.stores import PASSWORD, Person, Stores, profile, roles_in
from tests.users.test_reconcile_users import reconcile

pytestmark = pytest.mark.emulator


@pytest.fixture
def sso_account(stores: Stores, email: str) -> Account:
    """The account that the pool made for the single sign-on before the trigger denied the sign-in."""
    with suppress(MopedError):
        stores.admit_sso(email)
    account = stores.account(f"azuread_{email}")
    assert account
    return account


@contextmanager
def pool_that_counts_federated_addresses(name: str) -> Iterator[None]:
    """
    Let the pool answer as AWS might: the single sign-on account holds its address.

    The emulator finds federated accounts by their names only, as AWS is reported to do.
    """

    def refuse(request: Any, **_event: Any) -> AWSResponse:
        return error_answer(request.url, "UsernameExistsException")

    def resolve(params: dict[str, Any], **_event: Any) -> None:
        if f"azuread_{params['Username']}" == name:
            params["Username"] = name

    handlers: dict[str, Callable[..., Any]] = {
        "before-send.cognito-identity-provider.AdminCreateUser": refuse,
        "provide-client-params.cognito-identity-provider.AdminGetUser": resolve,
    }
    with registered(handlers, clients.cognito()):
        yield


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


class TestSingleSignOnFirst:
    @pytest.mark.parametrize("change", ["create", "activate", "rename"])
    def test_does_not_block(self, person: Person, sso_account: Account, change: str) -> None:
        before = person.named("before")
        if change == "create":
            person.create()
        elif change == "rename":
            before.create()
            before.update(email=person.email)
        else:
            MopedUser.objects.create(**profile(person.email, is_deleted=True))
            person.activate()

        assert person.disagreements() == []
        assert person.roles_at_sign_in() == ["moped-editor"]
        assert person.stores.account(sso_account.username) == sso_account
        assert roles_in(person.stores.admit_sso(person.email)) == ["moped-editor"]
        assert not PendingChange.objects.exists()
        assert reconcile("--only", person.email) == (0, [])

    def test_outlives_a_failed_create(self, person: Person, sso_account: Account) -> None:
        with pytest.raises(WeakPasswordError):
            person.create("too-weak-for-it")

        assert person.stores.row(person.email) is None
        assert person.stores.account(sso_account.username) == sso_account

    @pytest.mark.parametrize(
        ("is_inactive", "code"), [(False, "sso_account_unknown"), (True, "account_of_inactive")]
    )
    @pytest.mark.usefixtures("sso_account")
    def test_is_a_notice_of_reconcile_users(self, email: str, *, is_inactive: bool, code: str) -> None:
        if is_inactive:  # a former user tries the sign-in again
            MopedUser.objects.create(**profile(email, is_deleted=True))

        status, (notice,) = reconcile("--only", email)

        assert (status, notice["code"], notice["address"], notice["is_notice"]) == (0, code, email, True)
        assert notice["safe_to_repair"] == is_inactive


class TestPoolThatRefuses:
    def test_makes_a_create_a_conflict_with_words(self, person: Person, sso_account: Account) -> None:
        with (
            pool_that_counts_federated_addresses(sso_account.username),
            pytest.raises(AddressHeldError, match="single sign-on account"),
        ):
            person.create()

        assert person.stores.row(person.email) is None
        assert person.stores.account(sso_account.username) == sso_account
        assert not PendingChange.objects.exists()

    def test_hides_no_native_account_with_the_address(self, person: Person, sso_account: Account) -> None:
        before = person.named("before")
        before.create()
        cognito.create(email=person.email, password=PASSWORD, mark="")

        with (
            pool_that_counts_federated_addresses(sso_account.username),
            pytest.raises(AddressTakenError),
        ):
            before.update(email=person.email)
