"""Every contradiction that there can be, found, named and repaired where that is safe."""

from __future__ import annotations

import json
import uuid
from io import StringIO
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management import CommandError, call_command

from apps.claims import items as claims_items
from apps.claims import table as claims_table
from apps.claims.hasura import ADMIN, EDITOR, NO_LOGIN, VIEWER
from apps.core.aws import clients, secrets
from apps.core.errors import UnavailableError
from apps.users.adapters import cognito
from apps.users.adapters.cognito import Account
from apps.users.management.commands import reconcile_users
from apps.users.models import Event, MopedUser, PendingChange
from apps.users.reconciliation import scan
from apps.users.reconciliation.findings import of_account
from tests.users.stores import PASSWORD, profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.claims.table import StoredItem
    from tests.users.stores import Stores

pytestmark = pytest.mark.emulator


@pytest.fixture
def alone(stores: Stores) -> Stores:
    """An empty pool and an empty table, without what other tests left."""
    for account in list(cognito.iter_accounts()):
        cognito.delete(account.username)
    for item in list(claims_table.scan()):
        clients.dynamodb().delete_item(TableName=settings.CLAIMS_TABLE, Key={"user_id": {"S": item.email}})
    return stores


def reconcile(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    status, output = said_by_reconcile(*arguments)
    return status, output["disagreements"]


def said_by_reconcile(*arguments: str) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    try:
        call_command("reconcile_users", "--json", "--grace=0", *arguments, stdout=out)
        status = 0
    except SystemExit as end:
        status = int(str(end.code))
    return status, json.loads(out.getvalue())


class StepClock:
    """A clock that advances by one second each time it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 1
        return self.now


def differing_roles(email: str, user: MopedUser) -> None:
    MopedUser.objects.filter(pk=user.pk).update(roles=[VIEWER])  # as an admin may through Hasura


def inactive_with_everything(email: str, user: MopedUser) -> None:
    MopedUser.objects.filter(pk=user.pk).update(is_deleted=True)


def inactive_and_unlinked(email: str, user: MopedUser) -> None:
    """What a deactivation by the Flask API leaves if the pool fails."""
    MopedUser.objects.filter(pk=user.pk).update(is_deleted=True, cognito_user_id=None)


def without_claims(email: str, user: MopedUser) -> None:
    claims_table.delete(email)


def unreadable_claims(email: str, user: MopedUser) -> None:
    item = dict(claims_items.encode(email, user.claims))
    item["claims"] = {"S": Fernet(Fernet.generate_key()).encrypt(b"{}").decode()}
    clients.dynamodb().put_item(TableName=settings.CLAIMS_TABLE, Item=item)


def another_address(email: str, user: MopedUser) -> None:
    cognito.set_email(str(user.cognito_user_id), f"other.{email}", is_verified=True)


def unknown_to_the_database(email: str, user: MopedUser) -> None:
    claims_table.put(email=f"unknown.{email}", claims=user.claims)


def cut_off_on_the_way(email: str, user: MopedUser) -> None:
    PendingChange.objects.create(operation=PendingChange.UPDATE, email=email, new_email=f"new.{email}")
    claims_table.put(email=f"new.{email}", claims=user.claims)


REPAIRABLE: dict[str, Callable[[str, MopedUser], None]] = {
    "claims_differ": differing_roles,
    "account_of_inactive": inactive_with_everything,
    "account_of_inactive, unlinked": inactive_and_unlinked,
    "claims_missing": without_claims,
    "claims_differ, unreadable": unreadable_claims,
    "address_differs": another_address,
    "claims_of_nobody": unknown_to_the_database,
    "unfinished": cut_off_on_the_way,
}


def account_gone(email: str, user: MopedUser) -> None:
    cognito.delete(str(user.cognito_user_id))


def never_had_an_account(email: str, user: MopedUser) -> None:
    MopedUser.objects.create(**profile(f"seed.{email}", roles=[EDITOR]))


def stray_account(email: str, user: MopedUser) -> None:
    cognito.create(email=f"stray.{email}", password=PASSWORD, mark="")


def temporary_password(email: str, user: MopedUser) -> None:
    clients.cognito().admin_set_user_password(
        UserPoolId=settings.COGNITO_USER_POOL_ID, Username=email, Password=PASSWORD, Permanent=False
    )


def disabled_account(email: str, user: MopedUser) -> None:
    clients.cognito().admin_disable_user(UserPoolId=settings.COGNITO_USER_POOL_ID, Username=email)


def unverified_address(email: str, user: MopedUser) -> None:
    cognito.set_email(str(user.cognito_user_id), email, is_verified=False)


FOR_PEOPLE: dict[str, Callable[[str, MopedUser], None]] = {
    "account_missing": account_gone,
    "account_missing, never there": never_had_an_account,
    "stray_account": stray_account,
    "password_missing": temporary_password,
    "account_disabled": disabled_account,
    "address_unverified": unverified_address,
}


def put_a_new_key_first(monkeypatch: pytest.MonkeyPatch) -> None:
    old = secrets.value(settings.CONFIGURATION_SECRET, claims_items.KEY)
    keys = f"{Fernet.generate_key().decode()},{old}"
    monkeypatch.setattr(secrets, "value", lambda *_args, **_options: keys)


class TestOfAccount:
    def test_tells_a_second_account_from_a_stray(self) -> None:
        person = MopedUser(**profile("jane@austintexas.gov"), cognito_user_id=uuid.uuid4())
        account = Account(
            str(uuid.uuid4()), "Jane@austintexas.gov", is_verified=False, is_enabled=True, status="", mark=""
        )

        assert [finding.code for finding in of_account(account, person)] == ["second_account"]
        assert [finding.code for finding in of_account(account, None)] == ["stray_account"]


class TestReconcileUsers:
    def test_finds_nothing_where_the_stores_agree(self, alone: Stores, email: str) -> None:
        alone.admit(email, [EDITOR])
        MopedUser.objects.create(**profile(f"non.login.{email}", roles=[NO_LOGIN]))

        assert said_by_reconcile() == (0, {"complete": True, "disagreements": []})

    @pytest.mark.parametrize("case", REPAIRABLE)
    def test_repairs_what_is_safe_to_repair(self, alone: Stores, email: str, case: str) -> None:
        user = alone.admit(email, [EDITOR])
        REPAIRABLE[case](email, user)

        findings = reconcile()
        repaired = reconcile("--fix")
        after = reconcile("--fix")

        code = case.partition(",")[0]
        assert (findings[0], repaired[0]) == (1, 0)
        assert code in {finding["code"] for finding in findings[1]}
        assert all(finding["text"] and finding["repaired"] for finding in repaired[1])
        assert after == (0, [])
        assert alone.disagreements(email, f"new.{email}", f"unknown.{email}", f"other.{email}") == []
        assert MopedUser.objects.filter(email=email).count() == 1

    @pytest.mark.parametrize("case", FOR_PEOPLE)
    def test_leaves_to_people_what_only_they_can_do(self, alone: Stores, email: str, case: str) -> None:
        FOR_PEOPLE[case](email, alone.admit(email, [EDITOR]))

        status, findings = reconcile("--fix")

        assert status == 1
        assert [finding["code"] for finding in findings] == [case.partition(",")[0]]
        assert not findings[0]["safe_to_repair"]

    def test_verifies_no_address_that_the_user_changed(self, alone: Stores, email: str) -> None:
        user = alone.admit(email, [EDITOR])
        cognito.set_email(str(user.cognito_user_id), f"other.{email}", is_verified=False)

        reconcile("--fix")

        account = alone.account(str(user.cognito_user_id))
        assert account
        assert (account.email, account.is_verified) == (email, False)
        assert [finding["code"] for finding in reconcile()[1]] == ["address_unverified"]

    def test_finds_an_account_that_has_another_address(self, alone: Stores, email: str) -> None:
        another_address(email, alone.admit(email, [EDITOR]))

        assert [finding["code"] for finding in reconcile("--only", email)[1]] == ["address_differs"]

    def test_removes_an_inactive_users_account_by_its_id(self, alone: Stores, email: str) -> None:
        user = alone.admit(email, [EDITOR])
        another_address(email, user)
        inactive_with_everything(email, user)

        assert reconcile("--fix")[0] == 0
        assert reconcile() == (0, [])

    def test_corrects_the_claims_of_a_user_without_an_account(self, alone: Stores, email: str) -> None:
        user = alone.admit(email, [EDITOR])  # who may still come in through the City's single sign-on
        account_gone(email, user)
        differing_roles(email, user)

        reconcile("--fix")

        assert [finding["code"] for finding in reconcile()[1]] == ["account_missing"]

    def test_leaves_an_account_to_the_user_who_adopted_it(self, alone: Stores, email: str) -> None:
        interrupted = PendingChange.objects.create(operation=PendingChange.CREATE, email=email)
        cognito.create(email=email, password=PASSWORD, mark=str(interrupted.pk))
        account = cognito.get(email)
        cognito.set_password(account.username, PASSWORD)
        user = MopedUser.objects.create(**profile(email), cognito_user_id=account.username)
        claims_table.put(email=email, claims=user.claims)

        reconcile("--fix")

        assert alone.disagreements(email) == []

    def test_leaves_others_time_between_the_pages_of_the_pool(
        self, alone: Stores, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pauses: list[float] = []
        monkeypatch.setattr(cognito, "LARGEST_PAGE", 2)
        monkeypatch.setattr("time.sleep", pauses.append)
        for number in range(5):
            alone.admit(f"n{number}.{email}", [EDITOR])

        assert reconcile() == (0, [])
        assert pauses == [cognito.PAUSE_SECONDS] * 2

    def test_carries_out_a_deactivation_that_was_cut_off(self, alone: Stores, email: str) -> None:
        alone.admit(f"admin.{email}", [ADMIN])
        user = alone.admit(email, [EDITOR])
        PendingChange.objects.create(
            operation=PendingChange.DELETE,
            email=email,
            cognito_user_id=user.cognito_user_id,
            actor={"id": 1, "email": "ada", "sub": "x"},
        )
        claims_table.delete(email)

        reconcile("--fix")

        assert alone.disagreements(email) == []
        row = alone.row(email)
        assert row
        assert row.is_deleted
        assert Event.objects.get(user=row).actor_email == "ada"

    def test_rolls_back_a_deactivation_that_became_forbidden(self, alone: Stores, email: str) -> None:
        last_admin = alone.admit(email, [ADMIN])
        PendingChange.objects.create(
            operation=PendingChange.DELETE, email=email, cognito_user_id=last_admin.cognito_user_id
        )
        claims_table.delete(email)

        reconcile("--fix")

        assert alone.disagreements(email) == []
        assert alone.row(email) == last_admin
        assert not PendingChange.objects.exists()

    def test_leaves_alone_what_may_be_under_way(self, alone: Stores, email: str) -> None:
        PendingChange.objects.create(operation=PendingChange.CREATE, email=email)
        out = StringIO()

        call_command("reconcile_users", stdout=out)

        assert "0 disagreements" in out.getvalue()

    def test_says_in_words_what_it_did(self, alone: Stores, email: str) -> None:
        differing_roles(email, alone.admit(email, [EDITOR]))
        out = StringIO()

        call_command("reconcile_users", "--fix", stdout=out)

        assert (
            f"{email} has the roles moped-editor in the claims, moped-viewer in the database"
            in out.getvalue()
        )
        assert "repaired: make it what the database says" in out.getvalue()

    def test_stops_in_time_and_says_that_it_is_unfinished(self, alone: Stores, email: str) -> None:
        stray_account(email, alone.admit(email, [EDITOR]))
        out = StringIO()

        assert said_by_reconcile("--max-seconds=0") == (1, {"complete": False, "disagreements": []})
        with pytest.raises(SystemExit):
            call_command("reconcile_users", "--max-seconds=0", stdout=out)
        assert "The time was over" in out.getvalue()

    def test_says_which_repair_failed(
        self, alone: Stores, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        differing_roles(email, alone.admit(email, [EDITOR]))
        monkeypatch.setattr(claims_table, "put", Mock(side_effect=UnavailableError))
        out = StringIO()

        with pytest.raises(SystemExit):
            call_command("reconcile_users", "--fix", stdout=out)

        assert "claims_differ; not repaired (" in out.getvalue()

    def test_repairs_the_rest_in_the_next_run(
        self, alone: Stores, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(3):
            differing_roles(email, alone.admit(f"{number}.{email}", [EDITOR]))
        with monkeypatch.context() as patch:
            patch.setattr(reconcile_users, "time", StepClock())
            patch.setattr(scan, "_in_time", lambda entries, _ends_at: entries)
            # A second passes at the start and one before each repair: two of three are in time.
            first = reconcile("--fix", "--max-seconds=3")

        assert (first[0], [bool(finding["repaired"]) for finding in first[1]]) == (1, [True, True, False])
        assert len(reconcile("--fix")[1]) == 1
        assert reconcile() == (0, [])

    def test_logs_a_count_of_findings_without_addresses(
        self, alone: Stores, email: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        user = alone.admit(email, [EDITOR])
        stray_account(email, user)
        differing_roles(email, user)
        with caplog.at_level("INFO"):
            reconcile()
            reconcile("--fix")
            reconcile("--only", email)

        lines = [vars(each) for each in caplog.records if each.message == "reconciliation_finished"]
        assert [(line["findings"], line["repaired"], line["everyone"]) for line in lines] == [
            (2, 0, True),
            (1, 1, True),
            (0, 0, False),
        ]
        assert lines[0]["codes"] == {"claims_differ": 1, "stray_account": 1}
        assert email not in str(lines)

    def test_says_that_a_store_is_away(self, alone: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "COGNITO_USER_POOL_ID", "us-east-1_NOSUCHPOOL")

        with pytest.raises(CommandError, match="operators"):
            call_command("reconcile_users")


class TestRotateKey:
    def test_encrypts_everything_with_the_newest_key(
        self, alone: Stores, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alone.admit(email, [EDITOR])
        tokens = [
            Fernet.generate_key().decode(),
            secrets.value(settings.CONFIGURATION_SECRET, claims_items.KEY),
        ]
        monkeypatch.setattr(secrets, "value", lambda *_args, **_options: ",".join(tokens))

        call_command("reconcile_users", "--rotate-key", stdout=StringIO())

        tokens.pop()
        assert reconcile() == (0, [])

    def test_continues_with_the_items_that_are_left(
        self, alone: Stores, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alone.admit(email, [EDITOR])
        put_a_new_key_first(monkeypatch)

        with pytest.raises(CommandError, match="Run this again"):
            call_command("reconcile_users", "--rotate-key", "--max-seconds=0")

        assert scan.rotate_key() == 1
        assert scan.rotate_key() == 0

    def test_passes_over_what_another_process_writes_meanwhile(
        self, alone: Stores, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        people = [alone.admit(f"{name}.{email}", [EDITOR]) for name in "ab"]
        everything = claims_table.scan

        def then_changed() -> list[StoredItem]:
            items = list(everything())
            claims_table.put(email=people[0].email, claims=people[0].claims)
            return items

        monkeypatch.setattr(claims_table, "scan", then_changed)
        put_a_new_key_first(monkeypatch)

        assert scan.rotate_key() == 1

    def test_is_refused_while_the_trigger_is_not_ours(
        self, alone: Stores, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arn = "arn:aws:lambda:us-east-1:1:function:atd-moped-cognito-pre-token-hook-staging"
        monkeypatch.setattr(cognito, "pre_token_function_arn", lambda: arn)

        with pytest.raises(CommandError, match="Attach ours first"):
            call_command("reconcile_users", "--rotate-key")
