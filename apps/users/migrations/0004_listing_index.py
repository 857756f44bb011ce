"""Index the sort order of `GET /users/`."""

from django.db import migrations

from apps.core.database.migrations import index_concurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("users", "0003_own_tables")]

    operations = [
        index_concurrently("moped_users_listing_idx", "moped_users (last_name, first_name, user_id)"),
    ]
