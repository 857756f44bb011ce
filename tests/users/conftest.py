"""Three real stores: an embedded pool and claims table, and PostgreSQL with real commits."""

import itertools
import os
import uuid
from collections.abc import Mapping
from multiprocessing import forkserver
from typing import cast

import pytest
from django.conf import settings
from django.db import connection

from apps.auth import current_roles
from apps.auth.callers import CognitoUser
from apps.claims import items as claims_items
from apps.claims.hasura import ADMIN
from apps.core.aws import clients, secrets
from apps.users.adapters import cognito
from apps.users.models import MopedUser
from tests.users.fault_injection import FORKS
from tests.users.stores import Actor, Person, Stores

numbers = itertools.count(1)


@pytest.fixture
def stores(transactional_db: None, provisioned_emulator: object) -> Stores:
    """The three stores, without users of this test."""
    current_roles.invalidate()
    secrets.forget()
    return Stores(settings.COGNITO_USER_POOL_ID)


@pytest.fixture(scope="session")
def fork_server(provisioned_variables: Mapping[str, str], django_db_setup: None) -> None:
    """Let the processes that faults kill have the same three stores."""
    database = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    FORKS.set_forkserver_preload(["tests.users.preloaded"])
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**provisioned_variables, "DATABASE_URL": database}.items():
            patch.setenv(name, value)
        for name in [name for name in os.environ if name.startswith(("COV_CORE_", "COVERAGE_PROCESS_"))]:
            patch.delenv(name)  # coverage makes children slow
        forkserver.ensure_running()


@pytest.fixture
def alone(stores: Stores) -> Stores:
    """An empty pool and an empty table, without what other tests left."""
    for account in list(cognito.iter_accounts()):
        cognito.delete(account.username)
    for item in list(claims_items.scan()):
        clients.dynamodb().delete_item(TableName=settings.CLAIMS_TABLE, Key={"user_id": {"S": item.email}})
    return stores


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


@pytest.fixture
def person(stores: Stores, admin: CognitoUser, email: str) -> Person:
    """A person without an account, and an admin."""
    return Person(stores, admin, email)
