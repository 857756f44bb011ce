from __future__ import annotations

import logging

from gunicorn.glogging import Logger as GunicornLogger  # type: ignore[import-untyped]

from apps.core.logging import JsonFormatter


class TestJsonFormatter:
    def test_leaves_the_loggers_of_others_alone(self) -> None:
        JsonFormatter()
        record = logging.getLogger("gunicorn.error").makeRecord(
            "gunicorn.error", logging.INFO, __file__, 1, "Booting worker", (), None
        )

        assert f"[{record.process:d}]" in logging.Formatter(GunicornLogger.error_fmt).format(record)
        assert record.thread
        assert logging._srcfile
