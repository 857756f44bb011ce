"""The translation of AWS's errors into ours."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from apps.core.errors import MopedError, UnavailableError, UpstreamError

logger = logging.getLogger(__name__)

# Raised while an answer of the wrong shape is read. RecursionError: JSON that is nested too deeply.
SHAPE_ERRORS = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
THROTTLED = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


class StoreMissingError(UpstreamError):
    """The user pool or table that the settings name does not exist. Only the operators can correct that."""

    code = "store_missing"
    message = "This service is not set up completely. Tell its operators."
    field = "email"


@contextmanager
def translate_errors(**error_classes: type[MopedError]) -> Iterator[None]:
    """
    Turn AWS's errors into ours: `translate_errors(UsernameExistsException=UserExistsError)`.

    The block must contain only one call and the reading of its answer. Any other error in it counts
    as an answer that does not have the documented shape.

    :raises MopedError: the given class, if there is one for AWS's error code
    :raises UnavailableError: if AWS cannot be reached or asks us to slow down
    :raises UpstreamError: for anything else that AWS reports
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (lazy)
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 (lazy)

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        kind = UnavailableError if code in THROTTLED else UpstreamError
        raise error_classes.get(code, kind) from error
    except (ResponseParserError, *SHAPE_ERRORS) as error:
        logger.exception("aws_answer_unusable")
        raise UpstreamError from error
    except (BotoCoreError, RuntimeError) as error:  # RuntimeError: no new credentials for a role
        raise UnavailableError from error
