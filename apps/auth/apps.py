"""Who is calling."""

from django.apps import AppConfig


class AuthConfig(AppConfig):
    """`moped_auth`, since Django's own app has the label `auth`."""

    name = "apps.auth"
    label = "moped_auth"
