"""Staging, production and a preview per pull request."""

from django.apps import AppConfig


class StagesConfig(AppConfig):
    """The operators' commands; development.txt only, never in a package."""

    name = "apps.stages"
    label = "moped_stages"
