"""
What staff accounts cost with 100 and with 10,000 people, side by side.

    python -m benchmarks.bench_users

Starts a PostgreSQL of its own. AWS is answered in this process, from dictionaries, so that what is
measured is ours: the statements, the calls we make (counted) and our own time. The emulator would
not do: it looks for each account among all of them, which AWS does not.
"""

from __future__ import annotations

import logging
import os
import statistics
import tempfile
import time
import tracemalloc
import uuid
from collections import Counter
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from apps.claims import items
from apps.core.aws import clients
from apps.devstack import environment
from apps.devstack.postgresql import Cluster, database_url

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (100, 10_000)
CALLS = 60
PASSWORD = "Correct-Horse-42"
OK = SimpleNamespace(status_code=200)


class World:
    """A pool and a table in dictionaries, spoken to by the real boto3 clients."""

    def __init__(self) -> None:
        from cryptography.fernet import Fernet

        self.key = Fernet.generate_key().decode()
        self.accounts: dict[str, dict[str, Any]] = {}
        self.by_email: dict[str, str] = {}
        self.items: dict[str, dict[str, Any]] = {}
        self.calls: Counter[str] = Counter()

    def answer(self, params: dict[str, Any], model: Any, **_event: Any) -> tuple[Any, dict[str, Any]]:
        """Answer a call instead of the network."""
        import json

        from botocore import xform_name

        self.calls[model.name] += 1
        request = json.loads(params["body"])
        return OK, getattr(self, xform_name(model.name))(request)

    def list_users(self, request: dict[str, Any]) -> dict[str, Any]:
        """Find by address, or page."""
        if "Filter" in request:
            name = self.by_email.get(request["Filter"].split('"')[1])
            return {"Users": [self.accounts[name]] if name else []}
        start = int(request.get("PaginationToken", 0))
        names = list(self.accounts)
        page = names[start : start + request["Limit"]]
        more = {"PaginationToken": str(start + len(page))} if start + len(page) < len(names) else {}
        return {"Users": [self.accounts[name] for name in page], **more}

    def admin_create_user(self, request: dict[str, Any]) -> dict[str, Any]:
        """Make an account."""
        return {"User": self.admit(request["Username"], str(uuid.uuid4()), request["UserAttributes"])}

    def admit(self, email: str, name: str, attributes: list[dict[str, str]] | None = None) -> dict[str, Any]:
        """Put an account into the pool."""
        attributes = attributes or [
            {"Name": "email", "Value": email},
            {"Name": "email_verified", "Value": "true"},
        ]
        self.accounts[name] = {
            "Username": name,
            "Attributes": attributes,
            "Enabled": True,
            "UserStatus": "CONFIRMED",
        }
        self.by_email[email] = name
        return self.accounts[name]

    def admin_set_user_password(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Take any."""
        return {}

    def get_item(self, request: dict[str, Any]) -> dict[str, Any]:
        """Look up."""
        item = self.items.get(request["Key"]["user_id"]["S"])
        return {"Item": item} if item else {}

    def put_item(self, request: dict[str, Any]) -> dict[str, Any]:
        """Store."""
        self.items[request["Item"]["user_id"]["S"]] = request["Item"]
        return {}

    def scan(self, request: dict[str, Any]) -> dict[str, Any]:
        """Page."""
        start = int(request.get("ExclusiveStartKey", {"n": {"N": "0"}})["n"]["N"])
        page = list(self.items.values())[start : start + request["Limit"]]
        more = start + len(page)
        last = {"LastEvaluatedKey": {"n": {"N": str(more)}}} if more < len(self.items) else {}
        return {"Items": page, **last}

    def get_secret_value(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Tell the key."""
        return {"SecretString": f'{{"COGNITO_DYNAMO_SECRET_KEY": "{self.key}"}}'}


def main() -> None:
    """Start a database, measure, stop it."""
    with tempfile.TemporaryDirectory(prefix="moped-bench-") as folder:
        cluster = Cluster(Path(folder) / "postgresql", durable=False)
        cluster.start()
        try:
            world = prepare(database_url(cluster.folder))
            rows = {}
            for size in SIZES:
                fill(world, size)
                rows[size] = {name: measure(world, act) for name, act in subjects().items()}
                rows[size]["reconcile_users"] = survey(world)
            report(rows)
        finally:
            cluster.stop()


def prepare(url: str) -> World:
    """Make this process the API, before AWS of dictionaries."""
    environment.apply_for_tests(url)
    os.environ["DJANGO_SETTINGS_MODULE"] = "moped_api.settings"
    import django

    django.setup()
    logging.getLogger().handlers = [logging.NullHandler()]
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    world = World()
    for client in (
        clients.cognito(),
        clients.dynamodb(),
        clients.secrets_manager(),
    ):
        client.meta.events.register_first("before-call.*.*", world.answer)
    return world


def fill(world: World, size: int) -> None:
    """Bring the three stores to that many people."""
    from apps.users.models import MopedUser

    have = MopedUser.objects.count()
    people = [
        MopedUser(
            first_name=f"First{number % 97}",
            last_name=f"Last{number}",
            title="Planner",
            workgroup_id=3,
            email=f"person{number}@austintexas.gov",
            roles=["moped-editor"],
            is_coa_staff=True,
            cognito_user_id=uuid.uuid4(),
            note="",
        )
        for number in range(have, size)
    ]
    for person in MopedUser.objects.bulk_create(people, batch_size=1000):
        world.admit(person.address, str(person.cognito_user_id))
        world.items[person.address] = items.encode(person.address, person.claims)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE moped_users")


def subjects() -> dict[str, Callable[[], object]]:
    """Return what is measured, by name."""
    from apps.claims.hasura import HasuraClaims
    from apps.users import selectors, services
    from apps.users.serializers import UserSerializer

    ada: Any = SimpleNamespace(email="ada@austintexas.gov", sub="x", claims=HasuraClaims(database_id="1"))
    all_users: dict[str, Any] = {"search": "", "role": "", "workgroup": None, "active": None}

    def listed(**changes: Any) -> object:
        users = selectors.filter_users(selectors.list_users(), **(all_users | changes))
        return users.count(), UserSerializer(users[:50], many=True).data

    def create() -> object:
        return services.create_user(
            actor=ada,
            password=PASSWORD,
            email=f"new.{uuid.uuid4().hex}@austintexas.gov",
            first_name="Zoë",
            last_name="O'Neill",
            title="Planner",
            workgroup_id=3,
            roles=["moped-viewer"],
            is_user_group_member=False,
            note="",
        )

    return {
        "list, first page": listed,
        "list, searched": lambda: listed(search="last5"),
        "list, by role": lambda: listed(role="moped-editor", active=True),
        "create": create,
    }


def measure(world: World, act: Callable[[], object]) -> str:
    """Return the median time, the calls to AWS and the statements of one."""
    from django.db import connection

    act()
    statements = 0

    def counted(execute: Any, *arguments: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*arguments)

    times = []
    world.calls.clear()
    with connection.execute_wrapper(counted):
        for _ in range(CALLS):
            started = time.perf_counter()
            act()
            times.append(time.perf_counter() - started)
    calls = sum(world.calls.values()) / CALLS
    return (
        f"{statistics.median(times) * 1e3:6.1f} ms  {calls:3.0f} calls  {statements / CALLS:3.0f} statements"
    )


def survey(world: World) -> str:
    """Return the time, the calls and the peak of memory of a whole comparison."""
    from django.core.management import call_command

    world.calls.clear()
    tracemalloc.start()
    started = time.perf_counter()
    call_command("reconcile_users", stdout=StringIO())
    seconds = time.perf_counter() - started
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return f"{seconds * 1e3:6.0f} ms  {sum(world.calls.values()):3} calls  {peak:.1f} MiB at most"


def report(rows: dict[int, dict[str, str]]) -> None:
    """Print the sizes side by side."""
    print(f"{'':18}" + "".join(f"{f'{size:,} people':44}" for size in rows))
    for name in rows[SIZES[0]]:
        print(f"{name:18}" + "".join(f"{rows[size][name]:44}" for size in rows))


if __name__ == "__main__":
    main()
