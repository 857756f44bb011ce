import io
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import RequestFactory

from apps.devstack.console import ConsoleHandler


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Yield what the console shows, with colours as on a terminal."""
    monkeypatch.setenv("DJANGO_COLORS", "dark")
    monkeypatch.setattr("django.core.management.color.supports_color", lambda: True)
    handler = ConsoleHandler()
    handler.stream = io.StringIO()
    logger = logging.getLogger("moped")
    logger.addHandler(handler)
    yield handler.stream
    logger.removeHandler(handler)


def log_request(path: str, status: int, code: str = "") -> None:
    request: Any = RequestFactory().get(path)
    request.user = SimpleNamespace(email="eddie.editor@austintexas.gov")
    extra = {"request": request, "method": "GET", "status": status, "code": code, "ms": 12.3}
    logging.getLogger("moped.request").warning("request", extra=extra)


class TestConsoleHandler:
    @pytest.mark.parametrize(
        ("status", "code", "colour"),
        [
            (200, "", "\x1b["),
            (302, "", "\x1b[32m"),
            (404, "not_found", "\x1b[31;1m"),
            (500, "", "\x1b[35;1m"),
        ],
    )
    def test_shows_a_request_on_one_line(
        self, console: io.StringIO, status: int, code: str, colour: str
    ) -> None:
        log_request("/users/?search=x", status, code)
        (line,) = console.getvalue().splitlines()
        expected = f"{status} GET /users/?search=x 12 ms eddie.editor@austintexas.gov {code}".rstrip()
        assert expected in line
        assert status < 300 or f" {colour}{expected}\x1b[0m" in line

    def test_leaves_out_static_files(self, console: io.StringIO) -> None:
        log_request("/static/moped/moped.css", 200)
        assert console.getvalue() == ""

    def test_shows_an_event_with_its_members(self, console: io.StringIO) -> None:
        logging.getLogger("moped").error("bucket_down", extra={"bucket": "uploads"})
        assert "ERROR bucket_down bucket=uploads" in console.getvalue()

    def test_breaks_the_lines_of_a_traceback(self, console: io.StringIO) -> None:
        try:
            [].pop()
        except IndexError:
            logging.getLogger("moped").exception("crash")
        first, second, *_, last = console.getvalue().splitlines()
        assert "ERROR crash" in first
        assert second == "Traceback (most recent call last):"
        assert last.startswith("IndexError: ")
