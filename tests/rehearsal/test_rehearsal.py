"""The brief rehearsal. `make rehearse` runs all steps."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.conf import settings

from tests.support import clean_env

pytestmark = pytest.mark.slow(cost=60)


class TestRehearsal:
    def test_has_no_fact_that_does_not_hold(self) -> None:
        run = subprocess.run(
            [sys.executable, "-m", "tests.rehearsal", "--brief"],
            cwd=settings.BASE_DIR,
            env=clean_env.environment(),
            capture_output=True,
            text=True,
            check=False,
        )

        assert run.returncode == 0, run.stdout + run.stderr
        assert "0 did not hold" in run.stdout
