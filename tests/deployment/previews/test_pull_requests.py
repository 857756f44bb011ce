"""What decides about a preview, as it is typed and as GitHub prints it."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from apps.core.errors import UpstreamError
from apps.deployment.errors import BusyError, StageError
from apps.deployment.previews import aws_errors, names, pull_requests
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
        assert names.after(names.LOG_GROUPS, names.log_group(number)) == number
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
    def test_of_others_are_nobodys(self, name: str) -> None:
        assert names.after(names.FUNCTIONS, name) is None

    def test_have_no_underscore_where_the_editor_counts_them(self) -> None:
        assert "_" not in names.files(12)


class TestTyped:
    def test_reads_numbers_and_labels(self) -> None:
        found = pull_requests.parse_numbers(["12", "13:keep", "14:no-preview"])

        assert {number: (one.is_kept, one.why_not) for number, one in found.items()} == {
            12: (False, ""),
            13: (True, ""),
            14: (False, "it is labelled no-preview"),
        }

    @pytest.mark.parametrize("word", ["x", "12:kept", "#12", ""])
    def test_refuses_anything_else(self, word: str) -> None:
        with pytest.raises(StageError):
            pull_requests.parse_numbers([word])


class TestListed:
    def test_reads_what_github_prints(self) -> None:
        (found,) = pull_requests.parse_list(json.dumps([REQUEST])).values()

        assert (found.number, found.owner, found.is_kept, found.why_not) == (12, "ada", True, "")

    @pytest.mark.parametrize("text", ["", "{}", "null", "[1]", '[{"number": 12}]', '[{"number": "x"}]'])
    def test_never_takes_a_broken_list_for_an_empty_one(self, text: str) -> None:
        with pytest.raises(StageError):
            pull_requests.parse_list(text)

    def test_refuses_a_list_that_may_have_been_cut_off(self) -> None:
        many = [{**REQUEST, "number": number} for number in range(1, pull_requests.LIMIT + 1)]
        with pytest.raises(StageError, match="may have been cut off"):
            pull_requests.parse_list(json.dumps(many))


class TestExplained:
    @pytest.mark.parametrize(
        ("code", "message", "said"),
        [
            ("ExpiredTokenException", "x", "have expired: get new ones and run this again"),
            ("AccessDeniedException", "not authorized to perform: x", "may not do this: not authorized"),
            (
                "CodeStorageExceededException",
                "Code storage limit exceeded.",
                "has no room for it: Code storage",
            ),
            ("SomethingNew", "with\nlines", "AWS could not be asked: .* with lines"),
        ],
    )
    def test_is_one_sentence_that_says_what_to_do(self, code: str, message: str, said: str) -> None:
        explained = aws_errors.as_stage_error(failure(code, message))

        assert "\n" not in str(explained)
        with pytest.raises(StageError, match=said):
            raise explained

    def test_takes_what_went_meanwhile_for_somebody_elses_doing(self) -> None:
        assert isinstance(aws_errors.as_stage_error(failure("ResourceNotFoundException", "x")), BusyError)


def failure(code: str, message: str) -> UpstreamError:
    error = UpstreamError()
    error.__cause__ = ClientError({"Error": {"Code": code, "Message": message}}, "CreateFunction")
    return error
