"""The readable log of `make run`: one coloured line for each request, and tracebacks with line breaks."""

import logging
from typing import Any

from django.conf import settings
from django.core.management.color import color_style

from apps.core.logging import STANDARD_ATTRIBUTES

STYLES_OF_STATUS = ("", "", "HTTP_SUCCESS", "HTTP_REDIRECT", "HTTP_BAD_REQUEST", "HTTP_SERVER_ERROR")
STYLES_OF_LEVEL = {logging.WARNING: "WARNING", logging.ERROR: "ERROR", logging.CRITICAL: "ERROR"}


class ConsoleHandler(logging.StreamHandler[Any]):
    """Write to standard error, without requests for static files."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(ConsoleFormatter("%(asctime)s %(message)s", "%H:%M:%S"))
        self.addFilter(lambda record: not _path(record).startswith(settings.STATIC_URL))


class ConsoleFormatter(logging.Formatter):
    """Format a request as time, status, method, path, duration, caller. Format others with their `extra`."""

    def formatMessage(self, record: Any) -> str:  # noqa: N802 (logging's own name)
        """Return the line without its traceback. `logging` appends that."""
        if record.name == "moped.request":
            caller = getattr(getattr(record.request, "user", None), "email", "")
            line = (
                f"{record.status} {record.method} {_path(record)} {record.ms:.0f} ms {caller} {record.code}"
            )
            style = STYLES_OF_STATUS[record.status // 100]
        else:
            extra = {name: value for name, value in vars(record).items() if name not in STANDARD_ATTRIBUTES}
            members = (f"{name}={value}" for name, value in extra.items())
            line = " ".join([record.levelname, record.message, *members])
            style = STYLES_OF_LEVEL.get(record.levelno, "")
        return f"{record.asctime} {getattr(color_style(), style, str)(line.rstrip())}"


def _path(record: Any) -> str:
    return record.request.get_full_path() if hasattr(record, "request") else ""
