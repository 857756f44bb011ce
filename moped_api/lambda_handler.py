"""
What Lambda calls: `moped_api.lambda_handler.lambda_handler`.

Everything is built while this module is imported. That is Lambda's INIT phase, which has the full
CPU and, where it fails, fails cleanly: the runtime reports the reason and the next start begins
afresh. Built on the first event instead, a failure would leave half an application behind.

HTTP requests, Cognito's triggers and some management commands are dispatched here. All other events
are refused (moped_api/lambda_events.py). Zappa's own handler is not in the package (ADR 10).
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

# What libraries import for one function that no request calls (measured: docs/benchmarks.md).
SET_ASIDE: dict[str, Replacement] = {
    "cryptography.x509": ("load_pem_x509_certificate",),  # python-jose, for keys that come as certificates
    "django.contrib.admindocs.views": ("simplify_regex",),  # DRF's schemas; drags in the whole admin
    "django.contrib.postgres.fields": None,  # DRF, to know its columns where a serializer shows them
}
TRIGGERS = "apps.claims.triggers"
RANDOM_BYTES = 32


class StartError(Exception):
    """
    The application cannot be built.

    The runtime client shows no traceback of an ImportError; of this one it does.
    """


def lambda_handler(event: Any, context: Any) -> Any:
    """
    Answer one event.

    :return: for HTTP an answer as API Gateway wants it, for a trigger the event, for a management command
        what it wrote and its exit code
    :raises RefusedEventError: for an event that the function does not accept
    :raises MalformedEventError: for a trigger's event that is not built like one
    """
    request_context.begin({"lambda.context": context})
    try:
        if lambda_events.is_http(event):
            return _answer(event, context)
        return _dispatch(event, context)
    finally:
        request_context.end()


def _dispatch(event: Any, context: Any) -> Any:
    """Handle an event that is not an HTTP request."""
    try:
        if lambda_events.is_trigger(event):
            lambda_events.convert(event, lambda_events.Trigger)
            return import_module(TRIGGERS).handler(event, context)
        return _run(lambda_events.command(event))
    except (MalformedEventError, RefusedEventError) as error:
        logger.warning("event_refused", extra={"reason": str(error), "members": _members(event)})
        raise


def _answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    try:
        return lambda_http.respond(_application, event, context)
    except MalformedEventError as error:
        logger.warning("event_malformed", extra={"reason": str(error)})
        return _problem(context, 400, "bad_request", f"The event is not a valid request: {error}")
    except Exception:  # Django answers its own; this one is the gateway's answer to any other
        logger.exception("crash")
        return _problem(context, 500, "internal_error", "Something went wrong on our side.")


def _run(words: list[str]) -> dict[str, Any]:
    """Run a management command. Its exit must not end the process, which Lambda would call a crash."""
    from django.core.management import call_command  # noqa: PLC0415 (Django is set up by now)

    output, exit_code = io.StringIO(), 0
    try:
        call_command(*words, stdout=output, stderr=output)
    except SystemExit as end:
        exit_code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return {"exit_code": exit_code, "output": output.getvalue()}


def _problem(context: Any, status: int, code: str, detail: str) -> dict[str, Any]:
    """Return our error body as API Gateway wants it, for what does not reach Django."""
    from django.http import HttpResponse  # noqa: PLC0415 (Django is set up by now)

    from apps.core.http import headers, problems  # noqa: PLC0415

    request_id = str(getattr(context, "aws_request_id", "") or "-")
    body = json.dumps(problems.details(status, code, detail, request_id=request_id))
    response = HttpResponse(status=status, content_type=problems.CONTENT_TYPE)
    headers.apply(response)
    response.headers["X-Request-ID"] = request_id
    return {"statusCode": status, "headers": dict(response.headers), "body": body, "isBase64Encoded": False}


def _members(event: Any) -> list[str]:
    """Return the names of an event's members for the log; the values may be secret."""
    return sorted(str(name)[:64] for name in event)[:16] if isinstance(event, dict) else []


def _start() -> Callable[..., Any]:
    """Build the application and the routes, without what neither needs."""
    try:
        with deferred(SET_ASIDE):
            from django.urls import get_resolver  # noqa: PLC0415

            from moped_api.wsgi import application  # noqa: PLC0415 (while some modules are set aside)

            get_resolver().url_patterns  # noqa: B018 (imports every view, here and not in a request)
            from apps.core.aws import clients  # noqa: PLC0415 (Django is set up by now)

            clients.prepare()
    except ImportError as error:
        raise StartError(f"The package is incomplete: {error}") from error
    return application


def _after_restore() -> None:
    """Leave nothing in a restored snapshot that was open, secret or random when it was taken (SnapStart)."""
    from django.conf import settings  # noqa: PLC0415 (Django is set up by now)
    from django.core.management.utils import get_random_secret_key  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    from apps.auth import current_roles  # noqa: PLC0415
    from apps.auth.tokens import key_cache  # noqa: PLC0415
    from apps.core.aws import clients, secrets  # noqa: PLC0415

    random.seed()  # botocore's pauses between two attempts
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


gc.disable()  # nothing made while starting is ever garbage
_application = _start()
_register_restore()
gc.enable()
gc.freeze()  # and none of it needs to be looked at again
