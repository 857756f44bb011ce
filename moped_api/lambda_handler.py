"""
What Lambda calls: `moped_api.lambda_handler.lambda_handler`.

Everything is built while this module is imported. That is Lambda's INIT phase, which has the full
CPU and, where it fails, fails cleanly: the runtime reports the reason and the next start begins
afresh. Built on the first event instead, a failure would leave half an application behind.

Zappa's own handler serves HTTP and management commands. Three things are done before it: Cognito's
triggers, which Zappa cannot attach; refusing the events that would run any code their sender likes;
and the stage's name, so that one package serves every stage.
"""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any

from apps.core.imports import Stand, setting_aside

# What libraries import for one function that no request calls (measured: docs/benchmarks.md).
SET_ASIDE: dict[str, Stand] = {
    "boto3": ("Session",),  # Zappa, for deploying
    "botocore": (),
    "cryptography.x509": ("load_pem_x509_certificate",),  # python-jose, for keys that come as certificates
    "django.contrib.admindocs.views": ("simplify_regex",),  # DRF's schemas; drags in the whole admin
    "django.contrib.postgres.fields": None,  # DRF, to know its columns where a serializer shows them
    "django.core.mail": ("get_connection", "mail_admins"),  # a log handler that we do not use
    "sqlparse": ("format", "split"),  # Django, for migrations written in SQL
    "tarfile": ("open",),  # Zappa, for packages in two parts
    "werkzeug.serving": ("run_simple",),  # Werkzeug's own server
}
TRIGGERS = "apps.users.triggers"
RUNS_ANY_CODE = ("raw_command", "command")


class StartError(Exception):
    """
    The application cannot be built.

    The runtime client shows no traceback of an ImportError; of this one it does.
    """


class RefusedEventError(Exception):
    """Somebody who may invoke the function asked it to run code of their own."""


def lambda_handler(event: dict[str, Any], context: Any) -> Any:
    """
    Answer one event.

    :raises RefusedEventError: for the events by which Zappa runs any function or any text
    """
    if "triggerSource" in event:
        return import_module(TRIGGERS).handler(event, context)
    if any(name in event for name in RUNS_ANY_CODE):
        raise RefusedEventError("This function serves HTTP, Cognito's triggers and `manage`; nothing else.")
    return _zappa.handler(event, context)


def _start() -> Any:
    """Build Zappa's handler, Django and the routes, without what none of them needs."""
    try:
        with setting_aside(SET_ASIDE):
            return _build()
    except ImportError as error:
        raise StartError(f"The package is incomplete: {error}") from error


def _build() -> Any:
    from zappa.handler import LambdaHandler  # noqa: PLC0415 (while boto3 is set aside)

    handler = LambdaHandler()
    from django.conf import settings  # noqa: PLC0415 (Django is set up by now)
    from django.urls import get_resolver  # noqa: PLC0415

    handler.settings.API_STAGE = settings.STAGE  # the prefix of every path at the gateway's own host name
    get_resolver().url_patterns  # noqa: B018 (reading it imports every view, here and not in a request)
    return handler


def _after_restore() -> None:
    """Leave nothing in a restored snapshot that was open, or random, when it was taken (SnapStart)."""
    from django.conf import settings  # noqa: PLC0415
    from django.core.management.utils import get_random_secret_key  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    from apps.core import aws  # noqa: PLC0415

    settings.SECRET_KEY = get_random_secret_key()
    connections.close_all()
    aws.forget_clients()


def _register_restore() -> None:
    try:
        from snapshot_restore_py import register_after_restore  # noqa: PLC0415 (the runtime's own)
    except ImportError:
        return
    register_after_restore(_after_restore)


gc.disable()  # nothing made while starting is ever garbage
_zappa = _start()
_register_restore()
gc.enable()
gc.freeze()  # and none of it needs to be looked at again
