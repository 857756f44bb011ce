"""Staging, production and a preview per pull request."""

from importlib import import_module

from django.apps import AppConfig


class StagesConfig(AppConfig):
    """The operators' commands; development.txt only, never in a package."""

    name = "apps.deployment"
    label = "moped_stages"

    def ready(self) -> None:
        """Register the checks of the stages with `manage.py check`."""
        import_module("apps.deployment.settings.checks")
