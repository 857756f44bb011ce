"""The users of Moped: two tables that Hasura serves, and two tables of this API."""

import logging
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now

from apps.claims.hasura import NO_LOGIN, HasuraClaims
from apps.claims.identity import is_city_address, normalize
from apps.core.database.fields import CIEmailField, ClockTimestamp
from apps.core.errors import MopedError
from apps.users.errors import AddressTakenError, BusyError, UserExistsError

logger = logging.getLogger(__name__)

ERROR_BY_CONSTRAINT: dict[str, type[MopedError]] = {
    "moped_users_email_key": UserExistsError,
    "moped_users_unique_email_idx": UserExistsError,
    "moped_users_cognito_user_id_key": AddressTakenError,
    # Hasura's seeds use numbers that the sequence has not reached. The next number may be free.
    "moped_users_pkey": BusyError,
    "moped_users_user_id_key": BusyError,
}
NOT_AUDITED = {"user_id", "picture", "date_added", "last_seen_date"}
PASSWORD_CHANGE = {"password": {"from": "(hidden)", "to": "(hidden)"}}


class MopedWorkgroup(models.Model):
    """A team of the City. Hasura serves the table."""

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


class MopedUserQuerySet(models.QuerySet["MopedUser"]):
    """Look-ups by address and by account."""

    def with_address(self, email: str) -> "MopedUser | None":
        """Return the user with this address, in upper or lower case, active or not."""
        return self.filter(email=email).first()

    def with_account(self, cognito_user_id: uuid.UUID) -> "MopedUser | None":
        """Return the user with this account, or the inactive user who had it."""
        user = self.filter(cognito_user_id=cognito_user_id).first()
        if user:
            return user
        events = Event.objects.filter(cognito_user_id=cognito_user_id)
        former = self.filter(pk__in=events.values("user_id")).first()
        return None if former is None or former.may_sign_in else former


class MopedUser(models.Model):
    """
    A person in Moped, with or without an account. Hasura serves the table.

    Changes make Cognito and the claims table match this row. Rows are never deleted: 59 foreign keys
    of the City's tables reference them.
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
    picture = models.TextField(null=True, blank=True)  # noqa: DJ001 (same, deprecated)
    date_added = models.DateTimeField(null=True, db_default=ClockTimestamp())
    last_seen_date = models.DateTimeField(null=True, blank=True)

    objects = MopedUserQuerySet.as_manager()

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
        """Return the address in lower case, as in Cognito and the claims table."""
        return normalize(str(self.email))

    @property
    def login_roles(self) -> tuple[str, ...]:
        """Return the roles that this row grants at sign-in."""
        roles = self.roles if isinstance(self.roles, list) else []
        return tuple(role for role in roles if isinstance(role, str) and role != NO_LOGIN)

    @property
    def may_sign_in(self) -> bool:
        """Whether this user should have an account and a claims item."""
        has_no_login = isinstance(self.roles, list) and NO_LOGIN in self.roles
        return not self.is_deleted and self.cognito_user_id is not None and not has_no_login

    @property
    def claims(self) -> HasuraClaims:
        """Return the claims that this row grants."""
        return HasuraClaims.of(
            user_id=str(self.cognito_user_id or ""),
            roles=self.login_roles,
            database_id=self.user_id,
            workgroup_id=self.workgroup_id,
        )

    def audited_values(self) -> dict[str, Any]:
        """Return the fields that the history compares, as JSON values."""
        values = {field.attname: getattr(self, field.attname) for field in self._meta.concrete_fields}
        return {
            name: str(value) if isinstance(value, uuid.UUID) else value
            for name, value in values.items()
            if name not in NOT_AUDITED
        }

    def save_values(self, **values: Any) -> None:
        """
        Set fields and save the row. `is_coa_staff` follows from the address.

        :raises UserExistsError: if another user has the address
        :raises AddressTakenError: if another user has the account
        """
        for name, value in values.items():
            setattr(self, name, value)
        self.is_coa_staff = is_city_address(self.address)
        try:
            self.save()
        except IntegrityError as error:
            constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
            if constraint in ERROR_BY_CONSTRAINT:
                raise ERROR_BY_CONSTRAINT[constraint] from error
            raise


class PendingChange(models.Model):
    """
    A pending change: written before the stores are touched, deleted when they agree (ADR 0006).

    A remaining row shows that a change of its addresses was interrupted. The row's id is the mark of the
    account that the change created. The row never holds a password.
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

    def __str__(self) -> str:
        return f"{self.operation} {self.id}"

    @property
    def has_cleanup(self) -> bool:
        """Return whether accounts or claims have to be deleted after the commit."""
        return self.operation == self.DELETE or bool(self.new_email)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the addresses whose account or claims item this change may have changed."""
        return (self.email, self.new_email) if self.new_email else (self.email,)


class Event(models.Model):
    """An entry of a user's history: the actor, and each field before and after. Append-only, no passwords."""

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
    changes: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    request_id = models.TextField(default="", blank=True)

    class Meta:
        db_table = "users_event"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "-id"], name="users_event_history_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} of {self.user_id}"

    @classmethod
    def append(
        cls,
        operation: str,
        user: MopedUser,
        changes: Mapping[str, Any],
        actor: Mapping[str, Any],
        request_id: str,
    ) -> None:
        """Append an entry, and write a log line once it is committed."""
        cls.objects.create(
            operation=operation,
            user=user,
            cognito_user_id=user.cognito_user_id or changes.get("cognito_user_id", {}).get("from"),
            actor_id=actor["id"],
            actor_email=actor["email"],
            actor_sub=actor["sub"],
            changes=changes,
            request_id=request_id,
        )
        line = {
            "operation": operation,
            "user_id": user.pk,
            "actor_id": actor["id"],
            "fields": sorted(changes),
        }
        transaction.on_commit(partial(logger.info, "account_changed", extra=line))
