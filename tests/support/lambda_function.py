"""The Lambda function in this process."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Handler = Callable[[Any], Any]

LAMBDA = SimpleNamespace(aws_request_id="request-of-lambda")


@pytest.fixture(scope="session")
def handler() -> Handler:
    """Return the function's handler."""
    from moped_api import lambda_handler  # noqa: PLC0415 (it builds the application)

    return lambda event: lambda_handler.lambda_handler(event, LAMBDA)
