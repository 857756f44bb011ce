"""The log of `make run`, for people: one coloured line for each request, tracebacks with line breaks."""

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.color import color_style

from apps.core.logging import STANDARD_ATTRIBUTES

CLASSES_OF_STATUS = {
    2: "HTTP_SUCCESS",
    3: "HTTP_REDIRECT",
    4: "HTTP_BAD_REQUEST",
    5: "HTTP_SERVER_ERROR",
}
STYLES_OF_LEVEL = {logging.WARNING: "WARNING", logging.ERROR: "ERROR", logging.CRITICAL: "ERROR"}


class ConsoleHandler(logging.StreamHandler[Any]):
    """Write to standard error; requests for static files are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(ConsoleFormatter())
        self.addFilter(lambda record: not _is_static_file(record))


class ConsoleFormatter(logging.Formatter):
    """Format requests as time, status, method, path, duration and caller, other events with their `extra`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")
        self.palette = color_style()

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        """Return the line without its traceback, which `logging` puts below it."""
        if record.name == "moped.request":
            return f"{record.asctime} {self._request(record)}"
        extra = {name: value for name, value in vars(record).items() if name not in STANDARD_ATTRIBUTES}
        text = " ".join([record.message, *(f"{name}={value}" for name, value in extra.items())])
        colour = self._colour(STYLES_OF_LEVEL.get(record.levelno, ""))
        return f"{record.asctime} {colour(f'{record.levelname} {text}')}"

    def _request(self, record: Any) -> str:
        caller = getattr(getattr(record.request, "user", None), "email", "")
        line = (
            f"{record.status} {record.method} {record.request.get_full_path()} {record.ms:.0f} ms"
            f" {caller} {record.code}"
        )
        return self._colour(CLASSES_OF_STATUS.get(record.status // 100, ""))(line.rstrip())

    def _colour(self, name: str) -> Callable[[str], str]:
        return getattr(self.palette, name, str)


def _is_static_file(record: logging.LogRecord) -> bool:
    request = getattr(record, "request", None)
    return request is not None and request.path_info.startswith(settings.STATIC_URL)
