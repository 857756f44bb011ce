"""docs/moped-api.http runs top to bottom against `make run`, as a REST client runs it."""

import json
import re
import time
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings
from django.urls import resolve

from apps.core.http.routes import listing
from tests.support.laptop import Laptop
from tests.support.waiting import LIMIT_SECONDS

pytestmark = pytest.mark.slow(cost=5, group="laptop")
FILE = settings.BASE_DIR / "docs/moped-api.http"
EXPECTED = re.compile(r": (\d{3})\b")


class Step(NamedTuple):
    """One request of the file, and the status that its title promises (200 where it says none)."""

    title: str
    method: str
    url: str
    headers: dict[str, str]
    body: str
    status: int


def steps(text: str, variables: dict[str, str]) -> list[Step]:
    """Read the file as the editors' REST clients do."""
    for name, value in variables.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    return [_step(part) for part in re.split(r"^###", text, flags=re.MULTILINE)[1:]]


def _step(part: str) -> Step:
    title, _, request = part.partition("\n")
    head, _, body = request.strip().partition("\n\n")
    first, *lines = head.splitlines()
    method, url = first.split(" ", 1)
    match = EXPECTED.search(title)
    headers = dict(line.split(": ", 1) for line in lines)
    return Step(title.strip(), method, url, headers, body.strip(), int(match[1]) if match else 200)


class TestRestClientFile:
    def test_runs_top_to_bottom(self, laptop: Laptop) -> None:
        token = laptop.token("admin")
        now = str(int(time.time()))  # REST clients know `$timestamp` by themselves
        ran = steps(FILE.read_text(), {"host": laptop.url, "token": token, "$timestamp": now})

        assert len(ran) >= 20
        for step in ran:
            answer = requests.request(
                step.method, step.url, headers=step.headers, data=step.body, timeout=LIMIT_SECONDS
            )
            assert answer.status_code == step.status, (step.title, answer.text)
            assert isinstance(json.loads(answer.text or "{}"), dict), step.title

    def test_calls_every_method_of_every_route(self) -> None:
        calls = {
            (step.method, resolve(urlsplit(step.url).path).view_name)
            for step in steps(FILE.read_text(), {"host": "http://testserver"})
        }

        assert {(method, route.name) for route in listing() for method in route.methods} <= calls
