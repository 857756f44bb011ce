"""The operators' commands for staging, production and previews."""

from importlib import import_module

from django.apps import AppConfig


class StagesConfig(AppConfig):
    """Installed from requirements/development.txt only. No package for Lambda contains this app."""

    name = "apps.deployment"
    label = "moped_stages"

    def ready(self) -> None:
        """Register the checks of the stages with `manage.py check`."""
        import_module("apps.deployment.settings.checks")
