"""AWS's refusals in the middle of something, as one sentence for whoever typed the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.deployment.errors import BusyError, StageError

if TYPE_CHECKING:
    from apps.core.errors import UpstreamError

EXPIRED = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
FULL = {"CodeStorageExceededException", "LimitExceededException", "ServiceQuotaExceededException"}
GONE = {"ResourceNotFoundException"}
EXPIRED_SENTENCE = "The AWS credentials have expired: get new ones and run this again."
# Lambda refuses to reserve what would leave the account's other functions too little.
NO_CONCURRENCY = "UnreservedConcurrentExecution"


def as_stage_error(error: UpstreamError) -> StageError:
    """Return what it means, and what to do; the same command, run again, goes on from where it was."""
    cause = error.__cause__
    code, message = _details(cause)
    if code in EXPIRED:
        return StageError(EXPIRED_SENTENCE)
    if code in DENIED:
        return StageError(f"These AWS credentials may not do this: {message}")
    if code in FULL or NO_CONCURRENCY in message:
        return StageError(
            f"The account has no room for it: {message} Make room (`preview sweep`), then run this again."
        )
    if code in GONE:
        return BusyError("Somebody removed it at the same time. Run this again.")
    return StageError(f"AWS could not be asked: {' '.join(str(cause or error).split())}")


def _details(cause: BaseException | None) -> tuple[str, str]:
    # One who waits for a function to be ready reports the answer that ended the waiting.
    answer = getattr(cause, "response", None) or getattr(cause, "last_response", None) or {}
    details = answer.get("Error", {})
    return details.get("Code", ""), " ".join(details.get("Message", "").split())
