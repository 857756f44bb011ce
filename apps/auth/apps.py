"""The app that authenticates callers."""

from django.apps import AppConfig


class AuthConfig(AppConfig):
    """Has the label `moped_auth`, because Django's own app has the label `auth`."""

    name = "apps.auth"
    label = "moped_auth"
