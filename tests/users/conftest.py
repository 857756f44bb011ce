"""Three real stores: an embedded pool and claims table, and PostgreSQL with real commits."""

from __future__ import annotations

import itertools
import uuid
from typing import TYPE_CHECKING, cast

import pytest
from django.conf import settings

from apps.auth import current_roles
from apps.claims.hasura import ADMIN
from apps.core.aws import secrets
from apps.users.models import MopedUser
from tests.users.stores import Actor, Stores

if TYPE_CHECKING:
    from apps.auth.callers import CognitoUser

numbers = itertools.count(1)


@pytest.fixture
def stores(transactional_db: None, furnished_emulator: object) -> Stores:
    """The three stores, without users of this test."""
    current_roles.invalidate()
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
    """A new address."""
    return f"person.{uuid.uuid4().hex[:12]}@austintexas.gov"
