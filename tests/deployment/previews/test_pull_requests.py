"""Names of previews, pull requests, and what AWS refuses."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from apps.core.errors import UpstreamError
from apps.deployment.errors import BusyError, StageError, as_stage_error
from apps.deployment.previews import names, pull_requests
from apps.deployment.settings import zappa_settings

REQUEST = {
    "number": 12,
    "state": "OPEN",
    "labels": [{"name": "keep"}],
    "isCrossRepository": False,
    "author": {"login": "ada"},
}


class TestNames:
    def test_are_those_that_zappa_would_give(self) -> None:
        settings = zappa_settings.flattened(zappa_settings.read(), "preview")

        assert names.function(12) == zappa_settings.function_name(settings, names.stage(12))

    @pytest.mark.parametrize("number", [1, 12, 9_999_999])
    def test_lead_back_to_their_number(self, number: int) -> None:
        assert names.after(names.FUNCTIONS, names.function(number)) == number
        assert names.after(names.FILES, names.files(number)) == number

    @pytest.mark.parametrize(
        "name",
        [
            "moped-api-production",
            "moped-api-preview",
            "moped-api-pr-",
            "moped-api-pr-0",
            "moped-api-pr-07",
            "moped-api-pr-7-notes",
            "moped-api-pr-x",
            "a-moped-api-pr-7",
            "moped-api-pr-7\n",
            "moped-api-pr-\u0667",
            "moped-api-pr-12345678",
        ],
    )
    def test_of_others_have_no_number(self, name: str) -> None:
        assert names.after(names.FUNCTIONS, name) is None

    def test_have_no_underscore_where_the_editor_counts_them(self) -> None:
        assert "_" not in names.files(12)


class TestParseNumbers:
    def test_reads_numbers_and_labels(self) -> None:
        requests = pull_requests.parse_numbers(["12", "13:keep", "14:no-preview"])

        assert [(one.number, set(one.labels), one.why_not) for one in requests] == [
            (12, set(), ""),
            (13, {"keep"}, ""),
            (14, {"no-preview"}, "it is labelled no-preview"),
        ]

    @pytest.mark.parametrize("word", ["x", "12:kept", "#12", ""])
    def test_refuses_anything_else(self, word: str) -> None:
        with pytest.raises(StageError):
            pull_requests.parse_numbers([word])


class TestParseList:
    def test_reads_what_github_prints(self) -> None:
        (request,) = pull_requests.parse_list(json.dumps([REQUEST]))

        assert (request.number, request.owner, set(request.labels), request.why_not) == (
            12,
            "ada",
            {"keep"},
            "",
        )

    @pytest.mark.parametrize("text", ["", "{}", "null", "[1]", '[{"number": 12}]', '[{"number": "x"}]'])
    def test_never_takes_a_broken_list_for_an_empty_one(self, text: str) -> None:
        with pytest.raises(StageError):
            pull_requests.parse_list(text)

    def test_refuses_a_list_that_may_have_been_cut_off(self) -> None:
        many = [{**REQUEST, "number": number} for number in range(1, pull_requests.LIMIT + 1)]
        with pytest.raises(StageError, match="may have been cut off"):
            pull_requests.parse_list(json.dumps(many))


class TestAsStageError:
    @pytest.mark.parametrize(
        ("code", "message", "said"),
        [
            ("ExpiredTokenException", "x", "have expired: get new ones and run this again"),
            ("AccessDeniedException", "not authorized to perform: x", "may not do this: not authorized"),
            ("SomethingNew", "with\nlines", "AWS could not be asked: .* with lines"),
        ],
    )
    def test_is_one_sentence_that_says_what_to_do(self, code: str, message: str, said: str) -> None:
        explained = as_stage_error(failure(code, message))

        assert "\n" not in str(explained)
        with pytest.raises(StageError, match=said):
            raise explained

    def test_takes_a_missing_resource_for_another_runs_doing(self) -> None:
        assert isinstance(as_stage_error(failure("ResourceNotFoundException", "x")), BusyError)


def failure(code: str, message: str) -> UpstreamError:
    error = UpstreamError()
    error.__cause__ = ClientError({"Error": {"Code": code, "Message": message}}, "CreateFunction")
    return error
