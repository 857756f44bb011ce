"""The explanation of a token; test_attacks explains every attack."""

import io
import json
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command

from apps.auth.management.commands import explain_token
from apps.auth.tokens import key_cache
from tests.auth.signing import HASURA, id_payload, key
from tests.support.http_stub import answering
from tests.support.token_factory import Publisher

pytestmark = pytest.mark.usefixtures("publisher")


def signed(**changes: Any) -> str:
    return key().sign(id_payload(**changes))


class TestExplain:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"exp": 86_400}, "\n  exp                86400: 1970-01-02 00:00:00 UTC\n"),
            ({"iss": "https://x"}, '"https://x"  (expected: https://cognito-idp'),
            ({"token_use": "access"}, '"access"  (expected: id)'),
            ({"aud": "x"}, '"x"  (expected: test-client-1 or test-client-2)'),
            ({"aud": None}, "absent  (expected: test-client-1 or"),
            ({"email": None}, "are incomplete or broken. (Object missing required field `email`"),
            ({"hasura": "x"}, "incomplete or broken. (JSON is malformed"),
            ({"email_verified": "\u202e"}, r'email_verified     "\u202e"'),
            ({"x": "\x1b" + "x" * 500}, r'"\u001b' + "x" * 293 + "…"),
            ({"hasura": None}, "403: You have no active Moped account."),
            ({"hasura": json.dumps(HASURA | {"x-hasura-allowed-roles": []})}, "403: You need a Moped role"),
            ({"email_verified": False}, "403: Your email address is not verified."),
            ({"email": "jane@gmail.com"}, "does not end in @austintexas.gov."),
        ],
    )
    def test_says_what_is_wrong_beside_what_is_expected(self, changes: dict[str, Any], words: str) -> None:
        assert words in explain_token.explain(signed(**changes))[1]

    @pytest.mark.parametrize("client_id", ["test-client-1", "test-client-2"])
    def test_expects_nothing_else_of_a_token_that_matches(self, client_id: str) -> None:
        _, report = explain_token.explain(signed(aud=client_id))

        assert "expected" not in report
        assert report.endswith("\nVerdict: accepted")

    def test_says_why_it_is_no_token(self) -> None:
        verdict, report = explain_token.explain("null")

        assert verdict == "token_malformed"
        assert report.startswith("4 characters, 1 part(s) between dots\n")

    def test_says_which_keys_there_are(self, publisher: Publisher) -> None:
        _, report = explain_token.explain(key("attacker").sign(id_payload()))
        assert '"attacker"  (expected: pool-key-1 or pool-key-2)' in report

        key_cache.reset()
        publisher.misbehave = answering(b"", 500)
        verdict, report = explain_token.explain(signed())
        assert verdict == "keys_unavailable"
        assert f"(expected: a key of {publisher.url})" in report


class TestExplainToken:
    def run(self, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        out = io.StringIO()
        try:
            call_command("explain_token", stdout=out)
        except CommandError as error:
            out.write(str(error))
        return out.getvalue()

    @pytest.mark.parametrize("form", ["{}\n", "Authorization: Bearer {}\r\n", '"{}"'])
    def test_reads_a_token_as_one_copies_it(self, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.run(form.format(signed()), monkeypatch).endswith("Verdict: accepted\n")

    def test_fails_for_a_token_that_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.run(signed(exp=1), monkeypatch).endswith("\nThe API refuses this token.")

    def test_says_what_to_do_at_a_terminal(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.stdin", Mock(isatty=lambda: True, read=signed))
        call_command("explain_token", stdout=io.StringIO())

        assert capsys.readouterr().err == "Paste the token, press Enter, then Ctrl-D.\n"
