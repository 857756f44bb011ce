"""Create the tables that only this API uses, in its own schema: pending changes and the history."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.core.database.fields

APPEND_ONLY = """
CREATE FUNCTION moped_api.refuse_to_rewrite_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'users_event is append-only';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON moped_api.users_event
    FOR EACH ROW EXECUTE FUNCTION moped_api.refuse_to_rewrite_history();
"""
REWRITABLE = """
DROP TRIGGER append_only ON moped_api.users_event;
DROP FUNCTION moped_api.refuse_to_rewrite_history();
"""


class Migration(migrations.Migration):
    dependencies = [("users", "0002_seed_workgroups")]

    operations = [
        migrations.CreateModel(
            name="Intention",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("operation", models.CharField(max_length=16)),
                ("email", models.TextField()),
                ("new_email", models.TextField(blank=True, default="")),
                ("cognito_user_id", models.UUIDField(null=True)),
                ("sets_password", models.BooleanField(default=False)),
                ("decided", models.BooleanField(default=False)),
                ("actor", models.JSONField(default=dict)),
                ("request_id", models.TextField(blank=True, default="")),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "db_table": "users_intention",
                "indexes": [models.Index(fields=["email"], name="users_intention_email_idx")],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_default=apps.core.database.fields.ClockTimestamp())),
                ("operation", models.CharField(max_length=32)),
                ("cognito_user_id", models.UUIDField(null=True)),
                ("actor_id", models.IntegerField(null=True)),
                ("actor_email", models.TextField(blank=True, default="")),
                ("actor_sub", models.TextField(blank=True, default="")),
                ("changes", models.JSONField(default=dict)),
                ("request_id", models.TextField(blank=True, default="")),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="users.mopeduser",
                    ),
                ),
            ],
            options={
                "db_table": "users_event",
                "indexes": [models.Index(fields=["user", "-id"], name="users_event_history_idx")],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, REWRITABLE),
    ]
