"""
Django's `runserver`, with the servers that the API needs.

Django's autoreloader is two processes: one serves and is replaced at every edit, the other starts it.
The servers are children of the other, so an edit does not touch them.
"""

import signal
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.commands import runserver
from django.db import connection

from apps.core.aws import clients
from apps.devstack import (
    accounts,
    environment,
    laptop_stack,
    pre_token_function,
    processes,
    sample_data,
    supervisor,
)
from apps.devstack.emulator import free_port
from apps.devstack.errors import DevstackError
from apps.devstack.personas import PASSWORD, PERSONAS

PORTS = range(1, 2**16)
# Exists until the first address is served, so that a reload neither prepares the data nor prints the banner.
FIRST_START = environment.FOLDER / "first-start"
BANNER = """
The Moped API is at http://127.0.0.1:{port}/

  Sign in      http://127.0.0.1:{port}/auth/current_user
  AWS          {aws} (embedded: user pool, hosted sign-in, claims, files)
  Edit a file and it is served; Ctrl-C stops everything and keeps it; `make reset` forgets it.

Who you can be, all with the password {password}

{personas}

Call it as one of them:

  curl -H "Authorization: Bearer $(.venv/bin/python manage.py token --as editor)" http://127.0.0.1:{port}/auth/current_user
"""
LOST = """The embedded AWS no longer has the accounts of: {addresses}.
Their rows in PostgreSQL are left. `make reset` forgets all data and starts afresh.
"""


class Command(runserver.Command):
    help = "Start PostgreSQL and the embedded AWS, provision them, and serve the API with hot reload."

    def handle(self, *args: Any, **options: Any) -> None:
        if environment.supervisor_pid():
            self._serve(*args, **options)
            return
        port = _port(options["addrport"])
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with supervisor.running(port, self._tell):
            environment.announce_starter()
            FIRST_START.touch()
            if options["use_reloader"]:
                super().handle(*args, **options)
            else:  # the settings of this process have no pool and no bucket
                sys.exit(subprocess.run([sys.executable, *sys.argv], check=False).returncode)  # noqa: S603 (ours)

    def on_bind(self, server_port: int) -> None:
        if FIRST_START.exists():
            FIRST_START.unlink()
            personas = "\n".join(f"  {p.key:<16} {p.email:<30} {p.summary}" for p in PERSONAS)
            aws = settings.AWS_ENDPOINT_URL
            self.stdout.write(BANNER.format(port=server_port, aws=aws, password=PASSWORD, personas=personas))
            self.stdout.flush()

    def _tell(self, sentence: str) -> None:
        self.stderr.write(sentence, style_func=self.style.MIGRATE_LABEL)
        self.stderr.flush()

    def _serve(self, *args: Any, **options: Any) -> None:
        processes.end_with_parent(environment.supervisor_pid())
        # The embedded AWS shares a machine that may be busy. An answer may take as long as the request.
        clients.READ_TIMEOUT_SECONDS = settings.REQUEST_SECONDS
        if FIRST_START.exists():
            self._prepare()
        else:
            pre_token_function.sync(laptop_stack.outputs())
            pre_token_function.warm()
        super().handle(*args, **options)

    def _prepare(self) -> None:
        """Migrate the database, and make the personas and the sample data that are missing."""
        self._tell("Making the tables, the people and the sample data …")
        call_command("migrate", verbosity=0, interactive=False)
        accounts.ensure(PERSONAS)
        sample_data.ensure()
        if lost := accounts.lost_addresses():
            self.stderr.write(LOST.format(addresses=", ".join(lost)))
        connection.close()


def _port(addrport: str | None) -> int:
    text = (addrport or runserver.Command.default_port).rpartition(":")[2]
    if not text.isdecimal() or int(text) not in PORTS:
        raise DevstackError(f"{addrport!r} is not a port.")
    port = int(text)
    if free_port(port) != port:
        raise DevstackError(
            f"Port {port} is taken. Stop what listens there, or choose another: make run PORT={port + 1}"
        )
    return port
