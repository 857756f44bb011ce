"""
The function that Lambda calls: `moped_api.lambda_handler.lambda_handler`.

The import of this module builds the application. It runs in Lambda's INIT phase, which has the full
CPU. If it fails, the runtime reports the reason and the next start begins again. A failure during the
first event would leave an incomplete application behind.

This module dispatches HTTP requests, Cognito's triggers and some management commands. It refuses all
other events (moped_api/lambda_events.py). Zappa's own handler is not in the package (ADR 10).
"""

import gc
import io
import json
import logging
import os
import random
import ssl
from collections.abc import Callable
from importlib import import_module
from typing import Any

from apps.core import context as request_context
from apps.core.imports import Replacement, deferred
from moped_api import lambda_events, lambda_http
from moped_api.lambda_events import MalformedEventError, RefusedEventError

logger = logging.getLogger("moped.events")

# Modules that libraries import for a function that no request calls (measured: docs/benchmarks.md).
DEFERRED: dict[str, Replacement] = {
    "cryptography.x509": ("load_pem_x509_certificate",),  # python-jose, for keys in certificates
    "django.contrib.admindocs.views": ("simplify_regex",),  # DRF's schemas, with the whole admin
    "django.contrib.postgres.fields": None,  # DRF, for serializers of its columns
}
TRIGGERS = "apps.claims.triggers"
RANDOM_BYTES = 32


class StartError(Exception):
    """
    The application cannot be built.

    The runtime client shows the traceback of this error, but not that of an ImportError.
    """


def lambda_handler(event: Any, context: Any) -> Any:
    """
    Answer one event.

    :return: for HTTP an answer in API Gateway's format, for a trigger the event, for a management command
        its output and exit code
    :raises RefusedEventError: for an event that the function does not accept
    :raises MalformedEventError: for a trigger's event with the wrong structure
    """
    request_context.begin({"lambda.context": context})
    try:
        if lambda_events.is_http(event):
            return _answer_http(event, context)
        return _dispatch(event, context)
    finally:
        request_context.end()


def _dispatch(event: Any, context: Any) -> Any:
    """Handle an event that is not an HTTP request."""
    try:
        if lambda_events.is_trigger(event):
            lambda_events.convert(event, lambda_events.Trigger)
            return import_module(TRIGGERS).handler(event, context)
        return _run_command(lambda_events.command(event))
    except (MalformedEventError, RefusedEventError) as error:
        logger.warning("event_refused", extra={"reason": str(error), "members": _member_names(event)})
        raise


def _answer_http(event: dict[str, Any], context: Any) -> dict[str, Any]:
    try:
        return lambda_http.respond(_application, event, context)
    except MalformedEventError as error:
        logger.warning("event_malformed", extra={"reason": str(error)})
        return _problem(context, 400, "bad_request", f"The event is not a valid request: {error}")
    except Exception:  # Django answers its own exceptions. This answers all others.
        logger.exception("crash")
        return _problem(context, 500, "internal_error", "Something went wrong on our side.")


def _run_command(words: list[str]) -> dict[str, Any]:
    """Run a management command. Its exit must not end the process, because Lambda would report a crash."""
    from django.core.management import call_command  # noqa: PLC0415 (after Django is set up)

    output, exit_code = io.StringIO(), 0
    try:
        call_command(*words, stdout=output, stderr=output)
    except SystemExit as end:
        exit_code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return {"exit_code": exit_code, "output": output.getvalue()}


def _problem(context: Any, status: int, code: str, detail: str) -> dict[str, Any]:
    """Return our error body in API Gateway's format, for events that do not reach Django."""
    from django.http import HttpResponse  # noqa: PLC0415 (after Django is set up)

    from apps.core.http import headers, problems  # noqa: PLC0415

    request_id = str(getattr(context, "aws_request_id", "") or "-")
    body = json.dumps(problems.details(status, code, detail, request_id=request_id))
    response = HttpResponse(status=status, content_type=problems.CONTENT_TYPE)
    headers.apply(response)
    response.headers["X-Request-ID"] = request_id
    return {"statusCode": status, "headers": dict(response.headers), "body": body, "isBase64Encoded": False}


def _member_names(event: Any) -> list[str]:
    """Return the names of an event's members for the log. The values may be secret."""
    return sorted(str(name)[:64] for name in event)[:16] if isinstance(event, dict) else []


def _build_application() -> Callable[..., Any]:
    """Build the application and the routes, without the deferred modules."""
    try:
        with deferred(DEFERRED):
            from django.urls import get_resolver  # noqa: PLC0415

            from moped_api.wsgi import application  # noqa: PLC0415 (while some modules are deferred)

            get_resolver().url_patterns  # noqa: B018 (imports every view, here and not in a request)
            from apps.core.aws import clients  # noqa: PLC0415 (after Django is set up)

            clients.prepare()
    except ImportError as error:
        raise StartError(f"The package is incomplete: {error}") from error
    return application


def _after_restore() -> None:
    """Replace the snapshot's connections, secrets, caches and random numbers (SnapStart)."""
    from django.conf import settings  # noqa: PLC0415 (after Django is set up)
    from django.core.management.utils import get_random_secret_key  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    from apps.auth import current_roles  # noqa: PLC0415
    from apps.auth.tokens import key_cache  # noqa: PLC0415
    from apps.core.aws import clients, secrets  # noqa: PLC0415

    random.seed()  # for botocore's pauses between two attempts
    ssl.RAND_add(os.urandom(RANDOM_BYTES), RANDOM_BYTES)
    settings.SECRET_KEY = get_random_secret_key()
    connections.close_all()
    key_cache.reset()
    current_roles.invalidate()
    secrets.forget()
    clients.forget_clients()
    clients.prepare()


def _register_restore() -> None:
    try:
        from snapshot_restore_py import register_after_restore  # noqa: PLC0415 (the runtime's own)
    except ImportError:
        return
    register_after_restore(_after_restore)


gc.disable()  # no object of the start ever becomes garbage
_application = _build_application()
_register_restore()
gc.enable()
gc.freeze()  # and the collector need not check them again
