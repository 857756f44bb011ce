"""Every contradiction between the stores is found, named, and repaired where that is safe."""

import json
from collections.abc import Callable
from io import StringIO
from itertools import count
from typing import Any, cast
from unittest.mock import Mock

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management import CommandError, call_command

from apps.auth.callers import CognitoUser
from apps.claims import items as claims_items
from apps.claims.hasura import ADMIN, NO_LOGIN, VIEWER
from apps.claims.items import StoredItem
from apps.core.aws import clients, secrets
from apps.core.errors import UnavailableError
from apps.users import reconciliation
from apps.users.adapters import cognito
from apps.users.management.commands import reconcile_users
from apps.users.models import Event, MopedUser, PendingChange
from tests.users.stores import PASSWORD, Person, Stores, profile

pytestmark = pytest.mark.emulator


@pytest.fixture
def person(alone: Stores, email: str) -> Person:
    """A person in empty stores, without an admin."""
    return Person(alone, cast("CognitoUser", None), email)


def run_command(*arguments: str) -> tuple[int, str]:
    """Return the exit status and what was printed."""
    out = StringIO()
    try:
        call_command("reconcile_users", *arguments, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def reconcile(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit status and the findings."""
    status, text = run_command("--json", "--grace=0", *arguments)
    return status, json.loads(text)["disagreements"]


def write_unreadable_claims(person: Person) -> None:
    item = dict(claims_items.encode(person.email, person.row.claims).attributes)
    item["claims"] = {"S": Fernet(Fernet.generate_key()).encrypt(b"{}").decode()}
    clients.dynamodb().put_item(TableName=settings.CLAIMS_TABLE, Item=item)


def begin_a_move(person: Person) -> None:
    new_email = f"new.{person.email}"
    PendingChange.objects.create(operation=PendingChange.UPDATE, email=person.email, new_email=new_email)
    claims_items.put(email=new_email, claims=person.row.claims)


def change_address(person: Person) -> None:
    cognito.set_email(person.username, f"other.{person.email}", is_verified=True)


def change_address_and_deactivate(person: Person) -> None:
    change_address(person)
    person.change_row(is_deleted=True)


def set_temporary_password(person: Person) -> None:
    clients.cognito().admin_set_user_password(
        UserPoolId=person.stores.pool, Username=person.email, Password=PASSWORD, Permanent=False
    )


def create_second_account(person: Person) -> None:
    second = cognito.create(email=f"second.{person.email}", password=PASSWORD, mark="")
    cognito.set_email(second.username, person.email, is_verified=False)


def lose_account(person: Person) -> None:
    """The user may still come in through the City's single sign-on, with the claims."""
    cognito.delete(person.username)
    person.change_row(roles=[VIEWER])


def disable(person: Person) -> None:
    clients.cognito().admin_disable_user(UserPoolId=person.stores.pool, Username=person.email)


# What makes the stores contradict each other, by the code of the finding.
REPAIRABLE: dict[str, Callable[[Person], object]] = {
    "claims_differ": lambda person: person.change_row(roles=[VIEWER]),
    "account_of_inactive": lambda person: person.change_row(is_deleted=True),
    # What a deactivation by the Flask API leaves if the pool fails.
    "account_of_inactive, unlinked": lambda person: person.change_row(is_deleted=True, cognito_user_id=None),
    "account_of_inactive, with another address": change_address_and_deactivate,
    "claims_missing": lambda person: claims_items.delete(person.email),
    "claims_differ, unreadable": write_unreadable_claims,
    "address_differs": change_address,
    "claims_of_nobody": lambda person: claims_items.put(
        email=f"unknown.{person.email}", claims=person.row.claims
    ),
    "unfinished": begin_a_move,
}
FOR_PEOPLE: dict[str, Callable[[Person], object]] = {
    "account_missing": lambda person: cognito.delete(person.username),
    "account_missing, never there": lambda person: MopedUser.objects.create(
        **profile(f"seed.{person.email}")
    ),
    "stray_account": lambda person: cognito.create(email=f"stray.{person.email}", password=PASSWORD, mark=""),
    "password_missing": set_temporary_password,
    "account_disabled": disable,
    "second_account": create_second_account,
    "address_unverified": lambda person: cognito.set_email(person.username, person.email, is_verified=False),
    "account_missing, beside claims that are repaired": lose_account,
    "address_unverified, beside an address that is repaired": lambda person: cognito.set_email(
        person.username, f"other.{person.email}", is_verified=False
    ),
}


def put_a_new_key_first(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the secret have two keys. Return the list in which it finds them."""
    keys = [Fernet.generate_key().decode(), secrets.value(settings.CONFIGURATION_SECRET, claims_items.KEY)]
    monkeypatch.setattr(secrets, "value", lambda *_args, **_options: ",".join(keys))
    return keys


class TestReconcileUsers:
    def test_finds_nothing_where_the_stores_agree(self, person: Person) -> None:
        person.admit()
        MopedUser.objects.create(**profile(f"non.login.{person.email}", roles=[NO_LOGIN]))

        status, text = run_command("--json")

        assert (status, json.loads(text)) == (0, {"complete": True, "disagreements": []})

    @pytest.mark.parametrize("case", REPAIRABLE)
    def test_repairs_what_is_safe_to_repair(self, person: Person, case: str) -> None:
        person.admit()
        REPAIRABLE[case](person)

        findings = reconcile()
        repaired = reconcile("--fix")

        assert (findings[0], repaired[0]) == (1, 0)
        assert case.partition(",")[0] in {finding["code"] for finding in findings[1]}
        assert all(finding["text"] and finding["repaired"] for finding in repaired[1])
        assert reconcile("--fix") == (0, [])
        for name in ("new", "unknown", "other"):
            assert person.disagreements() + person.named(name).disagreements() == []
        assert MopedUser.objects.filter(email=person.email).count() == 1

    @pytest.mark.parametrize("case", FOR_PEOPLE)
    def test_leaves_to_people_what_only_they_can_do(self, person: Person, case: str) -> None:
        person.admit()
        FOR_PEOPLE[case](person)

        reconcile("--fix")
        status, findings = reconcile("--fix")

        assert status == 1
        assert [finding["code"] for finding in findings] == [case.partition(",")[0]]
        assert not findings[0]["safe_to_repair"]

    @pytest.mark.parametrize("address", ["jane.{}", "OTHER.jane.{}"], ids=["the user's", "the account's"])
    @pytest.mark.parametrize("is_deleted", [False, True])
    def test_shows_only_findings_about_an_address(
        self, person: Person, address: str, *, is_deleted: bool
    ) -> None:
        for name in ("jane", "john"):
            person.named(name).admit()
            change_address(person.named(name))
            person.named(name).change_row(is_deleted=is_deleted)

        _, findings = reconcile("--only", address.format(person.email))

        assert {finding["address"] for finding in findings} == {person.named("jane").email}
        assert person.named("john").email not in str(findings)

    def test_leaves_an_account_to_the_user_who_adopted_it(self, person: Person) -> None:
        interrupted = PendingChange.objects.create(operation=PendingChange.CREATE, email=person.email)
        account = cognito.create(email=person.email, password=PASSWORD, mark=str(interrupted.pk))
        cognito.set_password(account.username, PASSWORD)
        user = MopedUser.objects.create(**profile(person.email), cognito_user_id=account.username)
        claims_items.put(email=person.email, claims=user.claims)

        reconcile("--fix")

        assert person.disagreements() == []

    def test_pauses_between_the_pages_of_the_pool(
        self, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pauses: list[float] = []
        monkeypatch.setattr(cognito, "LARGEST_PAGE", 2)
        monkeypatch.setattr("time.sleep", pauses.append)
        for number in range(5):
            person.named(f"n{number}").admit()

        assert reconcile() == (0, [])
        assert pauses == [cognito.PAUSE_SECONDS] * 2

    @pytest.mark.parametrize("is_last_admin", [False, True])
    def test_completes_a_deactivation_unless_forbidden(self, person: Person, *, is_last_admin: bool) -> None:
        if not is_last_admin:
            person.named("admin").admit(ADMIN)
        user = person.admit(ADMIN)
        change = PendingChange(operation=PendingChange.DELETE, email=person.email)
        change.cognito_user_id = user.cognito_user_id
        change.actor = {"id": 1, "email": "ada", "sub": "x"}
        change.save()
        claims_items.delete(person.email)

        reconcile("--fix")

        assert person.disagreements() == []
        assert person.row.is_deleted == (not is_last_admin)
        assert not PendingChange.objects.exists()
        assert Event.objects.filter(user=user, actor_email="ada").exists() == (not is_last_admin)

    def test_leaves_alone_what_may_be_in_progress(self, person: Person) -> None:
        PendingChange.objects.create(operation=PendingChange.CREATE, email=person.email)

        assert "0 disagreements" in run_command()[1]

    def test_stops_in_time_and_says_that_it_is_unfinished(self, person: Person) -> None:
        person.admit()
        disable(person)

        status, text = run_command("--json", "--max-seconds=0")
        assert (status, json.loads(text)) == (1, {"complete": False, "disagreements": []})
        assert "The time was over" in run_command("--max-seconds=0")[1]

    def test_says_in_words_what_it_did_and_which_repair_failed(
        self, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person.admit()
        person.change_row(roles=[VIEWER])
        with monkeypatch.context() as patch:
            patch.setattr(claims_items, "put", Mock(side_effect=UnavailableError))
            assert "claims_differ; not repaired (" in run_command("--fix")[1]

        text = run_command("--fix")[1]

        roles = "the roles moped-editor in the claims, moped-viewer in the database"
        assert f"{person.email} has other claims than in the database ({roles})" in text
        assert "repaired: make it what the database says" in text

    def test_repairs_the_rest_in_the_next_run(self, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(3):
            person.named(str(number)).admit()
            person.named(str(number)).change_row(roles=[VIEWER])
        with monkeypatch.context() as patch:
            patch.setattr(reconcile_users, "time", Mock(monotonic=count(1).__next__))
            patch.setattr(reconciliation, "_read_until", lambda entries, _ends_at: entries)
            # A second passes at the start and one before each repair: two of three are in time.
            first = reconcile("--fix", "--max-seconds=3")

        assert (first[0], [bool(finding["repaired"]) for finding in first[1]]) == (1, [True, True, False])
        assert len(reconcile("--fix")[1]) == 1
        assert reconcile() == (0, [])

    def test_logs_a_count_of_findings_without_addresses(
        self, person: Person, caplog: pytest.LogCaptureFixture
    ) -> None:
        person.admit()
        FOR_PEOPLE["stray_account"](person)
        person.change_row(roles=[VIEWER])
        with caplog.at_level("INFO"):
            reconcile()
            reconcile("--fix")
            reconcile("--only", person.email)

        lines = [vars(each) for each in caplog.records if each.message == "reconciliation_finished"]
        assert [(line["findings"], line["repaired"], line["everyone"]) for line in lines] == [
            (2, 0, True),
            (1, 1, True),
            (0, 0, False),
        ]
        assert lines[0]["codes"] == {"claims_differ": 1, "stray_account": 1}
        assert person.email not in str(lines)

    @pytest.mark.usefixtures("alone")
    def test_says_that_a_store_is_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "COGNITO_USER_POOL_ID", "us-east-1_NOSUCHPOOL")

        with pytest.raises(CommandError, match="operators"):
            call_command("reconcile_users")


class TestRotateKey:
    def test_encrypts_everything_with_the_newest_key(
        self, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person.admit()
        keys = put_a_new_key_first(monkeypatch)

        with pytest.raises(CommandError, match="Run this again"):
            call_command("reconcile_users", "--rotate-key", "--max-seconds=0")
        for number in (1, 0):  # of items that are left
            assert run_command("--rotate-key")[1].startswith(f"{number} items")

        keys.pop()
        assert reconcile() == (0, [])

    def test_skips_what_another_process_writes_meanwhile(
        self, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, _ = [person.named(name).admit() for name in "ab"]
        everything = claims_items.scan

        def then_changed() -> list[StoredItem]:
            items = list(everything())
            claims_items.put(email=first.email, claims=first.claims)
            return items

        monkeypatch.setattr(claims_items, "scan", then_changed)
        put_a_new_key_first(monkeypatch)

        assert reconciliation.rotate_key() == 1

    def test_is_refused_while_the_trigger_is_not_ours(self, monkeypatch: pytest.MonkeyPatch) -> None:
        arn = "arn:aws:lambda:us-east-1:1:function:atd-moped-cognito-pre-token-hook-staging"
        monkeypatch.setattr(cognito, "pre_token_function_arn", lambda: arn)

        with pytest.raises(CommandError, match="Attach ours first"):
            call_command("reconcile_users", "--rotate-key")
