"""What a download looks up."""

from django.contrib.postgres.indexes import HashIndex
from django.db import migrations

from apps.core.database.migrations import index_concurrently

NAME = "moped_project_files_key_idx"


class Migration(migrations.Migration):
    # A hash: keys are only ever compared for equality, and an editor can write through Hasura
    # one longer than a row of a B-tree (2,704 bytes), whose insert would then fail.
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
