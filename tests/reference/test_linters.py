"""Redocly and Spectral, with the rules that they recommend, read the reference."""

import json
from pathlib import Path

import pytest
from django.conf import settings

from tests.support import node_programs

pytestmark = [pytest.mark.slow(cost=5), pytest.mark.no_cover]

REFERENCE = settings.BASE_DIR / "openapi.yaml"
# Paths of the Flask API that end in a slash. The City's editor calls them.
CLOSING_SLASHES = ["/auth/", "/files/", "/users/", "/users/activate/"]


class TestReference:
    def test_satisfies_redocly(self, tmp_path: Path) -> None:
        report = node_programs.run(
            tmp_path, "redocly", "lint", REFERENCE, "--extends=recommended", "--format=json"
        )

        findings = [
            (problem["ruleId"], problem["location"][0]["pointer"])
            for problem in json.loads(report.stdout)["problems"]
        ]
        assert sorted(findings) == [
            ("no-path-trailing-slash", f"#/paths/{path.replace('/', '~1')}") for path in CLOSING_SLASHES
        ]

    def test_satisfies_spectral(self, tmp_path: Path) -> None:
        (tmp_path / ".spectral.yaml").write_text("extends: [spectral:oas]\n")

        report = node_programs.run(tmp_path, "spectral", "lint", REFERENCE, "--format=json")

        findings = [(problem["code"], problem["path"]) for problem in json.loads(report.stdout)]
        assert sorted(findings) == [
            ("path-keys-no-trailing-slash", ["paths", path]) for path in CLOSING_SLASHES
        ]
