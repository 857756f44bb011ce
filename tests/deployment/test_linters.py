"""Rules for workflows that the linters of `make infrastructure` do not have."""

from pathlib import Path

import pytest
import yaml

from apps.deployment.paths import PROJECT

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
class TestWorkflows:
    def test_leave_aws_alone_until_it_is_set_up(self, path: Path) -> None:
        jobs = yaml.safe_load(path.read_text())["jobs"]

        with_role = {name: job for name, job in jobs.items() if "id-token" in job.get("permissions", {})}
        for name, job in with_role.items():
            assert "vars.AWS_READY == 'true'" in job["if"], name
            assert job["environment"], name

    def test_may_do_nothing_unless_a_job_says_so(self, path: Path) -> None:
        assert "\npermissions: {}\n" in path.read_text()


class TestTriggers:
    def test_check_each_push_once(self) -> None:
        texts = {path.stem: path.read_text() for path in WORKFLOWS}

        assert [name for name, text in texts.items() if ".ci/run" in text] == ["check"]
        assert [name for name, text in texts.items() if "\n  push:" in text] == ["deploy"]
        assert "branches: [main]" in texts["deploy"]  # a branch is checked for its pull request
