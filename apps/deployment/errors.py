"""What can go wrong between a clone and a stage."""

from __future__ import annotations

from django.core.management import CommandError


class StageError(CommandError):
    """One clear sentence for the operator. Django prints it and exits with 1."""


class LeftBehindError(StageError):
    """What was to be removed is still there in part; exits with 3."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=3)


class BusyError(StageError):
    """Another process is changing the same thing at this moment. Exits with 4."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=4)
