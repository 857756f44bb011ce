"""The services with real stores: PostgreSQL and the emulator. Nothing of the product is replaced."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import OperationalError

from apps.claims import items as claims_items
from apps.claims.hasura import ADMIN, EDITOR, NO_LOGIN, VIEWER, HasuraClaims
from apps.core.aws import clients
from apps.users import selectors
from apps.users.adapters import cognito
from apps.users.changes import transactions
from apps.users.errors import (
    AddressTakenError,
    AlreadyActiveError,
    BusyError,
    InactiveError,
    LastAdminError,
    OwnAccountError,
    UserExistsError,
    UserNotFoundError,
    WeakPasswordError,
    WorkgroupUnknownError,
)
from apps.users.models import Event, MopedUser, PendingChange
from tests.users.fault_injection import Fault, observe_steps
from tests.users.stores import NEW_PASSWORD, PASSWORD, Person, profile, refusals_at_once

pytestmark = pytest.mark.emulator


@pytest.fixture(autouse=True)
def _no_leftovers(stores: object) -> Iterator[None]:
    """No test of this module leaves a pending change behind."""
    yield
    assert not PendingChange.objects.exists()


def delay_end(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
    """Let another request do something between a commit and the clean-up after it."""
    end = transactions.finish_or_roll_back

    def end_late(change: PendingChange) -> None:
        meanwhile()
        end(change)

    monkeypatch.setattr(transactions, "finish_or_roll_back", end_late)


class TestCreateUser:
    def test_refuses_an_address_that_is_taken(self, person: Person) -> None:
        assert person.create().is_coa_staff

        with pytest.raises(UserExistsError):
            person.create(password=NEW_PASSWORD, roles=[ADMIN])
        assert person.roles_at_sign_in() == [EDITOR]
        assert person.disagreements() == []

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"password": "too-weak-for-it"}, WeakPasswordError),
            ({"workgroup_id": 19}, WorkgroupUnknownError),  # merged into another
            ({"workgroup_id": 999}, WorkgroupUnknownError),
        ],
    )
    def test_leaves_nothing_after_a_refusal(
        self, person: Person, changes: dict[str, Any], error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            person.create(**changes)

        assert person.disagreements() == []
        assert person.stores.row(person.email) is None

    def test_adopts_a_stray_account_and_ends_its_sessions(self, person: Person) -> None:
        stray = person.create()
        refresh_token = person.stores.tokens(person.email)["RefreshToken"]
        claims_items.delete(person.email)
        person.change_row(cognito_user_id=None, is_deleted=True)

        user = person.create(NEW_PASSWORD, roles=[ADMIN])

        assert user.cognito_user_id == stray.cognito_user_id
        assert person.roles_at_sign_in(NEW_PASSWORD) == [ADMIN]
        assert person.roles_at_sign_in() is None
        assert not person.stores.refreshes(refresh_token)

    @pytest.mark.parametrize("former", [{"is_deleted": True}, {"roles": [NO_LOGIN]}], ids=str)
    def test_gives_an_account_to_a_user_without_one(self, person: Person, former: dict[str, Any]) -> None:
        first = MopedUser.objects.create(**profile(person.email, first_name="Ann", **former))

        again = person.create(first_name="Anna")

        assert (again.pk, again.first_name, again.is_deleted) == (first.pk, "Anna", False)
        assert person.roles_at_sign_in() == [EDITOR]
        assert person.disagreements() == []

    def test_counts_if_it_was_committed_and_the_answer_lost(
        self, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with observe_steps(monkeypatch, Fault("commit", 0, "gone after")):
            person.create()

        assert person.roles_at_sign_in() == [EDITOR]

    def test_gives_an_address_to_one_of_two_at_once(self, person: Person) -> None:
        refusals = refusals_at_once([person.create] * 2)

        assert ["email" in error.fields for error in refusals] == [True]  # taken, or being taken now
        assert person.disagreements() == []


class TestUpdateUser:
    @pytest.mark.parametrize("page", ["former account", "no account"])
    def test_refuses_an_inactive_user(self, person: Person, page: str) -> None:
        account = person.create().cognito_user_id
        person.deactivate()
        changes: dict[str, Any] = {"account": None}
        if page == "former account":  # a form with a new address names the user by this only
            changes = {"account": account, "email": f"new.{person.email}"}

        with pytest.raises(InactiveError):
            person.update(**changes)

    def test_rewrites_an_item_with_ids_beside_the_cipher_only(self, person: Person) -> None:
        """The City's hook issues the database id 0 for such an item."""
        claims = person.create().claims
        without_ids = HasuraClaims(
            user_id=claims.user_id, default_role=VIEWER, allowed_roles=claims.allowed_roles
        )
        cipher = claims_items.encode(person.email, without_ids).attributes["claims"]
        item = {**claims_items.encode(person.email, claims).attributes, "claims": cipher}
        clients.dynamodb().put_item(TableName=settings.CLAIMS_TABLE, Item=item)
        assert person.stores.claims(person.email) == claims

        person.update()

        assert claims_items.get(person.email).is_written_as(claims)

    def test_moves_everything_to_a_new_address(self, person: Person) -> None:
        person.create()
        person.stores.admit_sso(person.email)
        moved = person.named("new")

        person.update(email=moved.email)

        assert person.roles_at_sign_in() is None
        assert moved.roles_at_sign_in() == [EDITOR]
        assert person.disagreements() + moved.disagreements() == []
        assert person.stores.account(f"azuread_{person.email}") is None

    def test_leaves_the_old_address_to_its_new_owner(
        self, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another request may have the lock before the clean-up."""
        person.create()
        moved = person.named("new")
        delay_end(monkeypatch, lambda: person.admit(VIEWER))

        person.update(email=moved.email)

        assert person.disagreements() + moved.disagreements() == []

    @pytest.mark.parametrize(
        ("holder", "error"), [("user", UserExistsError), ("stray account", AddressTakenError)]
    )
    def test_refuses_an_address_that_is_taken(
        self, person: Person, holder: str, error: type[Exception]
    ) -> None:
        owner = person.named("taken")
        if holder == "user":
            owner.create()
        else:
            cognito.create(email=owner.email, password=PASSWORD, mark="")
        before = person.stores.account(owner.email)
        person.create()

        with pytest.raises(error):
            person.update(email=owner.email)

        assert person.disagreements() == []
        assert person.stores.account(owner.email) == before


class TestActivateUser:
    def test_replaces_an_account_that_was_lost(self, person: Person) -> None:
        """As reconcile_users advises: deactivate and activate."""
        person.create()
        cognito.delete(person.username)
        person.deactivate()

        person.activate(NEW_PASSWORD, VIEWER)

        assert person.roles_at_sign_in(NEW_PASSWORD) == [VIEWER]
        assert person.disagreements() == []

    def test_may_be_repeated_with_the_same_roles_only(self, person: Person) -> None:
        person.create()

        person.activate(NEW_PASSWORD)
        with pytest.raises(AlreadyActiveError):
            person.activate(role=ADMIN)

        assert person.roles_at_sign_in(NEW_PASSWORD) == [EDITOR]


class TestDeactivateUser:
    def test_revokes_access_and_ends_sessions(self, person: Person) -> None:
        person.create()
        person.stores.admit_sso(person.email)
        refresh_token = person.stores.tokens(person.email)["RefreshToken"]
        assert person.stores.refreshes(refresh_token)

        person.deactivate()

        assert (person.row.is_deleted, person.row.cognito_user_id) == (True, None)
        assert person.roles_at_sign_in() is None
        assert not person.stores.refreshes(refresh_token)
        assert person.stores.account(f"azuread_{person.email}") is None
        assert person.disagreements() == []

    def test_is_finished_though_another_attempt_gives_up(
        self, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        account = person.create().cognito_user_id

        def give_up() -> None:
            repetition = transactions.begin(
                PendingChange.DELETE, actor=person.admin, email=person.email, cognito_user_id=account
            )
            with pytest.raises(BusyError), transactions.carry_out(repetition):
                raise BusyError

        delay_end(monkeypatch, give_up)
        person.deactivate()

        assert person.stores.account(person.email) is None

    def test_leaves_the_account_to_a_user_activated_meanwhile(
        self, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another request may adopt the account before it is removed."""
        user = person.create()

        def activate() -> None:
            person.change_row(is_deleted=False, cognito_user_id=user.cognito_user_id)
            claims_items.put(email=person.email, claims=user.claims)

        delay_end(monkeypatch, activate)
        person.deactivate()

        assert person.disagreements() == []

    def test_may_be_repeated_until_the_user_is_activated(self, person: Person) -> None:
        account = person.create().cognito_user_id
        assert account
        person.deactivate()

        person.deactivate(account)
        assert selectors.get_user_detail(account).user.is_deleted

        person.activate()
        with pytest.raises(UserNotFoundError):
            person.deactivate(account)
        assert person.roles_at_sign_in() == [EDITOR]


class TestUnknownUser:
    @pytest.mark.parametrize(
        "change",
        [
            lambda person: person.update(account=uuid4()),
            lambda person: person.deactivate(uuid4()),
            lambda person: person.named("unknown").activate(),
        ],
        ids=["update", "deactivate", "activate"],
    )
    def test_is_refused(self, person: Person, change: Callable[[Person], object]) -> None:
        person.create()

        with pytest.raises(UserNotFoundError):
            change(person)


class TestAdmins:
    def test_cannot_remove_or_demote_themselves(self, person: Person) -> None:
        own = Person(person.stores, person.admin, person.admin.email)

        with pytest.raises(OwnAccountError):
            own.deactivate()
        with pytest.raises(OwnAccountError):
            own.update(roles=[EDITOR])
        with pytest.raises(OwnAccountError):
            own.update(roles=[ADMIN], email="ada@partner.example.com")
        assert own.roles_at_sign_in() == [ADMIN]

    def test_cannot_be_removed_or_demoted_as_the_last(self, person: Person) -> None:
        MopedUser.objects.update(roles=[VIEWER])
        # Only City staff can be admins, so a partner with the role does not count.
        Person(person.stores, person.admin, f"{person.email}.example.com").create(roles=[ADMIN])
        person.create(roles=[ADMIN])

        with pytest.raises(LastAdminError):
            person.deactivate()
        with pytest.raises(LastAdminError):
            person.update(roles=[EDITOR])
        assert person.roles_at_sign_in() == [ADMIN]

    def test_cannot_remove_each_other_at_once(self, person: Person) -> None:
        MopedUser.objects.update(roles=[VIEWER])
        pair = [person.named(name) for name in "ab"]
        for admin in pair:
            admin.create(roles=[ADMIN])

        refusals = refusals_at_once([partial(admin.update, roles=[EDITOR]) for admin in pair])

        assert len(refusals) == 1
        assert MopedUser.objects.filter(roles__contains=[ADMIN]).count() == 1


class TestHistory:
    def test_says_who_changed_what_and_no_password(self, person: Person) -> None:
        person.create()
        user = person.update(NEW_PASSWORD, roles=[VIEWER])
        person.update(roles=[VIEWER])  # changes nothing

        created, updated = Event.objects.filter(user=user).order_by("id")
        assert (created.operation, updated.operation) == ("create", "update")
        assert updated.changes == {
            "roles": {"from": [EDITOR], "to": [VIEWER]},
            "password": {"from": "(hidden)", "to": "(hidden)"},
        }
        assert updated.actor_email == person.admin.email
        assert not [text for text in (PASSWORD, NEW_PASSWORD) if text in repr(list(Event.objects.values()))]

    def test_records_a_password_that_may_have_been_set(
        self, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = person.create()
        monkeypatch.setattr(transactions.Attempt, "record", Mock(side_effect=OperationalError))

        with pytest.raises(OperationalError):
            person.update(NEW_PASSWORD)
        with pytest.raises(WeakPasswordError):  # the pool refused this one, so it was not set
            person.update("too-weak-for-it")

        operations = Event.objects.filter(user=user).order_by("id").values_list("operation", flat=True)
        assert list(operations) == ["create", "update_given_up"]

    def test_cannot_be_rewritten(self, person: Person) -> None:
        person.create()

        with pytest.raises(Exception, match="append-only"):
            Event.objects.update(actor_email="another user")
        with pytest.raises(Exception, match="append-only"):
            Event.objects.all().delete()
