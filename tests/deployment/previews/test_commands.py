"""`manage.py preview` in an account that has staging and production in it."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient
from django.core.management import CommandError, call_command

from apps.deployment import smoke
from apps.deployment.aws import provisioning, stack_updates
from apps.deployment.errors import BusyError, LeftBehindError, StageError
from apps.deployment.previews import names, preview_stack
from apps.deployment.settings import zappa_settings
from tests.deployment.previews.aws_account import STAND_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

    from tests.deployment.previews.aws_account import Account

    Run = Callable[..., dict[str, Any]]

pytestmark = [pytest.mark.slow(cost=60), pytest.mark.emulator]

NUMBER = 412
NAME = names.function(NUMBER)
SWEEP = ("sweep", "--yes", "--spare", "0")
# Every call that changes something, by the command that makes it, and which of several.
CALLS = [
    *((("up", "aaa"), *call) for call in (("PutObject", 1), ("CreateStack", 1), ("UpdateStack", 1))),
    *((("up", "bbb"), *call) for call in (("UpdateStack", 1), ("UpdateStack", 2), ("DeleteFunction", 1))),
    *((("down",), *call) for call in (("DeleteStack", 1), ("DeleteObjects", 1), ("DeleteObjects", 2))),
]
READS = ("AdminInitiateAuth", "Describe", "Get", "Invoke", "List")


class StoppedError(BaseException):
    """Ends a command as a signal does: no `except Exception` stops it."""


class Calls:
    """Counts the calls to AWS, and can end the command after one of them."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.last: tuple[Any, ...] = ("", 0)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        send = BaseClient._make_api_call  # type: ignore[attr-defined] # its types leave it out

        def counted(client: Any, operation: str, parameters: Any) -> Any:
            answer = send(client, operation, parameters)
            self.made.append(operation)
            if self.last == (operation, self.made.count(operation)):
                raise StoppedError
            return answer

        patch.setattr(BaseClient, "_make_api_call", counted)


@pytest.fixture
def run(at_aws: Account) -> Iterator[Run]:
    """Run a command and return the JSON that it prints. The test must leave nothing behind `down`."""

    def command(*words: str) -> dict[str, Any]:
        out = io.StringIO()
        call_command("preview", *words, "--json", stdout=out)
        return dict(json.loads(out.getvalue()))

    yield command
    if at_aws.of_previews():
        for number in (NUMBER, NUMBER + 1):
            command("down", str(number))
    assert at_aws.of_previews() == []


@pytest.fixture
def up(at_aws: Account, run: Run) -> Run:
    """Bring the preview to a commit."""

    def bring(commit: str = "aaa", *words: str) -> dict[str, Any]:
        package, overlay = str(at_aws.package.path), str(at_aws.overlay())
        return run("up", str(NUMBER), "--commit", commit, "--package", package, "--overlay", overlay, *words)

    return bring


def answer(commit: str) -> tuple[int, dict[str, str]]:
    return 200, {"commit": commit, "stage": f"pr_{NUMBER}", "built": ""}


