"""The index by which a download finds its row."""

from django.contrib.postgres.indexes import HashIndex
from django.db import migrations

from apps.core.database.migrations import index_concurrently

NAME = "moped_project_files_key_idx"


class Migration(migrations.Migration):
    # A hash, because keys are only compared for equality. An editor can write a key through Hasura
    # that is too long for a B-tree (2,704 bytes). With a B-tree its insert would fail.
    atomic = False

    dependencies = [("files", "0002_file_types")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[index_concurrently(NAME, "moped_project_files USING hash (file_key)")],
            state_operations=[
                migrations.AddIndex("ProjectFile", HashIndex(fields=["file_key"], name=NAME)),
            ],
        )
    ]
