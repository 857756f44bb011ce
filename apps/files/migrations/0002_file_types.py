"""The file types that the editor offers, for a database that has none."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

NAMES = ("Funding", "Plans", "Estimates", "Other", "Work order link")


def seed(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    file_types = apps.get_model("files", "FileType").objects
    if not file_types.exists():  # the City's own stay unchanged
        file_types.bulk_create(
            # The sequence of the new table gives the ids 1 to 5.
            file_types.model(name=name, slug=name.lower().replace(" ", "_"))
            for name in NAMES
        )


class Migration(migrations.Migration):
    dependencies = [("files", "0001_initial")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
