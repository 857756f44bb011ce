"""Three real stores: an embedded pool and claims table, and PostgreSQL with real commits."""

from __future__ import annotations

import itertools
import uuid
from importlib import import_module
from typing import TYPE_CHECKING, cast

import pytest
from django.conf import settings

from apps.auth import rights
from apps.core import secrets
from apps.core.claims import ADMIN
from apps.users.models import MopedUser, MopedWorkgroup
from tests.users.stores import Actor, Stores

if TYPE_CHECKING:
    from apps.auth.users import CognitoUser

seeding = import_module("apps.users.migrations.0002_seed_workgroups")
numbers = itertools.count(1)


@pytest.fixture
def seeded(transactional_db: None) -> None:
    """Workgroups again, in a database whose commits are real and which is emptied after each test."""
    MopedWorkgroup.objects.bulk_create(
        [
            MopedWorkgroup(pk=number, workgroup_name=name, is_deleted=number in seeding.MERGED_INTO_OTHERS)
            for number, name in enumerate(seeding.WORKGROUPS, start=1)
        ],
        ignore_conflicts=True,
    )


@pytest.fixture
def stores(seeded: None, furnished_emulator: object) -> Stores:
    """The three stores, with nobody of this test in them yet."""
    rights.forget()
    secrets.forget()
    return Stores(settings.COGNITO_USER_POOL_ID)


@pytest.fixture
def admin(stores: Stores) -> CognitoUser:
    """An admin who acts, and another one, so that neither is the last."""
    for name in ("acting", "other"):
        stores.admit(f"{name}.admin{next(numbers)}@austintexas.gov", [ADMIN])
    row = MopedUser.objects.order_by("user_id")[0]
    return cast("CognitoUser", Actor(row.email, str(row.cognito_user_id), row.claims))


@pytest.fixture
def email() -> str:
    """An address that nobody had before."""
    return f"person.{uuid.uuid4().hex[:12]}@austintexas.gov"
