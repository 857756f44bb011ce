import os
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from tests.support.processes import run_python
from tests.support.working_copy import copy_tree

pytestmark = pytest.mark.slow(cost=25)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, in which a new app may be made."""
    return copy_tree(tmp_path_factory.mktemp("clone") / "moped")


def run(clone: Path, *command: str) -> subprocess.CompletedProcess[str]:
    # A database of its own: tests within a test would make and drop the very one that this test uses.
    url = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/clone_{uuid4().hex}"
    return run_python(*command, environment={**os.environ, "DATABASE_URL": url}, folder=clone)


@pytest.fixture(scope="module")
def with_projects(clone: Path) -> Path:
    """The copy after `manage.py startblueprint projects`."""
    run_result = run(clone, "manage.py", "startblueprint", "projects")
    assert run_result.returncode == 0, run_result.stderr
    return clone


class TestStartBlueprint:
    def test_makes_an_app_that_works_and_is_described(self, with_projects: Path) -> None:
        run_result = run(with_projects, "manage.py", "openapi")
        assert run_result.returncode == 0, run_result.stderr
        assert "/projects/greeting" in (with_projects / "openapi.yaml").read_text()

        tests = run(
            with_projects,
            *("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/projects", "tests/test_access.py"),
            *("tests/reference/test_openapi.py", "-k", "projects or TestTables or TestDocument"),
        )

        assert tests.returncode == 0, tests.stdout

    @pytest.mark.parametrize(
        "check",
        [
            ("-m", "ruff", "check", "apps/projects", "tests/projects"),
            ("-m", "ruff", "format", "--check", "apps/projects", "tests/projects"),
            ("-c", "from importlinter.cli import lint_imports_command as c; c()"),
        ],
        ids=["lint", "format", "imports"],
    )
    def test_makes_an_app_that_passes_the_checks(self, with_projects: Path, check: tuple[str, ...]) -> None:
        checked = run(with_projects, *check)

        assert checked.returncode == 0, checked.stdout

    @pytest.mark.parametrize("name", ["auth", "Projects", "my-projects", "class", "json", "1st", ""])
    def test_refuses_a_bad_name_and_leaves_nothing(self, clone: Path, name: str, settings: Settings) -> None:
        settings.BASE_DIR = clone
        before = sorted(clone.rglob("*"))

        with pytest.raises(CommandError):
            call_command("startblueprint", name)

        assert sorted(clone.rglob("*")) == before
