"""The page for callers names every error code with its status."""

import re
from typing import Any

import yaml
from django.conf import settings

PAGE = (settings.BASE_DIR / "docs/calling.md").read_text()
# Every route refuses methods that it does not have, so the reference says it once, in words.
OF_EVERY_ROUTE = {("method_not_allowed", "405")}


def codes_of_page() -> set[tuple[str, str]]:
    (table,) = re.findall(r"### Codes\n\n\| code \| status \|\n\|---\|---\|\n(.*?)\n\n", PAGE, re.DOTALL)
    rows = [row.strip("| ").split(" | ") for row in table.splitlines()]
    return {(code, status) for codes, status in rows for code in re.findall("`(.*?)`", codes)}


def codes_of_reference() -> set[tuple[str, str]]:
    document: dict[str, Any] = yaml.safe_load((settings.BASE_DIR / "openapi.yaml").read_text())
    return {
        (code, status)
        for path in document["paths"].values()
        for operation in path.values()
        for status, answer in operation["responses"].items()
        for content in answer.get("content", {}).values()
        for part in content["schema"].get("allOf", ())
        for code in part.get("properties", {}).get("code", {}).get("enum", ())
    }


class TestCallingPage:
    def test_lists_every_error_code(self) -> None:
        assert codes_of_page() == codes_of_reference() | OF_EVERY_ROUTE
