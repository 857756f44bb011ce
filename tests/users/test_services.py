"""Every service with nothing of ours replaced: a real database beside them, an embedded AWS beneath."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from apps.auth import current_roles
from apps.claims import items as claims_items
from apps.claims import table as claims_table
from apps.claims.hasura import ADMIN, EDITOR, NO_LOGIN, VIEWER, HasuraClaims
from apps.core.aws import clients
from apps.core.errors import ConflictError
from apps.users import selectors, services
from apps.users.adapters import cognito
from apps.users.changes import attempts
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
from tests.users.stores import NEW_PASSWORD, PASSWORD, profile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from apps.auth.callers import CognitoUser
    from tests.users.stores import Stores

pytestmark = pytest.mark.emulator


def create(admin: CognitoUser, email: str, password: str = PASSWORD, **changes: Any) -> MopedUser:
    return services.create_user(actor=admin, password=password, **profile(email, **changes))


def update(admin: CognitoUser, user: MopedUser, password: str = "", **changes: Any) -> MopedUser:
    assert user.cognito_user_id
    return services.update_user(
        actor=admin,
        cognito_user_id=user.cognito_user_id,
        password=password,
        **profile(**({"email": user.email} | changes)),
    )


def deactivate(admin: CognitoUser, user: MopedUser) -> None:
    assert user.cognito_user_id
    services.deactivate_user(actor=admin, cognito_user_id=user.cognito_user_id)


def activate(admin: CognitoUser, email: str, password: str = PASSWORD, role: str = EDITOR) -> MopedUser:
    return services.activate_user(actor=admin, email=email, password=password, roles=[role])


def refusals_at_once(calls: Sequence[Callable[[], object]]) -> list[ConflictError]:
    """Make these calls at the same moment, each on a connection of its own; return the refusals."""
    barrier = Barrier(len(calls))

    def make(call: Callable[[], object]) -> ConflictError | None:
        barrier.wait()
        try:
            call()
        except ConflictError as error:
            return error
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(calls)) as pool:
        return [error for error in pool.map(make, calls) if error]


class TestCreateUser:
    def test_lets_the_person_sign_in_with_the_roles(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        user = create(admin, email, roles=[VIEWER])

        assert stores.roles_at_sign_in(email) == [VIEWER]
        assert stores.disagreements(email) == []
        assert user.is_coa_staff
        assert not PendingChange.objects.exists()

    def test_refuses_an_address_that_is_taken(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        create(admin, email)

        with pytest.raises(UserExistsError):
            create(admin, email, roles=[ADMIN])
        assert stores.roles_at_sign_in(email) == [EDITOR]

    def test_is_refused_as_a_repetition_after_the_commit(
        self, stores: Stores, admin: CognitoUser, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(current_roles, "invalidate", Mock(side_effect=KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):  # the process ends before it can answer
                create(admin, email)

        with pytest.raises(UserExistsError):
            create(admin, email, password=NEW_PASSWORD)

        assert stores.roles_at_sign_in(email) == [EDITOR]
        assert not PendingChange.objects.exists()

    def test_leaves_nothing_after_the_pool_refused_the_password(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        with pytest.raises(WeakPasswordError):
            create(admin, email, password="too-weak-for-it")

        assert stores.disagreements(email) == []
        assert stores.row(email) is None
        assert not PendingChange.objects.exists()

    def test_refuses_a_workgroup_that_is_not_there(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        for workgroup in (19, 999):  # merged into another; never heard of
            with pytest.raises(WorkgroupUnknownError):
                create(admin, email, workgroup_id=workgroup)
        assert stores.row(email) is None

    def test_adopts_a_stray_account_and_sets_its_password(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        stray = cognito.create(email=email, password=NEW_PASSWORD, mark="")

        user = create(admin, email)

        assert str(user.cognito_user_id) == stray.username
        assert stores.roles_at_sign_in(email) == [EDITOR]
        assert stores.roles_at_sign_in(email, NEW_PASSWORD) is None

    def test_gives_the_claims_to_no_session_that_a_stray_account_had(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        stray = create(admin, email)
        refresh_token = stores.tokens(email)["RefreshToken"]
        claims_table.delete(email)
        MopedUser.objects.filter(pk=stray.pk).update(cognito_user_id=None, is_deleted=True)

        user = create(admin, email, roles=[ADMIN])

        assert user.cognito_user_id == stray.cognito_user_id
        assert stores.roles_at_sign_in(email) == [ADMIN]
        assert not stores.refreshes(refresh_token)

    def test_makes_a_deactivated_person_whole(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        first = create(admin, email, roles=[ADMIN], first_name="Ann")
        deactivate(admin, first)

        again = create(admin, email, roles=[VIEWER], first_name="Anna")

        assert (again.pk, again.first_name, again.is_deleted) == (first.pk, "Anna", False)
        assert stores.roles_at_sign_in(email) == [VIEWER]
        assert stores.disagreements(email) == []

    def test_gives_an_account_to_a_user_without_a_sign_in(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        MopedUser.objects.create(**profile(email, roles=[NO_LOGIN]))

        create(admin, email)

        assert stores.roles_at_sign_in(email) == [EDITOR]

    def test_lets_only_one_of_two_at_once_have_the_address(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        refusals = refusals_at_once([lambda: create(admin, email)] * 2)

        assert ["email" in error.fields for error in refusals] == [True]  # taken, or being taken now
        assert stores.disagreements(email) == []
        assert not PendingChange.objects.exists()


class TestUpdateUser:
    """A save of the editor's form."""

    @pytest.mark.parametrize("page", ["former account", "no account"])
    def test_names_an_inactive_person(
        self, stores: Stores, admin: CognitoUser, email: str, page: str
    ) -> None:
        account_id = create(admin, email).cognito_user_id
        assert account_id
        services.deactivate_user(actor=admin, cognito_user_id=account_id)
        # A form that moves the address too is known by the former account only.
        address = f"new.{email}" if page == "former account" else email

        with pytest.raises(InactiveError):
            services.update_user(
                actor=admin,
                cognito_user_id=account_id if page == "former account" else None,
                **profile(address),
            )

    def test_does_not_know_an_account_that_never_existed(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        create(admin, email)
        with pytest.raises(UserNotFoundError):
            services.update_user(actor=admin, cognito_user_id=uuid4(), **profile(email))

    def test_changes_profile_and_roles(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        user = update(admin, create(admin, email), roles=[VIEWER], last_name="Smith", workgroup_id=7)

        assert (user.last_name, user.workgroup_id) == ("Smith", 7)
        assert stores.roles_at_sign_in(email) == [VIEWER]
        assert stores.disagreements(email) == []

    def test_rewrites_an_item_whose_ids_stand_beside_the_cipher_only(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        """The City's hook issues the database id 0 for such an item."""
        user = create(admin, email)
        without_ids = HasuraClaims(
            user_id=user.claims.user_id, default_role=VIEWER, allowed_roles=user.claims.allowed_roles
        )
        cipher = claims_items.encode(email, without_ids)["claims"]
        item = {**claims_items.encode(email, user.claims), "claims": cipher}
        clients.dynamodb().put_item(TableName=settings.CLAIMS_TABLE, Item=item)
        assert stores.claims(email) == user.claims

        update(admin, user)

        rewritten = claims_items.fetch(email)
        assert rewritten
        assert claims_items.is_written_as(rewritten, user.claims)

    def test_replaces_the_password(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        update(admin, create(admin, email), NEW_PASSWORD)

        assert stores.roles_at_sign_in(email) is None
        assert stores.roles_at_sign_in(email, NEW_PASSWORD) == [EDITOR]

    def test_moves_everything_to_a_new_address(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        user = create(admin, email)
        stores.admit_sso(email)

        update(admin, user, email=f"new.{email}")

        assert stores.roles_at_sign_in(email) is None
        assert stores.roles_at_sign_in(f"new.{email}") == [EDITOR]
        assert stores.disagreements(email, f"new.{email}") == []
        assert stores.account(f"azuread_{email}") is None

    def test_leaves_the_old_address_to_its_new_owner(
        self, stores: Stores, admin: CognitoUser, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who waited for the lock has it before we come back to clean up."""
        user, end = create(admin, email), attempts.end

        def end_late(change: PendingChange) -> None:
            stores.admit(email, [VIEWER])
            end(change)

        monkeypatch.setattr(attempts, "end", end_late)
        update(admin, user, email=f"new.{email}")

        assert stores.disagreements(email, f"new.{email}") == []

    def test_refuses_an_address_of_another_person(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        create(admin, f"taken.{email}")

        with pytest.raises(UserExistsError):
            update(admin, create(admin, email), email=f"taken.{email}")
        assert stores.disagreements(email, f"taken.{email}") == []

    def test_refuses_an_address_of_another_account(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        stray = cognito.create(email=f"stray.{email}", password=PASSWORD, mark="")

        with pytest.raises(AddressTakenError):
            update(admin, create(admin, email), email=f"stray.{email}")
        assert stores.disagreements(email) == []
        assert stores.account(f"stray.{email}") == stray

    def test_refuses_to_edit_inactive_users(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        user = create(admin, email)
        MopedUser.objects.filter(pk=user.pk).update(is_deleted=True)

        with pytest.raises(InactiveError):
            update(admin, user)


class TestActivateUser:
    def test_lets_a_deactivated_person_in_again(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        user = create(admin, email)
        deactivate(admin, user)

        activate(admin, email, NEW_PASSWORD, VIEWER)

        assert stores.roles_at_sign_in(email, NEW_PASSWORD) == [VIEWER]
        assert stores.disagreements(email) == []

    def test_completes_the_deactivation_of_a_lost_account(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        """This is what reconcile_users advises."""
        user = create(admin, email)
        cognito.delete(str(user.cognito_user_id))

        deactivate(admin, user)
        activate(admin, email)

        assert stores.disagreements(email) == []

    def test_may_be_repeated(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        create(admin, email)

        activate(admin, email, NEW_PASSWORD)

        assert stores.roles_at_sign_in(email, NEW_PASSWORD) == [EDITOR]

    def test_does_not_edit_an_active_user(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        create(admin, email)

        with pytest.raises(AlreadyActiveError):
            activate(admin, email, role=ADMIN)

    def test_knows_no_user_by_another_address(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        with pytest.raises(UserNotFoundError):
            activate(admin, email)


class TestDeactivateUser:
    def test_cuts_the_person_off(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        user = create(admin, email)
        stores.admit_sso(email)

        deactivate(admin, user)

        row = stores.row(email)
        assert row
        assert (row.is_deleted, row.cognito_user_id) == (True, None)
        assert stores.roles_at_sign_in(email) is None
        assert stores.account(f"azuread_{email}") is None
        assert stores.disagreements(email) == []

    def test_ends_the_sessions(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        user = create(admin, email)
        refresh_token = stores.tokens(email)["RefreshToken"]
        assert stores.refreshes(refresh_token)

        deactivate(admin, user)

        assert not stores.refreshes(refresh_token)

    def test_is_finished_though_another_attempt_gives_up_meanwhile(
        self, stores: Stores, admin: CognitoUser, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user, end = create(admin, email), attempts.end
        deletion: Any = {"actor": admin, "email": email, "cognito_user_id": user.cognito_user_id}

        def end_late(change: PendingChange) -> None:
            repetition = attempts.begin(PendingChange.DELETE, **deletion)
            with pytest.raises(BusyError), attempts.carry_out(repetition):
                raise BusyError
            end(change)

        monkeypatch.setattr(attempts, "end", end_late)
        deactivate(admin, user)

        assert stores.account(email) is None
        assert not PendingChange.objects.exists()

    def test_leaves_the_account_to_a_user_activated_meanwhile(
        self, stores: Stores, admin: CognitoUser, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who waited for the lock has adopted the account before we come back to remove it."""
        user, end = create(admin, email), attempts.end

        def end_late(change: PendingChange) -> None:
            MopedUser.objects.filter(pk=user.pk).update(
                is_deleted=False, cognito_user_id=user.cognito_user_id
            )
            claims_table.put(email=email, claims=user.claims)
            end(change)

        monkeypatch.setattr(attempts, "end", end_late)
        deactivate(admin, user)

        assert stores.disagreements(email) == []
        assert not PendingChange.objects.exists()

    def test_refuses_an_account_that_never_existed(self, stores: Stores, admin: CognitoUser) -> None:
        with pytest.raises(UserNotFoundError):
            services.deactivate_user(actor=admin, cognito_user_id=uuid4())

    def test_may_be_repeated(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        user = create(admin, email)
        deactivate(admin, user)
        deactivate(admin, user)

        assert user.cognito_user_id
        assert selectors.get_user_detail(user.cognito_user_id).user.is_deleted

    def test_spares_a_user_activated_since(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        user = create(admin, email)
        deactivate(admin, user)
        activate(admin, email)

        with pytest.raises(UserNotFoundError):
            deactivate(admin, user)
        assert stores.roles_at_sign_in(email) == [EDITOR]


class TestAdmins:
    def test_cannot_remove_or_demote_themselves(self, stores: Stores, admin: CognitoUser) -> None:
        own_user = MopedUser.objects.get(email=admin.email)

        with pytest.raises(OwnAccountError):
            deactivate(admin, own_user)
        with pytest.raises(OwnAccountError):
            update(admin, own_user, roles=[EDITOR])
        with pytest.raises(OwnAccountError):
            update(admin, own_user, roles=[ADMIN], email="ada@partner.example.com")
        assert stores.roles_at_sign_in(admin.email) == [ADMIN]

    def test_cannot_be_removed_or_demoted_as_the_last(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        MopedUser.objects.update(roles=[VIEWER])
        last = create(admin, email, roles=[ADMIN])

        with pytest.raises(LastAdminError):
            deactivate(admin, last)
        with pytest.raises(LastAdminError):
            update(admin, last, roles=[EDITOR])
        assert stores.roles_at_sign_in(email) == [ADMIN]
        assert not PendingChange.objects.exists()

    def test_are_city_staff_so_that_a_partner_is_none(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        MopedUser.objects.update(roles=[VIEWER])
        create(admin, f"partner.{email}.example.com", roles=[ADMIN])

        with pytest.raises(LastAdminError):
            update(admin, create(admin, email, roles=[ADMIN]), roles=[EDITOR])

    def test_cannot_remove_each_other_at_once(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        MopedUser.objects.update(roles=[VIEWER])
        pair = [create(admin, f"{name}.{email}", roles=[ADMIN]) for name in "ab"]

        refusals = refusals_at_once([partial(update, admin, user, roles=[EDITOR]) for user in pair])

        assert len(refusals) == 1
        assert MopedUser.objects.filter(roles__contains=[ADMIN]).count() == 1


class TestAudit:
    def test_says_who_changed_what_from_what_to_what(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        user = update(admin, create(admin, email), NEW_PASSWORD, roles=[VIEWER])

        created, updated = Event.objects.filter(user=user).order_by("id")
        assert (created.operation, updated.operation) == ("create", "update")
        assert updated.changes == {
            "roles": {"from": [EDITOR], "to": [VIEWER]},
            "password": {"from": "(hidden)", "to": "(hidden)"},
        }
        assert updated.actor_email == admin.email

    def test_keeps_no_password(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        update(admin, create(admin, email), NEW_PASSWORD)

        texts = repr(list(Event.objects.values())) + repr(list(PendingChange.objects.values()))
        assert PASSWORD not in texts
        assert NEW_PASSWORD not in texts

    def test_records_a_password_that_may_have_been_set(
        self, stores: Stores, admin: CognitoUser, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = create(admin, email)
        monkeypatch.setattr(attempts.Attempt, "record", Mock(side_effect=OperationalError))

        with pytest.raises(OperationalError):
            update(admin, user, NEW_PASSWORD)
        with pytest.raises(WeakPasswordError):  # the pool refused this one, so it was not set
            update(admin, user, "too-weak-for-it")

        operations = Event.objects.filter(user=user).order_by("id").values_list("operation", flat=True)
        assert list(operations) == ["create", "update_given_up"]

    def test_cannot_be_rewritten(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        create(admin, email)

        with pytest.raises(Exception, match="append-only"):
            Event.objects.update(actor_email="another user")
        with pytest.raises(Exception, match="append-only"):
            Event.objects.all().delete()

    def test_has_no_event_where_nothing_changed(self, stores: Stores, admin: CognitoUser, email: str) -> None:
        user = create(admin, email)

        update(admin, user)

        assert Event.objects.filter(user=user).count() == 1
