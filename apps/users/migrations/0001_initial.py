"""The tables that Hasura serves. `migrate --fake-initial` keeps the City's existing tables."""

import django.db.models.deletion
from django.db import migrations, models

import apps.core.database.fields
from apps.core.database.migrations import in_public


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = in_public(
        migrations.CreateModel(
            name="MopedWorkgroup",
            fields=[
                ("workgroup_id", models.AutoField(primary_key=True, serialize=False)),
                ("workgroup_name", models.TextField()),
                ("workgroup_abbreviation", models.TextField(blank=True, null=True)),
                ("department_id", models.IntegerField(blank=True, null=True)),
                (
                    "date_added",
                    models.DateTimeField(db_default=apps.core.database.fields.ClockTimestamp(), null=True),
                ),
                ("is_deleted", models.BooleanField(db_default=False, default=False)),
            ],
            options={"db_table": "moped_workgroup"},
        ),
        migrations.CreateModel(
            name="MopedUser",
            fields=[
                ("user_id", models.AutoField(primary_key=True, serialize=False)),
                ("first_name", models.TextField()),
                ("last_name", models.TextField()),
                ("title", models.TextField()),
                ("email", apps.core.database.fields.CIEmailField(max_length=254)),
                ("cognito_user_id", models.UUIDField(blank=True, null=True)),
                ("roles", models.JSONField(blank=True, null=True)),
                ("is_coa_staff", models.BooleanField(db_default=False, default=False)),
                ("is_deleted", models.BooleanField(db_default=False, default=False)),
                ("is_user_group_member", models.BooleanField(db_default=False, default=False)),
                ("note", models.TextField(blank=True, null=True)),
                ("picture", models.TextField(blank=True, null=True)),
                (
                    "date_added",
                    models.DateTimeField(db_default=apps.core.database.fields.ClockTimestamp(), null=True),
                ),
                ("last_seen_date", models.DateTimeField(blank=True, null=True)),
                (
                    "workgroup",
                    models.ForeignKey(
                        db_column="workgroup_id",
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        to="users.mopedworkgroup",
                    ),
                ),
            ],
            options={
                "db_table": "moped_users",
                "constraints": [
                    models.UniqueConstraint(fields=["email"], name="moped_users_email_key"),
                    models.UniqueConstraint(
                        fields=["cognito_user_id"], name="moped_users_cognito_user_id_key"
                    ),
                    models.UniqueConstraint(fields=["user_id"], name="moped_users_user_id_key"),
                ],
            },
        ),
    )
