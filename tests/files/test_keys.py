"""The layout of the bucket."""

import re
from datetime import UTC, datetime

import pytest
import time_machine

from apps.files import keys

NIGHT = datetime(2026, 11, 23, 5, 4, 3, tzinfo=UTC)


class TestNewKeys:
    @time_machine.travel(NIGHT, tick=False)
    def test_name_project_or_person_and_the_time(self) -> None:
        of_project, of_person, other = (
            keys.new_key(kind="public", project_id=project_id, user_id="77", name="plan.pdf")
            for project_id in (65, None, 65)
        )
        assert re.fullmatch(r"public/project/65/77_11232026050403_[0-9a-f]{16}_plan\.pdf", of_project)
        assert re.fullmatch(r"public/user/77/11232026050403_[0-9a-f]{16}_plan\.pdf", of_person)
        assert other != of_project


class TestCanonical:
    @pytest.mark.parametrize(
        ("key", "canonical"),
        [
            *(
                (key, key)
                for key in ("private/project/1/a b & 100% ü.pdf", "private/1/a//b", "private/..x..")
            ),
            *((f"{slashes}private/project/1/x", "private/project/1/x") for slashes in ("/", "//")),
        ],
    )
    def test_is_the_key_without_leading_slashes(self, key: str, canonical: str) -> None:
        assert keys.canonical(key) == canonical

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "/",
            "private/project/1/../../user/7/x",
            "private\\project\\..\\user",
            "private/project/./x",
            "private/project/1/..",
            "private/project/1/nul\x00",
            "private/project/1/lone\ud800",
            "private/project/1/" + "ü" * 512,
        ],
        ids=lambda key: ascii(key)[:30],
    )
    def test_knows_what_no_object_of_ours_is_called(self, key: str) -> None:
        assert not keys.canonical(key)


class TestDisplayName:
    @pytest.mark.parametrize(
        ("key", "name"),
        [
            ("private/project/65/80_04072022191747_40d4c982e064d0f9_1800half.pdf", "1800half.pdf"),
            ("private/user/80/04072022191747_40d4c982e064d0f9_my_face.png", "my_face.png"),
            ("private/project/65/one_two.pdf", "one_two.pdf"),
            ("private/project/65/a_b_c_", "a_b_c_"),
            ("older/archive_of_2019_all/plan.pdf", "plan.pdf"),
        ],
    )
    def test_is_what_the_editor_shows(self, key: str, name: str) -> None:
        assert keys.display_name(key) == name
