"""The way out of Lambda stays open: the application needs nothing but a WSGI server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rehearsal.audience import over_http, walk
from tests.served import Served

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from apps.devstack.emulator import Emulator

pytestmark = pytest.mark.emulator

WORKERS = 2


@pytest.fixture
def served(
    tmp_path: Path, furnished_emulator: Emulator, furnished_variables: Mapping[str, str]
) -> Iterator[Served]:
    with Served(tmp_path, furnished_variables, workers=WORKERS) as served:
        yield served


class TestGunicorn:
    def test_serves_every_route_to_whom_it_is_for_before_and_after_a_rotation(self, served: Served) -> None:
        ask = over_http(served.port, "127.0.0.1")

        count, wrong = walk(ask, served.people)
        assert (count > 100, wrong) == (True, [])
        assert len(served.workers) == WORKERS

        served.rotate_password()
        assert served.cut_connections()
        _, wrong = walk(ask, served.people)
        assert not wrong
