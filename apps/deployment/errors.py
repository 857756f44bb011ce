"""What can go wrong between a clone and a stage."""

from django.core.management import CommandError

from apps.core.errors import UpstreamError

EXPIRY_CODES = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
}
DENIAL_CODES = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
# What Lambda says of a role that does not exist, or that it does not know yet.
UNKNOWN_ROLE = "cannot be assumed by Lambda"
# Part of what AWS says, and what to do.
ADVICE = {
    "UnreservedConcurrentExecution": "The account allows too few concurrent executions. Ask AWS for more,"
    " or lower `lambda_concurrency` (docs/operations.md, Limits). Then run this again.",
    UNKNOWN_ROLE: "Look whether the stack's roles still exist and trust Lambda: let"
    " CloudFormation detect the stack's drift.",
}


class StageError(CommandError):
    """One clear sentence for the operator. Django prints it and exits with the class's code."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        advice = (text for part, text in ADVICE.items() if part in message)
        super().__init__(" ".join([message, *advice]), returncode=self.exit_code)


class LeftBehindError(StageError):
    """What was to be removed is still there in part."""

    exit_code = 3


class BusyError(StageError):
    """Another process is changing the same thing at this moment."""

    exit_code = 4


def as_stage_error(error: StageError | UpstreamError) -> StageError:
    """Return what AWS has refused, as one sentence that says what to do. A StageError is one already."""
    if isinstance(error, StageError):
        return error
    cause = error.__cause__
    # A waiter reports the answer that ended its waiting.
    answer = getattr(cause, "response", None) or getattr(cause, "last_response", None) or {}
    code, message = (answer.get("Error", {}).get(name, "") for name in ("Code", "Message"))
    if code == "ResourceNotFoundException":
        return BusyError("Another run has removed it. Run this again.")
    if code in EXPIRY_CODES:
        return StageError("The AWS credentials have expired: get new ones and run this again.")
    if code in DENIAL_CODES:
        return StageError(f"These AWS credentials may not do this: {' '.join(message.split())}")
    return StageError(f"AWS could not be asked: {' '.join(str(cause or error).split())}")
