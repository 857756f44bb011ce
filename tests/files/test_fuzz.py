"""Whatever a caller sends: a signature for a sane key, or a refusal that names the field."""

import re
from typing import Any
from urllib.parse import quote, quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.files.models import Person, Project
from tests.conftest import Caller
from tests.files.conftest import OWN_ID, make_file

pytestmark = [pytest.mark.slow(cost=10), pytest.mark.no_cover]  # other tests reach what it repeats

FUZZING = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SANE_KEY = re.compile(
    rf"(private|public)/(project/[1-9][0-9]*/{OWN_ID}_|user/{OWN_ID}/)[0-9]{{14}}_[0-9a-f]{{16}}_[^/\\?%#&]+"
)
# Text with the odd and the hostile more often than chance would have it.
ODDITIES = st.sampled_from(["..", "/", "\\", "%2e%2e", "\x00", "\r\n", ".pdf", "план", "\u202e", "\ufffd"])
TEXT = st.lists(
    ODDITIES
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.text(max_size=3).map(lambda text: text * 400),
    max_size=6,
).map("".join)
VALUES = TEXT.map(lambda text: quote(text, safe="", errors="replace")) | st.binary(max_size=40).map(
    lambda raw: quote_from_bytes(raw, safe="")
)
IDS = VALUES | st.integers(-(2**70), 2**70).map(str) | st.sampled_from(["0", "00", "", "1e3", "+1", "%201"])
PAIRS = (
    st.tuples(st.just("file"), VALUES | VALUES.map(lambda value: f"{value}.pdf") | st.just("plan.pdf"))
    | st.tuples(st.just("project_id"), IDS)
    | st.tuples(st.just("type"), st.sampled_from(["private", "public"]) | VALUES)
    | st.tuples(VALUES, VALUES)
)


class TestRequestSignature:
    @given(pairs=st.lists(PAIRS, max_size=6))
    @FUZZING
    def test_signs_a_sane_key_or_names_the_field(
        self, calling: Caller, person: Person, project: Project, pairs: list[tuple[str, str]]
    ) -> None:
        query = "&".join(f"{name}={value}" for name, value in pairs)
        response = calling().get(f"/files/request-signature?{query}")
        body = response.json()

        if response.status_code == 200:
            assert SANE_KEY.fullmatch(body["credentials"]["fields"]["key"])
        else:
            assert response.status_code == 400, body
            assert body["error"].keys() <= {"file", "project_id", "type"}
            assert body["error"]


class TestDownload:
    @given(name=TEXT)
    @FUZZING
    def test_answers_200_or_404_for_any_key_in_a_row(
        self, calling: Caller, person: Person, project: Project, name: str
    ) -> None:
        key = f"private/project/{project.pk}/{name}".replace("\x00", "")
        make_file(key, project, person)
        response: Any = calling().get(f"/files/download/{quote(key, errors='replace')}")

        assert response.status_code in {200, 404}
