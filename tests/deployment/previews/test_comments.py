"""The one comment; `gh` is played by a script that notes what it is asked."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from django.core.management import call_command

from apps.deployment.errors import StageError
from apps.deployment.management.commands.preview import ACTIONS
from apps.deployment.paths import PROJECT
from apps.deployment.previews import comments

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

URL = "https://abc.lambda-url.us-east-1.on.aws"
UP = {
    "url": URL,
    "commit": "3f64c53a1b2c",
    "expires": "2026-12-02T23:10:57+00:00",
    "seconds": 41.6,
    "logs": "https://console.example/logs",
    "curl": f'curl -H "Authorization: Bearer $TOKEN" {URL}/auth/current_user',
}
GH = """#!{python}
import json, sys
words = sys.argv[1:]
if "--paginate" in words:
    print(open({comments!r}).read())
else:
    body = open(words[-1].removeprefix("body=@")).read()
    open({sent!r}, "a").write(json.dumps([words[:-1], body]) + "\\n")
"""


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Callable[[], list[Any]]]:
    """Put a `gh` on the path that knows these comments; return a reader of what it was sent."""
    sent, found = tmp_path / "sent", tmp_path / "comments.json"

    def with_comments(*pages: list[dict[str, Any]]) -> Callable[[], list[Any]]:
        found.write_text(json.dumps(pages))
        program = tmp_path / "gh"
        program.write_text(GH.format(python=sys.executable, comments=str(found), sent=str(sent)))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        return lambda: [json.loads(line) for line in sent.read_text().splitlines()] if sent.exists() else []

    return with_comments


def comment(number: int, body: str, kind: str = "Bot") -> dict[str, Any]:
    return {"id": number, "body": body, "user": {"type": kind}}


class TestBody:
    def test_says_where_it_is_and_how_to_ask_it(self) -> None:
        text = comments.body(UP)

        for said in (URL, f"{URL}/docs/", UP["commit"], UP["curl"], UP["logs"], "2026-12-02", "42 s"):
            assert str(said) in text

    def test_says_that_it_is_gone(self) -> None:
        assert "the pull request is closed. Nothing of one is left." in comments.body(
            {"preview": "pr_12", "left": [], "why": "the pull request is closed"}
        )

    def test_says_why_there_is_none(self) -> None:
        assert "There is no role x." in comments.body({"error": "There is no role x."})


class TestPost:
    def test_edits_its_own_comment_wherever_it_stands(self, github: Any) -> None:
        others = [comment(1, "nice"), comment(2, f"{comments.MARK} copied", kind="User")]
        sent = github(others, [comment(3, f"{comments.MARK}\nolder")])

        text = comments.body(UP)  # of this minute, which the next line may not be in
        assert comments.post(12, text, "owner/name") == "edited comment 3"

        ((words, body),) = sent()
        assert words[3:5] == ["PATCH", "repos/owner/name/issues/comments/3"]
        assert body == text

    def test_writes_one_where_there_is_none(self, github: Any) -> None:
        sent = github([comment(1, "nice")])

        comments.post(12, "text", "owner/name")

        assert sent()[0][0][3:5] == ["POST", "repos/owner/name/issues/12/comments"]

    def test_says_nothing_under_a_request_that_never_had_a_preview(self, github: Any) -> None:
        sent = github([comment(1, "nice")])

        gone = {"preview": "pr_12", "left": [], "why": "the pull request is closed"}
        assert (
            comments.post(12, comments.body(gone), "owner/name", new=comments.is_news(gone))
            == "nothing to say"
        )
        assert sent() == []

    def test_says_what_github_says(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        program = tmp_path / "gh"
        program.write_text("#!/bin/sh\necho 'HTTP 403: forbidden'; exit 1\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

        with pytest.raises(StageError, match="Could not ask GitHub: HTTP 403: forbidden"):
            comments.post(12, "text", "owner/name")

    def test_is_a_command(self, github: Any, tmp_path: Path) -> None:
        sent = github([])
        result, out = tmp_path / "result.json", io.StringIO()
        result.write_text(json.dumps(UP))

        call_command(
            "preview", "comment", "12", "--result", str(result), "--repository", "owner/name", stdout=out
        )

        assert out.getvalue() == "wrote a comment\n"
        assert URL in sent()[0][1]

    @pytest.mark.parametrize("words", [[], ["--result", "nowhere.json"]])
    def test_wants_a_result(self, words: list[str]) -> None:
        with pytest.raises(StageError, match="follow --json"):
            call_command("preview", "comment", "12", *words)


WORKFLOWS = PROJECT / ".github" / "workflows"


def jobs() -> dict[str, dict[str, Any]]:
    preview = yaml.safe_load((WORKFLOWS / "preview.yml").read_text())
    nightly = yaml.safe_load((WORKFLOWS / "nightly.yml").read_text())
    return {"follow": preview["jobs"]["follow"], "sweep": nightly["jobs"]["sweep"]}


class TestWorkflows:
    def test_bring_one_request_after_the_other_and_cut_nothing_off(self) -> None:
        workflow = yaml.safe_load((WORKFLOWS / "preview.yml").read_text())

        assert workflow["concurrency"] == {
            "group": "preview-${{ github.event.pull_request.number }}",
            "cancel-in-progress": False,
        }
        assert workflow[True]["pull_request"]["types"] == ["opened", "reopened", "synchronize", "closed"]

    @pytest.mark.parametrize("job", ["follow", "sweep"])
    def test_run_our_commands_and_decide_nothing(self, job: str) -> None:
        lines = [step["run"] for step in jobs()[job]["steps"] if "run" in step]

        for line in lines:
            assert not re.search(r"[;|&\n`]|\$\(|\bif\b|\bfor\b", line), line
        ours = [line.split()[3] for line in lines if "manage.py preview" in line]
        assert set(ours) <= set(ACTIONS)
        assert ours == (["follow", "comment"] if job == "follow" else ["sweep"])

    @pytest.mark.parametrize("job", ["follow", "sweep"])
    def test_ask_github_for_what_we_read(self, job: str) -> None:
        (line,) = [step["run"] for step in jobs()[job]["steps"] if step.get("run", "").startswith("gh ")]

        asked = line.split("--json ")[1].split()[0].split(",")
        assert asked == ["author", "isCrossRepository", "labels", "number", "state"]

    @pytest.mark.parametrize("job", ["follow", "sweep"])
    def test_are_given_the_role_of_previews(self, job: str) -> None:
        assert jobs()[job]["environment"] == "preview"
