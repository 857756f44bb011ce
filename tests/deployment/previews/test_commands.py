"""`manage.py preview` as one types it, at an account that has staging and production in it."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from django.core.management import call_command

from apps.core.aws import clients
from apps.deployment.aws import stack
from apps.deployment.errors import BusyError, LeftBehindError, StageError
from apps.deployment.previews import function_url, names
from apps.deployment.settings import zappa_settings
from tests.deployment.previews.aws_account import GATEWAY, STAND_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.deployment.previews.aws_account import Account

    Type = Callable[..., dict[str, Any]]

pytestmark = [pytest.mark.slow(cost=60), pytest.mark.emulator]

NUMBER = 412
# What Lambda says (the first is an InvalidParameterValueException like any other).
QUOTAS = (
    (
        "InvalidParameterValueException",
        (
            "Specified ReservedConcurrentExecutions for function decreases account's"
            " UnreservedConcurrentExecution below its minimum value of [100]."
        ),
    ),
    ("CodeStorageExceededException", "Code storage limit exceeded."),
)


@pytest.fixture
def typed(at_aws: Account, capfd: pytest.CaptureFixture[str]) -> Iterator[Type]:
    """Type a command in this process and return the object that it prints; in the end nothing is left."""

    def run(*words: str) -> dict[str, Any]:
        out = io.StringIO()
        call_command("preview", *words, "--json", stdout=out)
        return dict(json.loads(out.getvalue()))

    yield run
    if at_aws.of_previews():
        for number in (NUMBER, NUMBER + 1):
            run("down", str(number))
    assert at_aws.of_previews() == []


@pytest.fixture
def up(at_aws: Account, typed: Type) -> Type:
    """Bring the preview to a commit."""

    def bring(commit: str = "aaa", number: int = NUMBER, *words: str) -> dict[str, Any]:
        package, overlay = str(at_aws.package.path), str(at_aws.overlay())
        given = ("--commit", commit, "--package", package, "--overlay", overlay)
        return typed("up", str(number), *given, *words)

    return bring


class TestUp:
    def test_gives_a_url_that_answers_with_its_commit(self, at_aws: Account, up: Type) -> None:
        first = up("aaa")
        second = up("bbb")

        assert first["url"] == second["url"] == at_aws.url(NUMBER).rstrip("/")
        assert at_aws.ask(first["url"]) == (200, {"commit": "bbb", "stage": f"pr_{NUMBER}", "built": ""})
        assert first["curl"].endswith(f"{first['url']}/auth/current_user")

    def test_gives_it_the_configuration_that_all_of_them_share(self, at_aws: Account, up: Type) -> None:
        up()

        made = at_aws.function(NUMBER)
        configuration, variables = made["Configuration"], made["Configuration"]["Environment"]["Variables"]
        assert configuration["Role"] == at_aws.made["staging"]["PreviewRoleArn"]
        assert (configuration["MemorySize"], made["Concurrency"]["ReservedConcurrentExecutions"]) == (512, 5)
        assert variables["COGNITO_USERPOOL_ID"] == at_aws.made["staging"]["UserPoolId"]
        assert variables["DATABASE_URL"] == at_aws.made["staging"]["PreviewDatabaseUrl"]
        assert variables["MOPED_API_READ_ONLY"] == "true"
        assert variables["MOPED_API_UPLOADS_PREFIX"] == f"previews/{NUMBER}/"
        assert "MOPED_API_BROWSER_SIGN_IN" not in variables

    def test_moves_it_to_another_processor(self, at_aws: Account, up: Type, tmp_path: Path) -> None:
        overlay = json.loads(at_aws.overlay().read_text()) | {"architecture": "arm64"}
        (tmp_path / "arm64.json").write_text(json.dumps(overlay))
        up("aaa")

        package = str(at_aws.stand_in("arm64").path)
        up("bbb", NUMBER, "--package", package, "--overlay", str(tmp_path / "arm64.json"))

        assert at_aws.function(NUMBER)["Configuration"]["Architectures"] == ["arm64"]

    def test_labels_everything_with_whose_it_is_and_until_when(self, at_aws: Account, up: Type) -> None:
        raised = up("aaa", NUMBER, "--owner", "dependabot[bot]")

        group = f"arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/{names.function(NUMBER)}"
        for tags in (
            at_aws.function(NUMBER)["Tags"],
            at_aws.client("logs").list_tags_for_resource(resourceArn=group)["tags"],
        ):
            assert tags == {
                "project": "moped-api",
                "stage": f"pr_{NUMBER}",
                "pull-request": str(NUMBER),
                "commit": "aaa",
                "owner": "dependabot-bot-",
                "since": tags["since"],
                "expires": raised["expires"],
            }

    def test_renews_its_time_and_remembers_since_when(self, at_aws: Account, up: Type) -> None:
        up("aaa")
        born = at_aws.function(NUMBER)["Tags"]["since"]
        at_aws.lapse(NUMBER)
        raised = up("bbb")

        tags = at_aws.function(NUMBER)["Tags"]
        assert (tags["since"], tags["expires"], tags["commit"]) == (born, raised["expires"], "bbb")

    def test_again_changes_nothing(self, at_aws: Account, up: Type) -> None:
        first, again = up("aaa"), up("aaa")

        assert first["version"] == again["version"]
        assert (
            len(
                at_aws.client("lambda").list_versions_by_function(FunctionName=names.function(NUMBER))[
                    "Versions"
                ]
            )
            == 2
        )

    def test_that_does_not_answer_as_it_should_leaves_what_answers(self, at_aws: Account, up: Type) -> None:
        broken = at_aws.stand_in("broken", STAND_IN.replace("else 200", "else 500"))
        with pytest.raises(StageError, match="answers GET / without one with 500 instead of 200"):
            up("aaa", NUMBER, "--package", str(broken.path))
        assert not at_aws.url(NUMBER), "it has answered nothing yet: nobody should see it"

        up("bbb")
        with pytest.raises(StageError, match="instead of 200"):
            up("ccc", NUMBER, "--package", str(broken.path))
        assert at_aws.ask(at_aws.url(NUMBER)) == (
            200,
            {"commit": "bbb", "stage": f"pr_{NUMBER}", "built": ""},
        )

    def test_of_a_package_that_says_another_commit_is_refused(self, at_aws: Account, up: Type) -> None:
        liar = at_aws.stand_in("liar", STAND_IN.replace('os.environ["MOPED_API_COMMIT"]', '"another"'))
        with pytest.raises(StageError, match="says that it is of commit another, not aaa"):
            up("aaa", NUMBER, "--package", str(liar.path))

    @pytest.mark.parametrize("said", QUOTAS)
    def test_says_that_the_account_is_full(
        self, at_aws: Account, up: Type, monkeypatch: pytest.MonkeyPatch, said: tuple[str, str]
    ) -> None:
        def full(**_wanted: Any) -> Any:
            raise ClientError({"Error": {"Code": said[0], "Message": said[1]}}, "PutFunctionConcurrency")

        with monkeypatch.context() as patch:
            patch.setattr(clients.lambda_client(), "put_function_concurrency", full)
            with pytest.raises(StageError, match=r"has no room for it: .*preview sweep"):
                up()
        assert not at_aws.url(NUMBER)

        up()
        assert at_aws.url(NUMBER)

    @pytest.mark.parametrize("text", ["abc", "0", "007", "12345678", "pr_12", "12;rm", "١٢"])
    def test_refuses_what_is_no_number(self, typed: Type, text: str) -> None:
        for action in ("up", "down"):
            with pytest.raises(StageError, match="is not the number of a pull request"):
                typed(action, text)

    @pytest.mark.parametrize(
        ("break_it", "because"),
        [
            ("role", "There is no role .*: update the stack"),
            ("secret", "missing or empty"),
            ("bucket", "There is no bucket gone"),
        ],
    )
    def test_looks_before_it_makes_anything(
        self, at_aws: Account, up: Type, monkeypatch: pytest.MonkeyPatch, break_it: str, because: str
    ) -> None:

        output = {"role": "FunctionRoleArn", "secret": "ConfigurationSecret", "bucket": "UploadsBucket"}[
            break_it
        ]
        outputs = stack.outputs
        with monkeypatch.context() as patch:
            patch.setattr(stack, "outputs", lambda *given: outputs(*given) | {output: "gone"})
            with pytest.raises(StageError, match=because):
                up()

        assert at_aws.of_previews() == []

    def test_says_that_the_stack_is_not_set_up_for_previews(
        self, at_aws: Account, up: Type, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        document = zappa_settings.merged(
            zappa_settings.read(), {"preview": {"moped": {"stack": "moped-production"}}}
        )
        monkeypatch.setattr(zappa_settings, "read", lambda: dict(document))
        with pytest.raises(StageError, match=r"lacks .*PreviewRoleArn"):
            up()

    def test_gives_way_to_another_that_changes_it_too(
        self, at_aws: Account, up: Type, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        up("aaa")
        client = clients.lambda_client_long_timeout()
        update = client.update_function_configuration

        def somebody_was_faster(**wanted: Any) -> Any:
            update(FunctionName=names.function(NUMBER), Description="somebody else's")
            return update(**wanted)

        with monkeypatch.context() as patch:
            patch.setattr(client, "update_function_configuration", somebody_was_faster)
            with pytest.raises(BusyError, match="Somebody else is changing") as refusal:
                up("bbb")

        assert refusal.value.returncode == 4
        assert at_aws.ask(at_aws.url(NUMBER))[1]["commit"] == "aaa"


class TestDown:
    def test_removes_everything_twice_without_complaint(self, at_aws: Account, up: Type, typed: Type) -> None:
        up()
        for version in (b"one", b"two"):
            at_aws.client("s3").put_object(Bucket=at_aws.bucket, Key=f"previews/{NUMBER}/x", Body=version)
        at_aws.client("s3").delete_object(Bucket=at_aws.bucket, Key=f"previews/{NUMBER}/x")

        said = typed("down", str(NUMBER))["said"]

        assert f"removed 3 versions of files below previews/{NUMBER}/" in said
        assert at_aws.of_previews() == []
        assert typed("down", str(NUMBER))["said"] == [f"pr_{NUMBER}: nothing is left"]

    def test_says_what_is_left_and_exits_with_3(self, at_aws: Account, typed: Type) -> None:
        tags = [{"Key": "project", "Value": "moped-api"}, {"Key": "stage", "Value": f"pr_{NUMBER}"}]
        at_aws.client("dynamodb").create_table(
            TableName="made-by-hand",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=tags,
        )

        with pytest.raises(
            LeftBehindError, match=f"Of pr_{NUMBER} there is still: .*made-by-hand"
        ) as refusal:
            typed("down", str(NUMBER))

        assert refusal.value.returncode == 3
        at_aws.client("dynamodb").delete_table(TableName="made-by-hand")

    def test_removes_what_zappa_would_have_made_too(self, at_aws: Account, typed: Type) -> None:
        at_aws._create_stack(names.function(NUMBER), GATEWAY, {})

        said = typed("down", str(NUMBER))["said"]

        assert f"removed stack {names.function(NUMBER)}" in said

    def test_never_takes_the_mapping_of_another_stages_domain_along(
        self, at_aws: Account, up: Type, typed: Type, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Zappa's `undeploy` deletes the mapping of the domain in its settings: of one that was inherited.
        up()
        domain = "moped-api-production.austinmobility.io"
        before = at_aws.client("apigateway").get_base_path_mappings(domainName=domain)["items"]
        document = zappa_settings.merged(zappa_settings.read(), {"preview": {"domain": domain}})
        with monkeypatch.context() as patch:
            patch.setattr(zappa_settings, "read", lambda: dict(document))
            with pytest.raises(StageError, match="domain belongs to a stage that stays"):
                up("bbb")
            typed("down", str(NUMBER))

        assert before
        assert at_aws.client("apigateway").get_base_path_mappings(domainName=domain)["items"] == before


class TestList:
    def test_shows_what_runs_and_what_is_left_of_something(
        self, at_aws: Account, up: Type, typed: Type
    ) -> None:
        raised = up("aaa", NUMBER, "--owner", "ada")
        at_aws.client("logs").create_log_group(logGroupName=names.log_group(NUMBER + 1))

        whole, part = typed("list")["previews"]

        assert {name: whole[name] for name in ("number", "commit", "owner", "url", "expires")} == {
            "number": NUMBER,
            "commit": "aaa",
            "owner": "ada",
            "url": raised["url"],
            "expires": raised["expires"],
        }
        assert (part["number"], part["commit"], part["url"]) == (NUMBER + 1, "", "")

    def test_shows_the_commit_that_answers_not_the_one_that_was_tried(
        self, at_aws: Account, up: Type, typed: Type
    ) -> None:
        up("aaa")
        at_aws.client("lambda").update_function_configuration(
            FunctionName=names.function(NUMBER), Environment={"Variables": {"MOPED_API_COMMIT": "bbb"}}
        )

        assert typed("list")["previews"][0]["commit"] == "aaa"


class TestSweep:
    def test_only_says_what_it_would_do(self, at_aws: Account, up: Type, typed: Type) -> None:
        up()

        said = typed("sweep", "--open", "--spare", "0")["said"]

        assert said[0] == f"pr_{NUMBER} goes: no open pull request has this number"
        assert at_aws.url(NUMBER)

    @pytest.mark.parametrize(
        ("words", "goes"),
        [
            (["--open", "7", "8"], True),
            (["--open", str(NUMBER)], False),
            (["--open", f"{NUMBER}:no-preview"], True),
            (["--open", "7", "--spare", "60"], False),
        ],
        ids=["closed", "open", "opted out", "changed a moment ago"],
    )
    def test_removes_what_is_not_wanted(
        self,
        at_aws: Account,
        up: Type,
        typed: Type,
        words: list[str],
        goes: bool,  # noqa: FBT001 (a case)
    ) -> None:
        up()

        typed("sweep", "--yes", *([] if "--spare" in words else ["--spare", "0"]), *words)

        assert bool(at_aws.of_previews()) != goes

    @pytest.mark.parametrize(("label", "goes"), [("", True), (":keep", False)])
    def test_removes_what_has_expired_unless_it_is_kept(
        self,
        at_aws: Account,
        up: Type,
        typed: Type,
        label: str,
        goes: bool,  # noqa: FBT001 (a case)
    ) -> None:
        up()
        at_aws.lapse(NUMBER)

        typed("sweep", "--yes", "--spare", "0", "--open", f"{NUMBER}{label}")

        assert bool(at_aws.of_previews()) != goes

    def test_mends_what_was_removed_by_half(self, at_aws: Account, up: Type, typed: Type) -> None:
        up()
        function_url.shut(names.function(NUMBER))
        clients.lambda_client().delete_function(FunctionName=names.function(NUMBER))
        at_aws.client("s3").put_object(Bucket=at_aws.bucket, Key=f"previews/{NUMBER + 1}/late.pdf", Body=b"x")

        typed("sweep", "--yes", "--spare", "0", "--open")

        assert at_aws.of_previews() == []

    def test_wants_to_know_what_is_open(self, typed: Type) -> None:
        with pytest.raises(StageError, match="Say which pull requests are open"):
            typed("sweep", "--yes")

    def test_reads_what_github_prints(self, at_aws: Account, up: Type, typed: Type, tmp_path: Path) -> None:
        up()
        path = tmp_path / "open.json"
        path.write_text(json.dumps([request(NUMBER), request(7)]))

        typed("sweep", "--yes", "--spare", "0", "--open-from", str(path))

        assert at_aws.url(NUMBER)


def request(number: int, **changes: Any) -> dict[str, Any]:
    usual = {"state": "OPEN", "labels": [], "isCrossRepository": False, "author": {"login": "ada"}}
    return {"number": number, **usual, **changes}


class TestFollow:
    @pytest.fixture
    def followed(self, at_aws: Account, typed: Type, tmp_path: Path) -> Type:
        def follow(**changes: Any) -> dict[str, Any]:
            path = tmp_path / "request.json"
            path.write_text(json.dumps(request(NUMBER, **changes)))
            package, overlay = str(at_aws.package.path), str(at_aws.overlay())
            return typed(
                "follow",
                "--request",
                str(path),
                "--package",
                package,
                "--overlay",
                overlay,
                "--commit",
                "aaa",
            )

        return follow

    def test_makes_the_preview_of_an_open_request(self, at_aws: Account, followed: Type) -> None:
        raised = followed()

        assert at_aws.ask(raised["url"])[1]["commit"] == "aaa"
        assert at_aws.function(NUMBER)["Tags"]["owner"] == "ada"

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"state": "CLOSED"}, "the pull request is closed"),
            ({"state": "MERGED"}, "the pull request is closed"),
            ({"isCrossRepository": True}, "the branch is a fork's"),
            ({"labels": [{"name": "no-preview"}]}, "it is labelled no-preview"),
        ],
    )
    def test_removes_it_where_there_should_be_none(
        self, at_aws: Account, followed: Type, changes: dict[str, Any], why: str
    ) -> None:
        followed()

        assert followed(**changes)["why"] == why
        assert at_aws.of_previews() == []


class TestPlainText:
    def test_is_for_people(self, at_aws: Account) -> None:
        out = io.StringIO()
        call_command("preview", "list", stdout=out)

        assert out.getvalue() == "0 previews\n"

    def test_of_a_failure_is_one_object_too_where_that_was_asked_for(self, at_aws: Account) -> None:
        out = io.StringIO()
        with pytest.raises(StageError):
            call_command("preview", "down", "x", "--json", stdout=out)

        assert "is not the number" in json.loads(out.getvalue())["error"]
