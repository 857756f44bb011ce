"""Names and settings of previews, and pull requests."""

import json
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from apps.deployment.previews import names, pull_requests
from apps.deployment.settings import zappa_settings
from tests.deployment.template import parameters

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
        settings = zappa_settings.flatten(zappa_settings.read(), names.PATTERN)

        assert names.function(12) == zappa_settings.function_name(settings, names.stage(12))

    @pytest.mark.parametrize("number", [1, 12, 9_999_999])
    def test_contain_their_number(self, number: int) -> None:
        assert names.number(str(number)) == number
        assert names.number_after(names.FUNCTIONS, names.function(number)) == number
        assert names.number_after(names.FILES, names.files(number)[:-1]) == number
        assert "_" not in names.files(number)  # the editor counts underscores in keys

    @pytest.mark.parametrize(
        "text", ["", "0", "07", "7-notes", "7\n", "\u0667", "12345678", "pr_12", "12;rm"]
    )
    def test_of_others_have_no_number(self, text: str) -> None:
        assert names.number_after(names.FUNCTIONS, f"moped-api-pr-{text}") is None
        with pytest.raises(ArgumentTypeError, match="is not the number of a pull request"):
            names.number(text)


class TestSignIn:
    def test_comes_back_to_staging(self) -> None:
        document = zappa_settings.read()
        domain = zappa_settings.flatten(document, "staging")["domain"]
        preview = zappa_settings.flatten(document, "preview")["aws_environment_variables"]

        page = f"https://{domain}{reverse('auth-preview')}"
        assert preview["MOPED_API_SIGN_IN_RELAY"] == page
        assert parameters()["PreviewCallbackUrl"]["Default"] == page


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

        assert (request.number, request.author["login"], request.no_preview_reason) == (12, "ada", why)

    def test_refuses_another_label_of_an_open_request(self) -> None:
        with pytest.raises(ArgumentTypeError, match="'kept' cannot follow the number 12"):
            pull_requests.open_request("12:kept")

    @pytest.mark.parametrize("text", ["", "{}", "null", json.dumps([{**REQUEST, "labels": [{}]}])])
    def test_does_not_take_a_broken_list_for_an_empty_one(self, source: Source, text: str) -> None:
        with pytest.raises(ArgumentTypeError, match="is not as it must be"):
            pull_requests.read_list(source(text))

    def test_refuses_a_list_that_may_have_been_cut_off(self, source: Source) -> None:
        requests = [{**REQUEST, "number": number} for number in range(1, 1001)]
        with pytest.raises(ArgumentTypeError, match="may have been cut off"):
            pull_requests.read_list(source(json.dumps(requests)))

        assert pull_requests.read_list(source(json.dumps(requests[1:])))[0].has("keep")

    def test_names_a_missing_file(self) -> None:
        with pytest.raises(ArgumentTypeError, match="/missing cannot be read: No such file"):
            pull_requests.read("/missing")
