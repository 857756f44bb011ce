"""AWS's errors, translated to ours in one place."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from apps.core.errors import MopedError, UnavailableError, UpstreamError

logger = logging.getLogger(__name__)

# What reading an answer of another shape raises; RecursionError: JSON that is nested too deeply.
UNUSABLE = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
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

    The block holds one call and the reading of its answer, and nothing else: whatever else fails in
    it is an answer that does not have the documented shape.

    :raises MopedError: the named one, for an error code that is named
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
    except (ResponseParserError, *UNUSABLE) as error:
        logger.exception("aws_answer_unusable")
        raise UpstreamError from error
    except (BotoCoreError, RuntimeError) as error:  # RuntimeError: a role's credentials stay expired
        raise UnavailableError from error
