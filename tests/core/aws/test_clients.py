from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import ConflictError, UnavailableError, UpstreamError
from tests.support.waiting import LIMIT_SECONDS, PRODUCTION_VALUES


class TakenError(ConflictError):
    pass


def vendor_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "with a secret"}}, "AdminCreateUser")


class TestTranslating:
    @pytest.mark.parametrize(
        ("vendor_error", "expected"),
        [
            (vendor_error("UsernameExistsException"), TakenError),
            (vendor_error("SomethingNew"), UpstreamError),
            (vendor_error("TooManyRequestsException"), UnavailableError),
            (EndpointConnectionError(endpoint_url="http://127.0.0.1:9"), UnavailableError),
            (ReadTimeoutError(endpoint_url="http://127.0.0.1:9"), UnavailableError),
            (NoCredentialsError(), UnavailableError),
            (RuntimeError("the refreshed credentials are still expired"), UnavailableError),
            (RecursionError(), UpstreamError),
        ],
        ids=lambda value: getattr(value, "__name__", type(value).__name__),
    )
    def test_turns_their_errors_into_ours(self, vendor_error: Exception, expected: type[Exception]) -> None:
        with pytest.raises(expected) as error, translate_errors(UsernameExistsException=TakenError):
            raise vendor_error

        assert type(error.value) is expected
        assert "secret" not in str(error.value)

    def test_lets_other_errors_pass(self) -> None:
        with pytest.raises(ZeroDivisionError), translate_errors():
            raise ZeroDivisionError


class TestClients:
    def test_give_up_before_the_gateway_does(self) -> None:
        connect, read = (
            PRODUCTION_VALUES[clients, f"{name}_TIMEOUT_SECONDS"] for name in ("CONNECT", "READ")
        )
        config: Any = clients.dynamodb().meta.config

        assert config.retries["total_max_attempts"] * (connect + read) < 29
        assert (config.connect_timeout, config.read_timeout) == (LIMIT_SECONDS, LIMIT_SECONDS)

    def test_are_built_once_until_they_are_forgotten(self) -> None:
        before = clients.s3()
        assert clients.s3() is before

        clients.forget_clients()

        assert clients.s3() is not before
