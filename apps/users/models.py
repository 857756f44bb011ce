"""The people of Moped: Hasura's two tables, and two of our own beside them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models.functions import Now

from apps.claims.hasura import NO_LOGIN, HasuraClaims
from apps.claims.identity import normalize
from apps.core.database.fields import CIEmailField, ClockTimestamp

if TYPE_CHECKING:
    from typing import Any


class MopedWorkgroup(models.Model):
    """A team of the City; Hasura's table."""

    workgroup_id = models.AutoField(primary_key=True)
    workgroup_name = models.TextField()
    workgroup_abbreviation = models.TextField(null=True, blank=True)  # noqa: DJ001 (Hasura's column)
    department_id = models.IntegerField(null=True, blank=True)
    date_added = models.DateTimeField(null=True, db_default=ClockTimestamp())
    is_deleted = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "moped_workgroup"

    def __str__(self) -> str:
        return self.workgroup_name


class MopedUser(models.Model):
    """
    A person known to Moped, with a sign-in or without one; Hasura's table.

    What this row says is what Cognito and the claims table are made to say. Rows are never
    deleted: 59 foreign keys of the City's point at them.
    """

    user_id = models.AutoField(primary_key=True)
    first_name = models.TextField()
    last_name = models.TextField()
    title = models.TextField()
    email = CIEmailField()
    workgroup = models.ForeignKey(
        MopedWorkgroup, on_delete=models.RESTRICT, null=True, db_column="workgroup_id", db_index=False
    )
    cognito_user_id = models.UUIDField(null=True, blank=True)
    roles = models.JSONField(null=True, blank=True)
    is_coa_staff = models.BooleanField(default=False, db_default=False)
    is_deleted = models.BooleanField(default=False, db_default=False)
    is_user_group_member = models.BooleanField(default=False, db_default=False)
    note = models.TextField(null=True, blank=True)  # noqa: DJ001 (Hasura's column)
    picture = models.TextField(null=True, blank=True)  # noqa: DJ001 (same; deprecated)
    date_added = models.DateTimeField(null=True, db_default=ClockTimestamp())
    last_seen_date = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "moped_users"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["email"], name="moped_users_email_key"),
            models.UniqueConstraint(fields=["cognito_user_id"], name="moped_users_cognito_user_id_key"),
            models.UniqueConstraint(fields=["user_id"], name="moped_users_user_id_key"),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def address(self) -> str:
        """Return the address as Cognito and the claims table spell it."""
        return normalize(str(self.email))

    @property
    def login_roles(self) -> tuple[str, ...]:
        """Return the roles that this row grants at sign-in."""
        roles = self.roles if isinstance(self.roles, list) else []
        return tuple(role for role in roles if isinstance(role, str) and role != NO_LOGIN)

    @property
    def may_sign_in(self) -> bool:
        """Return whether this person is meant to have an account and a claims item."""
        roles = self.roles if isinstance(self.roles, list) else []
        return not self.is_deleted and self.cognito_user_id is not None and NO_LOGIN not in roles

    @property
    def claims(self) -> HasuraClaims:
        """Return the claims that this row stands for."""
        return HasuraClaims.of(
            user_id=str(self.cognito_user_id or ""),
            roles=self.login_roles,
            database_id=self.user_id,
            workgroup_id=self.workgroup_id,
        )


class PendingChange(models.Model):
    """
    A change of an account that has begun; it is gone again when the three stores agree.

    One that stays behind says which addresses are in doubt and which account, if any, was made
    on the way (ADR 0006). It never holds a password.
    """

    CREATE, UPDATE, ACTIVATE, DELETE = "create", "update", "activate", "delete"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    operation = models.CharField(max_length=16)
    email = models.TextField()
    new_email = models.TextField(default="", blank=True)
    cognito_user_id = models.UUIDField(null=True)
    sets_password = models.BooleanField(default=False)
    decided = models.BooleanField(default=False)
    actor = models.JSONField(default=dict)
    request_id = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "users_pending_change"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["email"], name="users_pending_change_email_idx"),
        ]

    # Whether this very process has begun to change another store; one that was read may have.
    touched = True
    password_sent = True

    def __str__(self) -> str:
        return f"{self.operation} {self.id}"

    @property
    def is_done(self) -> bool:
        """Return whether it is decided and left nothing to do but to say so."""
        return self.decided and self.operation != self.DELETE and not self.new_email

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return every address whose account or item this change may have touched."""
        return (self.email, self.new_email) if self.new_email else (self.email,)


class Event(models.Model):
    """One change of an account: who changed what from what to what; never altered, never a password."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=ClockTimestamp())
    operation = models.CharField(max_length=32)
    user = models.ForeignKey(
        MopedUser, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    cognito_user_id = models.UUIDField(null=True)
    actor_id = models.IntegerField(null=True)
    actor_email = models.TextField(default="", blank=True)
    actor_sub = models.TextField(default="", blank=True)
    changes: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    request_id = models.TextField(default="", blank=True)

    class Meta:
        db_table = "users_event"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "-id"], name="users_event_history_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} of {self.user_id}"
