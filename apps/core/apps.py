"""What every app stands on."""

from django.apps import AppConfig
from django.db.models.signals import pre_migrate

from apps.core.database.schema import create_app_schema, require_session_parameters


class CoreConfig(AppConfig):
    """The app without a subject."""

    name = "apps.core"
    label = "moped_core"

    def ready(self) -> None:
        """See to it that a migration finds the schema that it writes to."""
        pre_migrate.connect(require_session_parameters, dispatch_uid="moped_api_session")
        pre_migrate.connect(create_app_schema, dispatch_uid="moped_api_schema")
