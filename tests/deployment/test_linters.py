"""What the linters of `make infrastructure` are told to overlook says why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from apps.deployment.paths import PROJECT
from tests.deployment.template import resources

if TYPE_CHECKING:
    from pathlib import Path

SHORTEST_REASON = 20
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


class TestTemplate:
    def test_gives_a_reason_for_each_exception(self) -> None:
        skipped = [
            each
            for resource in resources().values()
            for each in resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
        ]

        assert skipped
        assert all(len(each["comment"]) > SHORTEST_REASON for each in skipped)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
class TestWorkflows:
    def test_pin_every_action_to_a_commit(self, path: Path) -> None:
        text = path.read_text()

        used = re.findall(r"uses: (\S+)(.*)", text)
        assert used
        for action, comment in used:
            assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), action
            assert re.fullmatch(r" # v[\d.]+", comment), f"{action} does not say which version it is"

    def test_may_do_nothing_unless_a_job_says_so(self, path: Path) -> None:
        assert "\npermissions: {}\n" in path.read_text()
