"""Only tables that Hasura serves, so that `migrate --fake-initial` adopts the City's own."""

from typing import Any

from django.db import migrations, models

from apps.core.database.migrations import in_public

NOW = models.Func(function="now", output_field=models.DateTimeField())

FOREIGN_KEYS = """
ALTER TABLE moped_project_files
    ADD CONSTRAINT moped_project_files_project_id_fkey
        FOREIGN KEY (project_id) REFERENCES moped_project (project_id) ON DELETE CASCADE,
    ADD CONSTRAINT moped_project_files_type_fkey
        FOREIGN KEY (file_type) REFERENCES moped_file_types (id),
    ADD CONSTRAINT moped_project_files_created_by_fkey
        FOREIGN KEY (created_by_user_id) REFERENCES moped_users (user_id),
    ADD CONSTRAINT moped_project_files_updated_by_fkey
        FOREIGN KEY (updated_by_user_id) REFERENCES moped_users (user_id)
"""


def person(**options: Any) -> "models.ForeignKey[Any]":
    return models.ForeignKey(
        "files.person", models.PROTECT, related_name="+", db_constraint=False, db_index=False, **options
    )


class Migration(migrations.Migration):
    initial = True

    dependencies = [("users", "0001_initial")]

    operations = in_public(
        migrations.CreateModel(
            "Person",
            fields=[
                ("user_id", models.IntegerField(primary_key=True, serialize=False)),
                ("cognito_user_id", models.UUIDField(null=True)),
                ("email", models.TextField()),
                ("is_deleted", models.BooleanField()),
            ],
            options={"db_table": "moped_users", "managed": False},
        ),
        migrations.CreateModel(
            "FileType",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("name", models.TextField(unique=True)),
                ("slug", models.TextField(unique=True)),
            ],
            options={"db_table": "moped_file_types"},
        ),
        migrations.CreateModel(
            "Project",
            fields=[
                ("project_id", models.AutoField(primary_key=True, serialize=False)),
                ("project_name", models.TextField()),
                ("is_deleted", models.BooleanField(db_default=False, default=False)),
            ],
            options={"db_table": "moped_project"},
        ),
        migrations.CreateModel(
            "ProjectFile",
            fields=[
                ("project_file_id", models.AutoField(primary_key=True, serialize=False)),
                (
                    "project",
                    models.ForeignKey("files.project", models.CASCADE, db_constraint=False, db_index=False),
                ),
                ("file_key", models.TextField(null=True)),
                ("file_url", models.TextField(null=True)),
                ("file_name", models.TextField()),
                ("file_description", models.TextField(null=True)),
                ("file_size", models.IntegerField()),
                (
                    "file_type",
                    models.ForeignKey(
                        "files.filetype",
                        models.PROTECT,
                        db_column="file_type",
                        default=0,
                        db_default=0,
                        db_constraint=False,
                        db_index=False,
                    ),
                ),
                ("file_permissions", models.JSONField(null=True)),
                ("file_metadata", models.JSONField(null=True)),
                ("api_response", models.JSONField(null=True)),
                ("is_scanned", models.BooleanField(db_default=False, default=False)),
                ("is_deleted", models.BooleanField(db_default=False, default=False)),
                ("created_by_user", person()),
                ("updated_by_user", person(null=True)),
                ("created_at", models.DateTimeField(db_default=NOW)),
                ("updated_at", models.DateTimeField(db_default=NOW, null=True)),
            ],
            options={
                "db_table": "moped_project_files",
                "constraints": [
                    models.CheckConstraint(
                        name="file_location_not_null",
                        condition=models.Q(file_key__isnull=False) | models.Q(file_url__isnull=False),
                    )
                ],
            },
        ),
        migrations.RunSQL(FOREIGN_KEYS, migrations.RunSQL.noop),
    )
