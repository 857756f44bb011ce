"""What can go wrong between a clone and a stage."""

from __future__ import annotations

from django.core.management import CommandError


class StageError(CommandError):
    """One clear sentence for whoever typed the command; Django prints it and exits with 1."""
