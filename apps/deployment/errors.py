"""Errors of the operators' commands."""

from django.core.management import CommandError

from apps.core.errors import UpstreamError

# Part of Lambda's message for a role that does not exist or is too new.
UNKNOWN_ROLE = "cannot be assumed by Lambda"
# Advice for the operator, by a part of AWS's message.
ADVICE = {
    "UnreservedConcurrentExecution": "The account allows too few concurrent executions. Ask AWS for more,"
    " or lower `lambda_concurrency` (docs/operations.md, Limits). Then run this again.",
    UNKNOWN_ROLE: "Look whether the stack's roles still exist and trust Lambda: let"
    " CloudFormation detect the stack's drift.",
    **dict.fromkeys(
        ("ExpiredToken", "InvalidClientTokenId", "UnrecognizedClientException"),
        "The AWS credentials have expired: get new ones and run this again.",
    ),
}


class StageError(CommandError):
    """One clear sentence for the operator. Django prints it and exits with the class's code."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        advice = (text for part, text in ADVICE.items() if part in message)
        super().__init__(" ".join([message, *advice]), returncode=self.exit_code)


class RemovalError(StageError):
    """The removal was incomplete."""

    exit_code = 3


class BusyError(StageError):
    """Another process is changing the same stage."""

    exit_code = 4


def as_stage_error(error: StageError | UpstreamError) -> StageError:
    """Return an error of AWS as a StageError with advice. Return a StageError unchanged."""
    if isinstance(error, StageError):
        return error
    message = " ".join(str(error.__cause__ or error).split())
    if "(ResourceNotFoundException)" in message:
        return BusyError("Another run has removed it. Run this again.")
    return StageError(f"AWS has not done this: {message}")
