"""
Schemathesis holds the running API against its own reference, as each persona.

Bounded here; for longer: `.venv/bin/schemathesis run http://127.0.0.1:8000/docs/openapi.json
-H "Authorization: Bearer $(.venv/bin/python manage.py token --as admin)"` beside `make run`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from apps.devstack.personas import PERSONAS

if TYPE_CHECKING:
    from tests.e2e.conftest import Laptop

pytestmark = pytest.mark.timeout(300)

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "ignored_auth",
    "unsupported_method",
)
# Every boundary value of every parameter, as whoever gets past the permissions; a few guesses as all.
THOROUGH = {"admin": "examples,coverage,fuzzing"}


class TestReference:
    @pytest.mark.parametrize("persona", [persona.key for persona in PERSONAS if persona.has_claims])
    def test_holds_for(self, laptop: Laptop, persona: str, tmp_path: Path) -> None:
        token = laptop.manage("token", "--as", persona)

        run = subprocess.run(
            [
                *(Path(sys.executable).with_name("schemathesis"), "run", f"{laptop.url}/docs/openapi.json"),
                *("--header", f"Authorization: Bearer {token}"),
                *("--checks", ",".join(CHECKS)),
                *("--phases", THOROUGH.get(persona, "fuzzing"), "--max-examples", "5", "--no-color"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

        assert run.returncode == 0, run.stdout[-5000:]
        tried = re.search(r"(\d+) generated", run.stdout)
        assert tried
        assert int(tried[1]) > 0
