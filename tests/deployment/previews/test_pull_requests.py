"""Names and settings of previews, pull requests, and what AWS refuses."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from django.urls import reverse

from apps.core.errors import UpstreamError
from apps.deployment.errors import BusyError, StageError, as_stage_error
from apps.deployment.previews import names, pull_requests
from apps.deployment.settings import zappa_settings
from tests.deployment.template import parameters

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Source = Callable[[str], str]

REQUEST = {
    "number": 12,
    "state": "OPEN",
    "labels": [{"name": "keep"}],
    "isCrossRepository": False,
    "author": {"login": "ada"},
}


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Return a maker of files that `gh pr` wrote."""

    def write(text: str) -> str:
        (tmp_path / "pull-requests.json").write_text(text)
        return str(tmp_path / "pull-requests.json")

    return write


class TestNames:
    def test_are_those_that_zappa_would_give(self) -> None:
        settings = zappa_settings.flattened(zappa_settings.read(), names.PATTERN)

        assert names.function(12) == zappa_settings.function_name(settings, names.stage(12))

    @pytest.mark.parametrize("number", [1, 12, 9_999_999])
    def test_contain_their_number(self, number: int) -> None:
        assert names.number(str(number)) == number
        assert names.after(names.FUNCTIONS, names.function(number)) == number
        assert names.after(names.FILES, names.files(number)[:-1]) == number
        assert "_" not in names.files(number)  # the editor counts underscores in keys

    @pytest.mark.parametrize(
        "text", ["", "0", "07", "7-notes", "7\n", "\u0667", "12345678", "pr_12", "12;rm"]
    )
    def test_of_others_have_no_number(self, text: str) -> None:
        assert names.after(names.FUNCTIONS, f"moped-api-pr-{text}") is None
        with pytest.raises(ArgumentTypeError, match="is not the number of a pull request"):
            names.number(text)

    @pytest.mark.parametrize("name", ["moped-api-production", "moped-api-pr", "a-moped-api-pr-7"])
    def test_have_the_whole_prefix(self, name: str) -> None:
        assert names.after(names.FUNCTIONS, name) is None


class TestSignIn:
    def test_comes_back_to_staging(self) -> None:
        document = zappa_settings.read()
        domain = zappa_settings.flattened(document, "staging")["domain"]
        preview = zappa_settings.flattened(document, "preview")["aws_environment_variables"]

        page = f"https://{domain}{reverse('auth-preview')}"
        assert preview["MOPED_API_SIGN_IN_RELAY"] == page
        assert parameters()["PreviewCallbackUrl"]["Default"] == page


class TestOpenRequest:
    @pytest.mark.parametrize(
        ("word", "is_kept", "why"),
        [("12", False, ""), ("12:keep", True, ""), ("12:no-preview", False, "it is labelled no-preview")],
    )
    def test_reads_a_number_and_a_label(self, word: str, *, is_kept: bool, why: str) -> None:
        request = pull_requests.open_request(word)

        assert (request.number, request.has("keep"), request.why_not) == (12, is_kept, why)

    @pytest.mark.parametrize("word", ["x", "12:kept", "#12", ""])
    def test_refuses_anything_else(self, word: str) -> None:
        with pytest.raises(ArgumentTypeError):
            pull_requests.open_request(word)


class TestRead:
    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({}, ""),
            ({"state": "CLOSED"}, "the pull request is closed"),
            ({"isCrossRepository": True}, "the branch is a fork's"),
            ({"labels": [{"name": "no-preview"}]}, "it is labelled no-preview"),
        ],
    )
    def test_says_why_a_request_has_no_preview(
        self, source: Source, changes: dict[str, Any], why: str
    ) -> None:
        request = pull_requests.read(source(json.dumps(REQUEST | changes)))

        assert (request.number, request.author["login"], request.why_not) == (12, "ada", why)

    def test_reads_a_list(self, source: Source) -> None:
        assert [each.has("keep") for each in pull_requests.read_list(source(json.dumps([REQUEST])))] == [True]

    @pytest.mark.parametrize(
        "text",
        [
            *("", "{}", "null", "[1]", '[{"number": 12}]', '[{"number": "x"}]'),
            *(json.dumps([REQUEST | broken]) for broken in ({"labels": [{}]}, {"author": {}})),
        ],
    )
    def test_does_not_take_a_broken_list_for_an_empty_one(self, source: Source, text: str) -> None:
        with pytest.raises(ArgumentTypeError, match="is not what `gh pr` prints"):
            pull_requests.read_list(source(text))

    def test_refuses_a_list_that_may_have_been_cut_off(self, source: Source) -> None:
        requests = [{**REQUEST, "number": number} for number in range(1, 1001)]
        with pytest.raises(ArgumentTypeError, match="may have been cut off"):
            pull_requests.read_list(source(json.dumps(requests)))

    def test_names_a_missing_file(self) -> None:
        with pytest.raises(ArgumentTypeError, match="/missing cannot be read: No such file"):
            pull_requests.read("/missing")


class TestAsStageError:
    @pytest.mark.parametrize(
        ("code", "message", "sentence"),
        [
            ("ExpiredTokenException", "x", "have expired: get new ones and run this again"),
            ("AccessDeniedException", "not authorized to perform: x", "may not do this: not authorized"),
            ("SomethingNew", "with\nlines", "AWS could not be asked: .* with lines"),
        ],
    )
    def test_is_one_sentence_that_says_what_to_do(self, code: str, message: str, sentence: str) -> None:
        explained = as_stage_error(failure(code, message))

        assert "\n" not in str(explained)
        with pytest.raises(StageError, match=sentence):
            raise explained

    def test_takes_a_missing_resource_for_another_run(self) -> None:
        assert isinstance(as_stage_error(failure("ResourceNotFoundException", "x")), BusyError)


def failure(code: str, message: str) -> UpstreamError:
    error = UpstreamError()
    error.__cause__ = ClientError({"Error": {"Code": code, "Message": message}}, "CreateFunction")
    return error
