"""
Schemathesis holds the running API against its own reference, as each persona.

It may change the personas as an admin can, for example their passwords. It therefore has a laptop of
its own and gets all tokens before it begins.

Bounded here; for longer: `.venv/bin/schemathesis run http://127.0.0.1:8000/docs/openapi.json
-H "Authorization: Bearer $(.venv/bin/python manage.py token --as admin)"` beside `make run`.
"""

import re
import sys
from pathlib import Path

import pytest

from apps.devstack.personas import PERSONAS
from tests.e2e.conftest import running_laptop
from tests.support import processes

pytestmark = pytest.mark.slow(cost=70)

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "ignored_auth",
    "unsupported_method",
    "negative_data_rejection",
)
# Every boundary value of every parameter for a persona with all permissions, and a few for the others.
THOROUGH = {"admin": "examples,coverage,fuzzing"}
PERSONA_KEYS = [persona.key for persona in PERSONAS if persona.has_claims]
AT_NIGHT = ("--max-examples", "5")  # other ones each time
IN_THE_CHECK = ("--max-examples", "2", "--generation-deterministic")  # the same each time
BOUNDED = ["admin", "viewer"]  # in `make check`; all of them in `make prove-faults`


class TestReference:
    def test_holds_for_every_persona(self, subtests: pytest.Subtests, tmp_path: Path, *, proof: bool) -> None:
        with running_laptop(tmp_path) as guinea_pig:
            tokens = {persona: guinea_pig.token(persona) for persona in (PERSONA_KEYS if proof else BOUNDED)}
            for persona, token in tokens.items():
                with subtests.test(persona=persona):
                    self.holds_for(persona, token, guinea_pig.url, tmp_path / persona, proof=proof)

    def holds_for(self, persona: str, token: str, url: str, folder: Path, *, proof: bool) -> None:
        folder.mkdir()  # whatever it learns there it learns about this persona
        run = processes.run(
            *(Path(sys.executable).with_name("schemathesis"), "run", f"{url}/docs/openapi.json"),
            *("--header", f"Authorization: Bearer {token}"),
            *("--checks", ",".join(CHECKS)),
            *("--phases", THOROUGH.get(persona, "fuzzing"), "--no-color"),
            *(AT_NIGHT if proof else IN_THE_CHECK),
            *("--mode", "all"),  # what the schema allows, and what it forbids: that answers 4xx
            folder=folder,
        )

        assert run.returncode == 0, run.stdout[-5000:]
        tried = re.search(r"(\d+) generated", run.stdout)
        assert tried
        assert int(tried[1]) > 0
