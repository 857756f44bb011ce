"""Staging, production and a preview per pull request."""

from importlib import import_module

from django.apps import AppConfig


class StagesConfig(AppConfig):
    """The operators' commands; development.txt only, never in a package."""

    name = "apps.deployment"
    label = "moped_stages"

    def ready(self) -> None:
        """Make the doctor known to `manage.py check`."""
        import_module("apps.deployment.settings.doctor")