class TestUp:
    def test_gives_a_url_that_answers_with_its_commit(self, at_aws: Account, up: Run) -> None:
        first, second, again = up("aaa"), up("bbb"), up("bbb")

        assert first["url"] == second["url"] == at_aws.url(NUMBER).rstrip("/")
        assert at_aws.ask(first["url"]) == answer("bbb")
        assert (second["version"], first["curl"]) == (again["version"], second["curl"])
        assert first["curl"].endswith(f"{first['url']}/auth/current_user")

    def test_configures_the_function_as_the_settings_say(self, at_aws: Account, up: Run) -> None:
        up()

        function, staging = at_aws.function(NUMBER), at_aws.made["staging"]
        configuration, variables = (
            function["Configuration"],
            function["Configuration"]["Environment"]["Variables"],
        )
        assert configuration["Role"] == staging["PreviewRoleArn"]
        assert configuration["MemorySize"] == 512
        assert function["Concurrency"]["ReservedConcurrentExecutions"] == 5
        assert variables["COGNITO_USERPOOL_ID"] == staging["UserPoolId"]
        assert variables["DATABASE_URL"] == staging["PreviewDatabaseUrl"]
        assert variables["MOPED_API_READ_ONLY"] == "true"
        assert variables["MOPED_API_UPLOADS_PREFIX"] == f"previews/{NUMBER}/"
        assert "MOPED_API_BROWSER_SIGN_IN" not in variables

    def test_changes_the_architecture(self, at_aws: Account, up: Run, tmp_path: Path) -> None:
        overlay = json.loads(at_aws.overlay().read_text()) | {"architecture": "arm64"}
        (tmp_path / "arm64.json").write_text(json.dumps(overlay))
        up("aaa")

        up("bbb", "--overlay", str(tmp_path / "arm64.json"))

        assert at_aws.function(NUMBER)["Configuration"]["Architectures"] == ["arm64"]

    def test_tags_what_it_creates(self, at_aws: Account, up: Run) -> None:
        expires = up("aaa", "--owner", "dependabot[bot]")["expires"]

        group = f"arn:aws:logs:us-east-1:000000000000:log-group:{names.log_group(NUMBER)}"
        for tags in (
            at_aws.function(NUMBER)["Tags"],
            at_aws.client("logs").list_tags_for_resource(resourceArn=group)["tags"],
        ):
            assert {name: value for name, value in tags.items() if not name.startswith("aws:")} == {
                "project": "moped-api",
                "stage": f"pr_{NUMBER}",
                "pull-request": str(NUMBER),
                "commit": "aaa",
                "owner": "dependabot-bot-",
                "since": tags["since"],
                "expires": expires,
            }

    def test_renews_the_lifetime_and_keeps_the_date_of_creation(self, at_aws: Account, up: Run) -> None:
        up("aaa")
        since = at_aws.tags(NUMBER)["since"]
        at_aws.expire(NUMBER)

        expires = up("bbb")["expires"]

        tags = at_aws.tags(NUMBER)
        assert (tags["since"], tags["expires"], tags["commit"]) == (since, expires, "bbb")

    @pytest.mark.parametrize(
        ("original", "replacement", "reason"),
        [
            ("else 200", "else 500", "answers GET / without one with 500 instead of 200"),
            ('os.environ["MOPED_API_COMMIT"]', '"another"', "says that it is of commit another"),
        ],
        ids=["an error", "another commit"],
    )
    def test_leaves_the_live_version_if_the_smoke_test_fails(
        self, at_aws: Account, up: Run, run: Run, original: str, replacement: str, reason: str
    ) -> None:
        broken = str(at_aws.stand_in("broken", STAND_IN.replace(original, replacement)).path)
        with pytest.raises(StageError, match=reason):
            up("aaa", "--package", broken)
        assert not at_aws.url(NUMBER)
        assert not run("list")["previews"][0]["commit"]

        up("bbb")
        with pytest.raises(StageError, match=reason):
            up("ccc", "--package", broken)
        assert at_aws.ask(at_aws.url(NUMBER)) == answer("bbb")
        assert run("list")["previews"][0]["commit"] == "bbb"

    def test_gives_the_reason_of_cloudformation_and_recovers(
        self, at_aws: Account, up: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = provisioning.function_settings
        layers = {"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:missing:1"]}
        with monkeypatch.context() as patch:
            patch.setattr(provisioning, "function_settings", lambda stage: settings(stage) | layers)
            with pytest.raises(StageError, match=r"could not be deployed \(ROLLBACK_COMPLETE\): Function: "):
                up("aaa")

        assert at_aws.ask(up("aaa")["url"]) == answer("aaa")

    def test_creates_nothing_without_the_configuration_secret(
        self, at_aws: Account, up: Run, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        outputs = stack_updates.describe("moped-staging")
        assert outputs
        for output in outputs["Outputs"]:
            if output["OutputKey"] == "ConfigurationSecret":
                output["OutputValue"] = "missing"
        with monkeypatch.context() as patch:
            patch.setattr("apps.deployment.aws.stack._describe", lambda _name: outputs)
            with pytest.raises(StageError, match="missing or empty"):
                up()
        assert at_aws.of_previews() == []

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"moped": {"stack": "moped-production"}}, r"lacks .*PreviewRoleArn"),
            ({"domain": "moped-api-production.austinmobility.io"}, "domain belongs to a stage that stays"),
        ],
        ids=["a stack without previews", "a domain of another stage"],
    )
    def test_refuses_settings(
        self, up: Run, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], reason: str
    ) -> None:
        document = zappa_settings.merged(zappa_settings.read(), {"preview": changes})
        with monkeypatch.context() as patch:
            patch.setattr(zappa_settings, "read", lambda: dict(document))
            with pytest.raises(StageError, match=reason):
                up()

    @pytest.mark.parametrize(
        ("module", "step"), [(smoke, "try_out"), (preview_stack, "make_live")], ids=["before", "after"]
    )
    def test_gives_way_to_a_run_that_overtakes_its_smoke_test(
        self, at_aws: Account, up: Run, monkeypatch: pytest.MonkeyPatch, module: ModuleType, step: str
    ) -> None:
        up("aaa")
        original = getattr(module, step)

        def overtaken(*arguments: Any) -> Any:
            patch.undo()
            up("ccc")
            return original(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(module, step, overtaken)
            with pytest.raises(BusyError, match=r"Another run .*Run this again") as refusal:
                up("bbb")

        assert refusal.value.returncode == 4
        assert at_aws.ask(at_aws.url(NUMBER)) == answer("ccc")


class TestInterruption:
    @pytest.mark.parametrize("call", CALLS, ids=str)
    def test_is_repaired_by_the_next_run(
        self,
        at_aws: Account,
        up: Run,
        run: Run,
        monkeypatch: pytest.MonkeyPatch,
        call: tuple[tuple[str, ...], str, int],
    ) -> None:
        command, *last = call
        commands = {
            ("up", "aaa"): lambda: up("aaa"),
            ("up", "bbb"): lambda: up("bbb"),
            ("down",): lambda: run("down", str(NUMBER)),
        }
        for earlier in list(commands)[: list(commands).index(command)]:
            commands[earlier]()
            at_aws.client("s3").put_object(Bucket=at_aws.bucket, Key=f"previews/{NUMBER}/x", Body=b"x")
        calls = Calls()
        calls.last = tuple(last)
        with monkeypatch.context() as patch:
            calls.install(patch)
            with pytest.raises(StoppedError):
                commands[command]()

        if url := at_aws.url(NUMBER):
            assert at_aws.ask(url) in (answer("aaa"), answer("bbb"))
        commands[command]()
        if command == ("down",):
            assert at_aws.of_previews() == []
        else:
            assert at_aws.ask(at_aws.url(NUMBER)) == answer(command[1])

    def test_is_tried_after_every_call_that_changes_something(
        self, up: Run, run: Run, at_aws: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = Calls()
        with monkeypatch.context() as patch:
            calls.install(patch)
            up("aaa")
            up("bbb")
            run("down", str(NUMBER))

        changes = {operation for operation in calls.made if not operation.startswith(READS)}
        assert changes == {operation for _, operation, _ in CALLS}


class TestDown:
    @pytest.mark.parametrize("action", ["up", "down"])
    @pytest.mark.parametrize("text", ["abc", "0", "007", "12345678", "pr_12", "12;rm", "١٢"])
    def test_refuses_what_is_not_a_number(self, run: Run, action: str, text: str) -> None:
        with pytest.raises(StageError, match="is not the number of a pull request"):
            run(action, text)

    def test_deletes_everything_and_can_be_repeated(self, at_aws: Account, up: Run, run: Run) -> None:
        up()
        for version in (b"one", b"two"):
            at_aws.client("s3").put_object(Bucket=at_aws.bucket, Key=f"previews/{NUMBER}/x", Body=version)
        at_aws.client("s3").delete_object(Bucket=at_aws.bucket, Key=f"previews/{NUMBER}/x")

        said = run("down", str(NUMBER))["said"]

        assert "removed 3 files in the UploadsBucket" in said
        assert at_aws.of_previews() == []
        assert run("down", str(NUMBER))["said"] == [f"pr_{NUMBER}: nothing is left"]

    def test_lists_what_is_left_and_exits_with_3(self, at_aws: Account, run: Run) -> None:
        tags = [{"Key": "project", "Value": "moped-api"}, {"Key": "stage", "Value": f"pr_{NUMBER}"}]
        at_aws.client("dynamodb").create_table(
            TableName="made-by-hand",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=tags,
        )
        at_aws._create_function(NAME, at_aws.made["staging"]["FunctionRoleArn"])
        at_aws.client("logs").create_log_group(logGroupName=names.log_group(NUMBER))

        with pytest.raises(LeftBehindError) as refusal:
            run("down", str(NUMBER))

        at_aws.client("dynamodb").delete_table(TableName="made-by-hand")
        at_aws.client("lambda").delete_function(FunctionName=NAME)
        at_aws.client("logs").delete_log_group(logGroupName=names.log_group(NUMBER))
        assert refusal.value.returncode == 3
        for thing in (f"function {NAME}", f"log group {names.log_group(NUMBER)}", "made-by-hand"):
            assert thing in str(refusal.value)


class TestList:
    def test_shows_previews_and_files_that_are_left(self, at_aws: Account, up: Run, run: Run) -> None:
        info = up("aaa", "--owner", "ada")
        at_aws.client("s3").put_object(Bucket=at_aws.bucket, Key=f"previews/{NUMBER + 1}/late.pdf", Body=b"x")

        whole, part = run("list")["previews"]

        assert whole == {
            "number": NUMBER,
            "status": "UPDATE_COMPLETE",
            "commit": "aaa",
            "owner": "ada",
            "url": info["url"],
            "since": whole["since"],
            "expires": info["expires"],
        }
        assert (part["number"], part["status"], part["url"]) == (NUMBER + 1, "", "")


class TestSweep:
    def test_only_says_what_it_would_delete(self, at_aws: Account, up: Run, run: Run) -> None:
        up()

        said = run("sweep", "--open", "--spare", "0")["said"]

        assert said[0] == f"pr_{NUMBER} goes: no open pull request has this number"
        assert at_aws.url(NUMBER)

    @pytest.mark.parametrize(
        ("words", "expired", "goes"),
        [
            ([*SWEEP, "--open", "7", "8"], False, True),
            ([*SWEEP, "--open", str(NUMBER)], False, False),
            ([*SWEEP, "--open", f"{NUMBER}:no-preview"], False, True),
            (["sweep", "--yes", "--open", "7"], False, False),
            ([*SWEEP, "--open", str(NUMBER)], True, True),
            ([*SWEEP, "--open", f"{NUMBER}:keep"], True, False),
        ],
        ids=["closed", "open", "opted out", "changed a moment ago", "expired", "kept"],
    )
    def test_deletes_what_is_not_wanted(
        self, at_aws: Account, up: Run, run: Run, words: list[str], *, expired: bool, goes: bool
    ) -> None:
        up()
        if expired:
            at_aws.expire(NUMBER)

        run(*words)

        assert bool(at_aws.of_previews()) != goes

    def test_deletes_what_is_left_of_a_preview(self, at_aws: Account, run: Run) -> None:
        at_aws.client("s3").put_object(Bucket=at_aws.bucket, Key=f"previews/{NUMBER + 1}/late.pdf", Body=b"x")

        run(*SWEEP, "--open")

        assert at_aws.of_previews() == []

    def test_requires_the_open_pull_requests(self, run: Run) -> None:
        with pytest.raises(CommandError, match="one of the arguments --open --open-from is required"):
            run("sweep", "--yes")

    def test_reads_what_github_prints(self, at_aws: Account, up: Run, run: Run, tmp_path: Path) -> None:
        up()
        path = tmp_path / "open.json"
        path.write_text(json.dumps([request(NUMBER), request(7)]))

        run(*SWEEP, "--open-from", str(path))

        assert at_aws.url(NUMBER)


def request(number: int, **changes: Any) -> dict[str, Any]:
    usual = {"state": "OPEN", "labels": [], "isCrossRepository": False, "author": {"login": "ada"}}
    return {"number": number, **usual, **changes}


class TestFollow:
    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"state": "CLOSED"}, "the pull request is closed"),
            ({"state": "MERGED"}, "the pull request is closed"),
            ({"isCrossRepository": True}, "the branch is a fork's"),
            ({"labels": [{"name": "no-preview"}]}, "it is labelled no-preview"),
        ],
    )
    def test_creates_and_deletes_the_preview(
        self, at_aws: Account, run: Run, tmp_path: Path, changes: dict[str, Any], why: str
    ) -> None:
        package, overlay = str(at_aws.package.path), str(at_aws.overlay())
        path = tmp_path / "request.json"
        words = ("follow", "--request", str(path), "--package", package, "--overlay", overlay)
        path.write_text(json.dumps(request(NUMBER)))
        url = run(*words, "--commit", "aaa")["url"]
        assert at_aws.ask(url) == answer("aaa")
        assert at_aws.tags(NUMBER)["owner"] == "ada"

        path.write_text(json.dumps(request(NUMBER, **changes)))
        assert run(*words)["why"] == why
        assert at_aws.of_previews() == []


class TestOutput:
    def test_is_text_without_json(self, at_aws: Account) -> None:
        out = io.StringIO()
        call_command("preview", "list", stdout=out)

        assert out.getvalue() == "0 previews\n"

    def test_is_json_for_a_failure_too(self, at_aws: Account) -> None:
        out = io.StringIO()
        with pytest.raises(StageError):
            call_command("preview", "down", "x", "--json", stdout=out)

        assert "is not the number" in json.loads(out.getvalue())["error"]
