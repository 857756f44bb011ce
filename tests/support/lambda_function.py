"""The Lambda function in this process."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from apps.core.aws import clients

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    Handler = Callable[[Any], Any]

LAMBDA = SimpleNamespace(aws_request_id="request-of-lambda")


@pytest.fixture(scope="session")
def lambda_handler() -> ModuleType:
    """Return the module that Lambda imports; the clients it builds have limits that tests do not want."""
    module = import_module("moped_api.lambda_handler")
    clients.forget_clients()
    return module


@pytest.fixture(scope="session")
def handler(lambda_handler: ModuleType) -> Handler:
    """Return the function's handler."""
    return lambda event: lambda_handler.lambda_handler(event, LAMBDA)
