"""Errors of the commands for a laptop."""

from django.core.management import CommandError


class DevstackError(CommandError):
    """One clear sentence for the developer. Django prints it and exits with 1."""
