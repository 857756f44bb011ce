"""
The tables of the Moped database for files.

Hasura serves them, and its migrations define their names, types, defaults and constraints. They
also define triggers (`moped_project.updated_at`), which our migrations do not create.
"""

from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import Func, Q

now = Func(function="now", output_field=models.DateTimeField())


class Person(models.Model):
    """
    The columns of `moped_users` that this app needs. apps.users creates and changes the rows.

    The two apps share only the database. Neither imports the other.
    """

    user_id = models.IntegerField(primary_key=True)
    cognito_user_id = models.UUIDField(null=True)
    email = models.TextField()
    is_deleted = models.BooleanField()

    class Meta:
        managed = False
        db_table = "moped_users"

    def __str__(self) -> str:
        return str(self.user_id)


class Project(models.Model):
    """The columns of a project that this app needs. The real table has about sixty more."""

    project_id = models.AutoField(primary_key=True)
    project_name = models.TextField()
    is_deleted = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "moped_project"

    def __str__(self) -> str:
        return self.project_name


class FileType(models.Model):
    """The purposes that the editor offers for a file."""

    id = models.AutoField(primary_key=True)
    name = models.TextField(unique=True)
    slug = models.TextField(unique=True)

    class Meta:
        db_table = "moped_file_types"

    def __str__(self) -> str:
        return self.name


class ProjectFile(models.Model):
    """
    One file of a project: a key in the bucket, or a link to somewhere else.

    The first migration creates the foreign keys in SQL, because the real ones cascade in the database
    and are not deferred. Django's own cannot express that. Our only addition is the index.
    """

    project_file_id = models.AutoField(primary_key=True)
    project = models.ForeignKey(Project, models.CASCADE, db_constraint=False, db_index=False)
    file_key = models.TextField(null=True)  # noqa: DJ001 (null and empty differ in the shared table)
    file_url = models.TextField(null=True)  # noqa: DJ001
    file_name = models.TextField()
    file_description = models.TextField(null=True)  # noqa: DJ001
    file_size = models.IntegerField()
    # As in the real table, the default is no existing file type, so an insert must name one.
    file_type = models.ForeignKey(
        FileType,
        models.PROTECT,
        db_column="file_type",
        default=0,
        db_default=0,
        db_constraint=False,
        db_index=False,
    )
    file_permissions = models.JSONField(null=True)
    file_metadata = models.JSONField(null=True)
    api_response = models.JSONField(null=True)
    is_scanned = models.BooleanField(default=False, db_default=False)
    is_deleted = models.BooleanField(default=False, db_default=False)
    created_by_user = models.ForeignKey(
        Person, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    updated_by_user = models.ForeignKey(
        Person, models.PROTECT, related_name="+", null=True, db_constraint=False, db_index=False
    )
    created_at = models.DateTimeField(db_default=now)
    updated_at = models.DateTimeField(null=True, db_default=now)

    class Meta:
        db_table = "moped_project_files"
        constraints = (
            models.CheckConstraint(
                name="file_location_not_null",
                condition=Q(file_key__isnull=False) | Q(file_url__isnull=False),
            ),
        )
        indexes = (HashIndex(fields=["file_key"], name="moped_project_files_key_idx"),)

    def __str__(self) -> str:
        return self.file_name
