"""`manage.py preview` in an account that has staging and other functions in it."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.client import BaseClient
from django.core.management import CommandError, call_command

from apps.deployment import smoke
from apps.deployment.aws import functions, stack, stack_updates
from apps.deployment.errors import BusyError, RemovalError, StageError
from apps.deployment.previews import creation, names
from tests.deployment.emulated_account import STAND_IN, write_package
from tests.deployment.previews.aws_account import Account
from tests.deployment.previews.conftest import Run

Stops = Callable[[Callable[[], Any]], Iterator[str]]


pytestmark = [pytest.mark.slow(cost=25, group="previews"), pytest.mark.emulator]

NUMBER = 412
NAME = names.function(NUMBER)
LOG = f"/aws/lambda/{NAME}"
EXPIRED = {"expires": "2020-01-01T00:00:00+00:00"}
READS = ("AdminInitiateAuth", "Describe", "Get", "Invoke", "List")


class StoppedError(BaseException):
    """Ends a command as a signal does: no `except Exception` stops it."""


@pytest.fixture
def up(at_aws: Account, run: Run) -> Run:
    """Bring the preview to a commit, with other settings or another package."""

    def command(commit: str, *words: str, package: str = "", **settings: Any) -> dict[str, Any]:
        files = ("--package", package or at_aws.package, "--overlay", at_aws.overlay(**settings))
        return run("up", str(NUMBER), "--commit", commit, *files, *words)

    return command


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> Stops:
    """Run a command until it is complete. Stop it after each change, and yield the name of the call."""
    send = BaseClient._make_api_call  # type: ignore[attr-defined] # its types leave it out

    def run(command: Callable[[], Any]) -> Iterator[str]:
        calls = []

        def stop_after_a_change(client: Any, operation: str, parameters: Any) -> Any:
            response = send(client, operation, parameters)
            call = (operation, parameters.get("Bucket", "TemplateBody" in parameters))
            if not (operation.startswith(READS) or call in calls):
                calls.append(call)
                raise StoppedError
            return response

        is_complete = False
        while not is_complete:
            with monkeypatch.context() as patch, suppress(StoppedError):
                patch.setattr(BaseClient, "_make_api_call", stop_after_a_change)
                command()
                is_complete = True
            if not is_complete:
                yield calls[-1][0]

    return run


def answer(commit: str) -> dict[str, str]:
    return {"commit": commit, "stage": f"pr_{NUMBER}"}


class TestFollow:
    def test_creates_and_deletes_the_preview(self, at_aws: Account, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "request.json"
        files = ("--package", at_aws.package, "--overlay", at_aws.overlay(architecture="arm64"))
        words = ("follow", "--request", str(path), *files)
        request = {"number": NUMBER, "labels": [], "isCrossRepository": False}
        request |= {"author": {"login": "dependabot[bot]"}}
        path.write_text(json.dumps({**request, "state": "OPEN"}))
        info = run(*words, "--commit", "aaa")

        (preview,) = run("list")["previews"]
        about = {"commit": "aaa", "owner": "dependabot-bot-", "expires": info["expires"]}
        state = {"status": "UPDATE_COMPLETE", "url": info["url"], "since": preview["since"]}
        assert preview == {"number": NUMBER, **about, **state}
        assert info["url"] == at_aws.url(NAME).rstrip("/")
        assert at_aws.ask(info["url"]) == answer("aaa")
        tags = {"project": "moped-api", "stage": f"pr_{NUMBER}", "pull-request": str(NUMBER)}
        self.check_function(at_aws, {**tags, **about, "since": preview["since"]})
        path.write_text(json.dumps({**request, "state": "MERGED"}))
        assert run(*words)["why"] == "the pull request is closed"
        assert at_aws.of_previews() == []

    def check_function(self, at_aws: Account, tags: dict[str, str]) -> None:
        group = f"arn:aws:logs:us-east-1:000000000000:log-group:{LOG}"
        tags_of_group = at_aws.client("logs").list_tags_for_resource(resourceArn=group)["tags"]
        function = at_aws.client("lambda").get_function(FunctionName=NAME)
        own = function["Configuration"]
        variables = {
            "COGNITO_USERPOOL_ID": at_aws.outputs["UserPoolId"],
            "COGNITO_APP_CLIENT_ID": at_aws.outputs["PreviewClientIds"],
            "DATABASE_URL": at_aws.outputs["PreviewDatabaseUrl"],
            "MOPED_API_READ_ONLY": "true",
            "MOPED_API_UPLOADS_PREFIX": f"previews/{NUMBER}/",
        }

        assert own["Role"] == at_aws.outputs["PreviewRoleArn"]
        assert (own["MemorySize"], own["Architectures"]) == (512, ["arm64"])
        assert function["Concurrency"]["ReservedConcurrentExecutions"] == 5
        assert own["Environment"]["Variables"].items() >= variables.items()
        for actual in (function["Tags"], tags_of_group):
            assert {name: tag for name, tag in actual.items() if not name.startswith("aws:")} == tags


class TestUp:
    def test_updates_a_preview_and_renews_its_lifetime(self, at_aws: Account, up: Run, run: Run) -> None:
        first = up("aaa", tags=EXPIRED)
        (before,) = run("list")["previews"]
        second, repeated = up("bbb"), up("bbb")

        assert first["url"] == second["url"] == repeated["url"]
        assert second["version"] == repeated["version"]
        assert at_aws.ask(first["url"]) == answer("bbb")
        (after,) = run("list")["previews"]
        assert (after["commit"], after["since"]) == ("bbb", before["since"])
        assert after["expires"] == repeated["expires"] > before["expires"]
        (decision,) = run("sweep", "--spare", "0", "--open", str(NUMBER))["decisions"]
        assert decision == {"number": NUMBER, "goes": False, "why": "the pull request is open"}

    def test_leaves_the_live_version_if_the_smoke_test_fails(
        self, at_aws: Account, up: Run, run: Run, tmp_path: Path
    ) -> None:
        broken = write_package(tmp_path / "broken.zip", STAND_IN.replace("else 200", "else 500"))
        with pytest.raises(StageError, match="answers GET / without one with 500 instead of 200"):
            up("aaa", package=broken)
        assert not at_aws.url(NAME)
        assert not run("list")["previews"][0]["commit"]

        up("bbb")
        with pytest.raises(StageError, match="answers GET / without one with 500 instead of 200"):
            up("ccc", package=broken)
        assert at_aws.ask(at_aws.url(NAME)) == answer("bbb")
        assert run("list")["previews"][0]["commit"] == "bbb"

    def test_gives_the_reason_of_cloudformation_and_recovers(
        self, at_aws: Account, up: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = functions.function_settings
        layers = {"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:missing:1"]}
        with monkeypatch.context() as patch:
            patch.setattr(functions, "function_settings", lambda stage: settings(stage) | layers)
            with pytest.raises(StageError, match=r"could not be deployed \(ROLLBACK_COMPLETE\): Function: "):
                up("aaa")

        assert at_aws.ask(up("aaa")["url"]) == answer("aaa")

    def test_creates_nothing_without_its_prerequisites(
        self, at_aws: Account, up: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(StageError, match=r"lacks .*PreviewRoleArn"):
            up("aaa", moped={"stack": "moped-api-pr-7-notes"})
        monkeypatch.setattr(stack, "secret_value", lambda _name: "")
        with pytest.raises(StageError, match="missing or empty"):
            up("aaa")
        assert at_aws.of_previews() == []

    @pytest.mark.parametrize(
        ("module", "step"), [(smoke, "try_out"), (creation, "make_live")], ids=["before", "after"]
    )
    def test_gives_way_to_a_run_that_overtakes_its_smoke_test(
        self, at_aws: Account, up: Run, monkeypatch: pytest.MonkeyPatch, module: ModuleType, step: str
    ) -> None:
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
        assert at_aws.ask(at_aws.url(NAME)) == answer("ccc")


class TestInterruption:
    def test_is_repaired_by_the_next_run(self, at_aws: Account, up: Run, run: Run, stops: Stops) -> None:
        first = ["PutObject", "CreateStack", "UpdateStack"]
        second = ["PutObject", "UpdateStack", "UpdateStack"]
        for before, commit, changes in (("", "aaa", first), ("aaa", "bbb", second)):
            for call in stops(partial(up, commit)):
                assert call == changes.pop(0)
                url = at_aws.url(NAME)
                assert (at_aws.ask(url)["commit"] if url else "") in {before, commit}
            assert changes == []
            assert at_aws.ask(at_aws.url(NAME)) == answer(commit)

        file = {"Bucket": at_aws.bucket, "Key": f"previews/{NUMBER}/late.pdf"}
        for body in (b"one", b"two"):
            at_aws.client("s3").put_object(**file, Body=body)
        at_aws.client("s3").delete_object(**file)
        third = stops(partial(up, "ccc"))
        assert [next(third), next(third)] == ["PutObject", "UpdateStack"]  # which is still in progress
        assert list(stops(partial(run, "down", str(NUMBER)))) == ["DeleteStack", *["DeleteObjects"] * 2]
        assert at_aws.of_previews() == []


class TestDown:
    def test_works_while_the_stack_of_staging_is_updated(
        self, at_aws: Account, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        describe = stack_updates.describe

        def updating(name: str) -> Any:
            status = {"StackStatus": "UPDATE_IN_PROGRESS"} if name == "moped-staging" else {}
            return {**present, **status} if (present := describe(name)) else None

        monkeypatch.setattr(stack_updates, "describe", updating)
        at_aws.client("s3").put_object(Bucket=at_aws.bucket, Key=f"previews/{NUMBER}/x", Body=b"x")

        assert run("down", str(NUMBER))["left"] == []
        assert at_aws.of_previews() == []

    def test_lists_what_is_left_and_exits_with_3(self, at_aws: Account, run: Run) -> None:
        tags = {"project": "moped-api", "stage": f"pr_{NUMBER}"}
        queue = at_aws.client("sqs").create_queue(QueueName="made-by-hand", tags=tags)
        at_aws.create_function(NAME)

        for _ in range(2):  # the index of tags is late, and finds the queue the second time
            with pytest.raises(RemovalError) as refusal:
                run("down", str(NUMBER))

        at_aws.client("sqs").delete_queue(QueueUrl=queue["QueueUrl"])
        at_aws.client("lambda").delete_function(FunctionName=NAME)
        at_aws.client("logs").delete_log_group(logGroupName=LOG)
        assert refusal.value.returncode == 3
        for thing in (f"function {NAME}", f"log group {LOG}", "made-by-hand"):
            assert thing in str(refusal.value)
        with pytest.raises(RemovalError, match="made-by-hand"):  # the index lists it once more
            run("down", str(NUMBER))


class TestSweep:
    def test_decides_by_the_pull_requests_and_deletes(
        self, at_aws: Account, up: Run, run: Run, subtests: pytest.Subtests
    ) -> None:
        old = str(NUMBER)
        up("aaa", tags=EXPIRED)
        for words, why in (
            (["0", "--open", "7", "8"], "no open pull request has this number"),
            (["0", "--open", f"{old}:no-preview"], "it is labelled no-preview"),
            (["0", "--open", f"{old}:keep"], "it has expired, and is labelled keep"),
            (["60", "--open", old], "it has expired on 2020-01-01, but it was changed a moment ago"),
        ):
            with subtests.test(why):
                decision = {"number": NUMBER, "goes": "it has" not in why, "why": why}
                assert run("sweep", "--spare", *words)["decisions"] == [decision]
        assert at_aws.url(NAME)

        run("sweep", "--spare", "0", "--yes", "--open", old)
        assert at_aws.of_previews() == []

    def test_deletes_files_that_are_left_and_goes_on_after_a_failure(
        self, at_aws: Account, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        outputs = Mock(wraps=stack_updates.outputs)
        monkeypatch.setattr(stack_updates, "outputs", outputs)
        for number in (411, NUMBER):
            at_aws.client("s3").put_object(Bucket=at_aws.bucket, Key=f"previews/{number}/x", Body=b"x")
        at_aws.create_function("moped-api-pr-411")

        with pytest.raises(RemovalError, match=r"pr_411: .*function moped-api-pr-411"):
            run("sweep", "--yes", "--open")

        assert outputs.call_count == 1  # however many previews there are
        at_aws.client("lambda").delete_function(FunctionName="moped-api-pr-411")
        at_aws.client("logs").delete_log_group(logGroupName="/aws/lambda/moped-api-pr-411")
        assert at_aws.of_previews() == []


class TestOutput:
    def test_is_text_without_json(self, at_aws: Account) -> None:
        out = io.StringIO()
        call_command("preview", "list", stdout=out)

        assert out.getvalue() == "0 previews\n"

    def test_is_json_for_a_failure_too(self, at_aws: Account) -> None:
        out, overlay = io.StringIO(), at_aws.overlay(moped={"stack": "missing"})
        with pytest.raises(StageError):
            call_command("preview", "up", "7", "--overlay", overlay, "--json", stdout=out)

        assert "There is no stack missing" in json.loads(out.getvalue())["error"]

    @pytest.mark.parametrize("words", [("up", "twelve"), ("down", "twelve"), ("sweep", "--yes")])
    def test_names_a_wrong_argument(self, words: tuple[str, ...]) -> None:
        message = "is not the number of a pull request|--open --open-from is required"
        with pytest.raises(CommandError, match=message):
            call_command("preview", *words)
