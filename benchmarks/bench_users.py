"""
What staff accounts cost with 100 and with 10,000 people, side by side.

    python -m benchmarks.bench_users

Starts a PostgreSQL of its own. AWS is answered in this process, from dictionaries: the statements, the
calls to AWS and our own time are measured. The emulator looks for each account among all of them, which
AWS does not do.
"""

import json
import statistics
import time
import tracemalloc
import uuid
from collections import Counter
from collections.abc import Callable
from io import StringIO
from types import SimpleNamespace
from typing import Any

from apps.claims import items
from apps.core.aws import clients
from benchmarks import api

SIZES = (100, 10_000)
CALLS = 60
OK = SimpleNamespace(status_code=200)


class Pool:
    """A user pool and a claims table in dictionaries, called by the real boto3 clients."""

    def __init__(self) -> None:
        from cryptography.fernet import Fernet

        self.secret = json.dumps({items.KEY: Fernet.generate_key().decode()})
        self.accounts: list[dict[str, Any]] = []
        self.items: list[Any] = []
        self.calls: Counter[str] = Counter()
        for client in (clients.cognito(), clients.dynamodb(), clients.secrets_manager()):
            client.meta.events.register_first("before-call.*.*", self.answer)

    def answer(self, params: dict[str, Any], model: Any, **_event: Any) -> tuple[Any, dict[str, Any]]:
        """Answer a call instead of the network."""
        self.calls[model.name] += 1
        request = json.loads(params["body"])
        if model.name == "GetSecretValue":
            return OK, {"SecretString": self.secret}
        if model.name == "ListUsers":
            start = int(request.get("PaginationToken", 0))
            end = start + request["Limit"]
            more = {"PaginationToken": str(end)} if end < len(self.accounts) else {}
            return OK, {"Users": self.accounts[start:end], **more}
        start = int(request.get("ExclusiveStartKey", {"n": {"N": "0"}})["n"]["N"])
        end = start + request["Limit"]
        more = {"LastEvaluatedKey": {"n": {"N": str(end)}}} if end < len(self.items) else {}
        return OK, {"Items": self.items[start:end], **more}


def main() -> None:
    """Measure both sizes and print them side by side."""
    with api.migrated():
        pool = Pool()
        columns = []
        for size in SIZES:
            add_people(pool, size)
            times = {name: measured(function) for name, function in subjects().items()}
            columns.append(times | {"reconcile_users": reconciliation(pool)})
    print(f"{'':18}" + "".join(f"{f'{size:,} people':44}" for size in SIZES))
    for name in columns[0]:
        print(f"{name:18}" + "".join(f"{column[name]:44}" for column in columns))


def add_people(pool: Pool, size: int) -> None:
    """Bring the three stores to that many people."""
    from django.db import connection

    from apps.users.models import MopedUser

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
        for number in range(MopedUser.objects.count(), size)
    ]
    for person in MopedUser.objects.bulk_create(people, batch_size=1000):
        attributes = {"email": person.address, "email_verified": "true"}
        pool.accounts.append(
            {
                "Username": str(person.cognito_user_id),
                "Attributes": [{"Name": name, "Value": value} for name, value in attributes.items()],
                "Enabled": True,
                "UserStatus": "CONFIRMED",
            }
        )
        pool.items.append(items.encode(person.address, person.claims))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE moped_users")


def subjects() -> dict[str, Callable[[], object]]:
    """Return what is measured, by name."""
    from apps.users import selectors
    from apps.users.serializers import UserSerializer

    def listed(**filters: Any) -> object:
        users = selectors.list_users(**filters)
        return users.count(), UserSerializer(users[:50], many=True).data

    return {
        "list, first page": listed,
        "list, searched": lambda: listed(search="last5"),
        "list, by role": lambda: listed(role="moped-editor", active=True),
    }


def measured(function: Callable[[], object]) -> str:
    """Return the median time and the statements of one call."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        function()
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return f"{statistics.median(times) * 1e3:6.1f} ms  {len(queries):3} statements"


def reconciliation(pool: Pool) -> str:
    """Return the time, the calls to AWS and the peak of memory of a whole comparison."""
    from django.core.management import call_command

    pool.calls.clear()
    tracemalloc.start()
    began = time.perf_counter()
    call_command("reconcile_users", stdout=StringIO())
    seconds = time.perf_counter() - began
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return f"{seconds * 1e3:6.0f} ms  {sum(pool.calls.values()):3} calls  {peak:.1f} MiB at most"


if __name__ == "__main__":
    main()
