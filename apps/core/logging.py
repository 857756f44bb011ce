"""The log format: one JSON object for each event, with ids and without secrets."""

import logging
from datetime import UTC, datetime

import msgspec
from django.conf import settings

from apps.core.context import current

# The attributes that every record has. All others come from `extra`.
# Django's own loggers add the request, which our own log line already describes.
STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "request",
}


class JsonFormatter(logging.Formatter):
    """Format `logger.info("event_name", extra={"key": "value"})` as one line of JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.process = {"stage": settings.STAGE, "version": settings.VERSION}

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with the members of `extra` at the top level."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "event": record.getMessage(),
            "logger": record.name,
            **self.process,
            "request_id": current().request_id,
        }
        line |= {name: value for name, value in vars(record).items() if name not in STANDARD_ATTRIBUTES}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()
