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
PIECES = st.one_of(
    st.sampled_from(
        [
            "..",
            "/",
            "\\",
            "%2e%2e",
            "%00",
            "\x00",
            "\r\n",
            ".pdf",
            "a",
            "план",
            "\u202e",
            "\ufffd",
            "private",
            "project",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.text(max_size=3).map(lambda text: text * 400),
)
TEXT = st.lists(PIECES, max_size=6).map("".join)
BYTES = st.binary(max_size=40)
VALUES = st.one_of(
    TEXT.map(lambda text: quote(text, safe="", errors="replace")),
    BYTES.map(lambda raw: quote_from_bytes(raw, safe="")),
)
IDS = st.one_of(
    VALUES,
    st.integers(-(2**70), 2**70).map(str),
    st.sampled_from(["0", "00", "", "1e3", "0x1", "+1", "%201"]),
)
NAMES = st.one_of(VALUES, VALUES.map(lambda value: f"{value}.pdf"), st.just("plan.pdf"))
PAIRS = st.one_of(
    st.tuples(st.just("file"), NAMES),
    st.tuples(st.just("project_id"), IDS),
    st.tuples(st.just("type"), st.one_of(st.sampled_from(["private", "public"]), VALUES)),
    st.tuples(VALUES, VALUES),
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
            assert "credentials" not in body

    def test_survives_a_very_large_number_of_parameters(self, calling: Caller, person: Person) -> None:
        query = "&".join(f"p{number}=1" for number in range(2000))
        assert calling().get(f"/files/request-signature?file=a.pdf&{query}").status_code == 400


class TestDownload:
    @given(
        pieces=st.lists(
            st.one_of(VALUES, st.sampled_from(["private", "project", "user", str(OWN_ID), "1", ".."])),
            max_size=6,
        )
    )
    @FUZZING
    def test_knows_only_what_a_row_names(self, calling: Caller, person: Person, pieces: list[str]) -> None:
        response = calling().get("/files/download/" + "/".join(pieces))

        assert response.status_code in {200, 404}
        if response.status_code == 200:
            assert f"/user/{OWN_ID}/" in response.json()["download_url"]

    @given(name=TEXT)
    @FUZZING
    def test_answers_200_or_404_for_any_key_in_a_row(
        self, calling: Caller, person: Person, project: Project, name: str
    ) -> None:
        key = f"private/project/{project.pk}/{name}".replace("\x00", "")
        make_file(key, project, person)
        response: Any = calling().get(f"/files/download/{quote(key, errors='replace')}")

        assert response.status_code in {200, 404}
