"""What is counted in the log, tried on the lines that the API writes."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.core.logging import JsonFormatter
from tests.conftest import Impersonate
from tests.deployment.template import resources

# A filter pattern of CloudWatch, word by word, as Python: enough of its language for ours.
WORDS = [
    (r"\$\.(\w+)\s+IS TRUE", r"(line.get('\1') is True)"),
    (r"\$\.(\w+)\s*=\s*\"\*\"", r"(line.get('\1') not in (None, ''))"),
    (r"\$\.(\w+)\s*=\s*", r"line['\1'] == "),
    (r"\$\.(\w+)", r"line['\1']"),
    (r"&&", " and "),
    (r"\|\|", " or "),
]
WATCHED = {"AccountFindings", "Answers5xx", "ColdStarts", "Latency", "TurnedAway"}


def filters() -> dict[str, Any]:
    return {n: r["Properties"] for n, r in resources().items() if r["Type"] == "AWS::Logs::MetricFilter"}


def alarms() -> dict[str, Any]:
    return {n: r["Properties"] for n, r in resources().items() if r["Type"] == "AWS::CloudWatch::Alarm"}


def counted(line: dict[str, Any]) -> dict[str, Any]:
    """Return what a line adds to which metric."""
    values = {}
    for each in filters().values():
        pattern = each["FilterPattern"].strip("{} ")
        for word, python in WORDS:
            pattern = re.sub(word, python, pattern)
        (metric,) = each["MetricTransformations"]
        value = metric["MetricValue"]
        # S307: the text is the template's; a line without an event has none of the other members.
        if eval(pattern, {"line": line}):  # noqa: S307
            values[metric["MetricName"]] = line[value[2:]] if value.startswith("$.") else int(value)
    return values


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], dict[str, Any]]:
    """Return a function that returns the log line of the one request of a test."""

    def line() -> dict[str, Any]:
        (record,) = [record for record in caplog.records if record.name == "moped.request"]
        return dict(json.loads(JsonFormatter().format(record)))

    return line


class TestMetrics:
    @pytest.mark.parametrize(
        ("status", "metric"),
        [(200, "Answers2xx"), (302, "Answers3xx"), (404, "Answers4xx"), (503, "Answers5xx")],
    )
    def test_count_an_answer_by_its_class(
        self, api_client: APIClient, logged: Callable[[], dict[str, Any]], status: int, metric: str
    ) -> None:
        api_client.get("/")

        line = logged() | {"status": status, "cold": False}
        counts = counted(line)
        assert {name for name in counts if name.startswith("Answers")} == {metric}
        assert counts["Latency"] == line["ms"]

    def test_count_a_refusal_and_its_reason(
        self, impersonate: Impersonate, logged: Callable[[], dict[str, Any]]
    ) -> None:
        impersonate("viewer").delete("/users/22222222-2222-4222-8222-222222222222")

        line = logged()
        assert line["code"]
        assert counted(line).keys() >= {"Answers4xx", "Refusals", "TurnedAway", "Latency"}
        assert filters()["Refusals"]["MetricTransformations"][0]["Dimensions"] == [
            {"Key": "code", "Value": "$.code"}
        ]

    def test_count_cold_starts(self, api_client: APIClient, logged: Callable[[], dict[str, Any]]) -> None:
        api_client.get("/")

        assert counted(logged() | {"cold": True})["ColdStarts"] == 1
        assert "ColdStarts" not in counted(logged() | {"cold": False})

    def test_count_nothing_but_requests(self) -> None:
        assert counted({"event": "probe_failed", "status": 500, "ms": 1, "cold": True, "code": "x"}) == {}

    @pytest.mark.parametrize(("is_complete", "expected"), [(True, {"AccountFindings": 3}), (False, {})])
    def test_count_the_findings_of_a_whole_comparison(
        self, *, is_complete: bool, expected: dict[str, int]
    ) -> None:
        line = {"event": "reconciliation_finished", "findings": 3, "everyone": is_complete}

        assert counted(line) == expected

    def test_are_what_alarms_watch(self) -> None:
        metrics = {
            (metric["MetricNamespace"], metric["MetricName"])
            for each in filters().values()
            for metric in each["MetricTransformations"]
        }

        alarms_of_metrics = {(alarm["Namespace"], alarm["MetricName"]) for alarm in alarms().values()}
        watched = {(space, name) for space, name in alarms_of_metrics if not space.startswith("AWS/")}
        assert watched <= metrics
        assert {name for _, name in watched} == WATCHED

    def test_alarms_tell_the_operators(self) -> None:
        assert [name for name, alarm in alarms().items() if alarm["AlarmActions"] != ["Alarms"]] == []
