"""Staff accounts."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Accounts in Cognito, the Moped database and the claims table."""

    name = "apps.users"
    label = "users"
