"""What every app stands on."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """The app without a subject."""

    name = "apps.core"
    label = "moped_core"
