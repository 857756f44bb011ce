"""The explanation of a token; test_attacks compares it with the verifier."""

import io
import json
import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.auth.tokens import explain
from tests.auth.signing import HASURA, id_payload, key
from tests.support.clock import Clock
from tests.support.http_stub import answering
from tests.support.token_factory import Publisher

pytestmark = pytest.mark.usefixtures("publisher")


def says(subject: str, token: str) -> str:
    return " / ".join(check.says for check in explain.explain(token) if check.subject == subject)


def signed(**changes: Any) -> str:
    return key().sign(id_payload(**changes))


class TestExplain:
    @pytest.mark.parametrize(
        ("subject", "changes", "words"),
        [
            ("expiry", {"exp": -3 * 3600}, "expired 3:00:00 ago"),
            ("expiry", {"exp": 0}, "expired 0:00:00 ago"),
            ("expiry", {"exp": 2 * 86_400 + 5}, "expires 2 days, 0:00:05 from now"),
            ("beginning", {"iat": -120}, "valid 0:02:00 ago"),
            ("beginning", {"nbf": 60}, "valid only 0:01:00 from now"),
        ],
    )
    def test_says_times_in_words(
        self, clock: Clock, subject: str, changes: dict[str, int], words: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(explain, "time", lambda: clock.wall)
        token = signed(**{name: int(clock.wall) + seconds for name, seconds in changes.items()})

        assert says(subject, token).startswith(words)
        assert re.search(r"\(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)", says(subject, token))

    @pytest.mark.parametrize(
        ("subject", "changes", "words"),
        [
            ("issuer", {"iss": "https://x"}, 'another pool\'s: "https://x", not https://cognito-idp'),
            ("use", {"token_use": "access"}, 'token_use is "access", not "id"; send the ID token instead'),
            ("audience", {"aud": "x"}, '"x", not one of COGNITO_APP_CLIENT_ID '),
            ("claims", {"email": None}, "incomplete or broken: Object missing required field `email`"),
            ("hasura", {"hasura": None}, "no claims: there was no active Moped account at the sign-in"),
            (
                "hasura",
                {"hasura": json.dumps(HASURA | {"x-hasura-allowed-roles": []})},
                "no roles: routes that need one answer 403",
            ),
            ("verified", {}, "email_verified is true"),
            ("verified", {"email_verified": False}, "email_verified is false: an admin must save the user"),
            (
                "verified",
                {"email_verified": False, "cognito__username": "AzureAD_jane@austintexas.gov"},
                "the City's single sign-on proves the address",
            ),
            ("city", {"email": "jane@AustinTexas.gov"}, "the address ends in @austintexas.gov"),
            ("city", {"email": "jane@gmail.com"}, "the address does not end in @austintexas.gov"),
            ("hasura", {"hasura": "x"}, "the claims for Hasura are broken: JSON is malformed"),
            ("hasura", {}, 'roles ["moped-editor"], database id "77"'),
            ("claims", {"email_verified": "\x1b"}, r"incomplete or broken: Invalid enum value '\\x1b'"),
            ("issuer", {"iss": "\x1b[31m"}, "another pool's: \"\\u001b[31m"),
            ("issuer", {"iss": "x" * 500}, "another pool's: \"" + "x" * 119 + "…"),
        ],
    )
    def test_says_what_is_wrong_against_which_setting(
        self, subject: str, changes: dict[str, Any], words: str
    ) -> None:
        assert says(subject, signed(**changes)).startswith(words)

    def test_says_why_it_is_no_token(self) -> None:
        words = "4 characters, 1 part(s) between dots: a token has three parts of base64url and at most 8192"
        assert says("form", "null").startswith(words)

    def test_goes_on_where_the_verifier_stops(self) -> None:
        token = key("attacker").sign(id_payload(exp=1, iss="https://x"), key().header())
        failing = {check.subject for check in explain.explain(token) if check.code}

        assert failing == {"signature", "issuer", "expiry"}

    def test_says_that_the_keys_are_out_of_reach(self, publisher: Publisher) -> None:
        publisher.misbehave = answering(b"", 500)

        assert says("key", signed()).startswith("the pool's keys cannot be fetched (COGNITO_JWKS_URL http://")


class TestExplainToken:
    def run(self, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        out = io.StringIO()
        try:
            call_command("explain_token", stdout=out)
        except CommandError as error:
            out.write(str(error))
        return out.getvalue()

    @pytest.mark.parametrize("form", ["{}", "{}\n", "Bearer {}", "Authorization: Bearer {}\r\n", '"{}"'])
    def test_reads_a_token_as_one_copies_it(self, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.run(form.format(signed()), monkeypatch).endswith("Verdict: accepted\n")

    @pytest.mark.parametrize(
        ("claims", "line", "verdict"),
        [
            ({"email_verified": False}, "  403    verified   email_verified is false", "accepted\n"),
            ({"exp": 1}, "  FAILS  expiry     expired ", "token_expired\nThe API refuses this token."),
        ],
    )
    def test_marks_what_answers_403_or_401(
        self, monkeypatch: pytest.MonkeyPatch, claims: dict[str, Any], line: str, verdict: str
    ) -> None:
        printed = self.run(signed(**claims), monkeypatch)

        assert line in printed
        assert printed.endswith(f"Verdict: {verdict}")

    def test_says_what_to_do_at_a_terminal(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        monkeypatch.setattr("sys.stdin", Terminal(signed()))
        call_command("explain_token", stdout=io.StringIO())

        assert capsys.readouterr().err == "Paste the token, press Enter, then Ctrl-D.\n"
