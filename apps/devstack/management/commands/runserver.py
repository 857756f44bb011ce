"""
Django's `runserver`, which also starts PostgreSQL and the embedded AWS.

The developer's command is the supervisor. It starts the servers, and runs this command again as its child.
The child prepares the data. Django's autoreloader starts another process, which serves.
"""

import os
import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.commands import runserver
from django.core.servers import basehttp
from django.db import connection
from django.utils.autoreload import DJANGO_AUTORELOAD_ENV

from apps.core.aws import clients
from apps.devstack import (
    accounts,
    environment,
    pre_token_function,
    processes,
    provision,
    sample_data,
    supervisor,
)
from apps.devstack.emulator import free_port
from apps.devstack.errors import DevstackError
from apps.devstack.personas import PERSONAS

LOST_ACCOUNTS = """The embedded AWS no longer has the accounts of: {addresses}.
Their rows in PostgreSQL are left. `make reset` forgets all data and starts afresh.
"""


class Command(runserver.Command):
    help = "Start PostgreSQL and the embedded AWS, provision them, and serve the API with hot reload."

    def handle(self, *args: Any, **options: Any) -> None:
        if not environment.is_supervised():
            port = _port(options["addrport"] or self.default_port)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: sys.exit(0))
            sys.exit(supervisor.serve(port, [sys.executable, *sys.argv], self._tell))
        # The embedded AWS may be slow on a busy machine, so a call may take as long as a request.
        clients.READ_TIMEOUT_SECONDS = settings.REQUEST_SECONDS
        # As on the API's other servers: no version of Python in headers, and plain text for invalid requests.
        basehttp.ServerHandler.server_software = ""
        basehttp.WSGIRequestHandler.server_version = basehttp.WSGIRequestHandler.sys_version = ""
        basehttp.WSGIRequestHandler.error_content_type = "text/plain"
        basehttp.WSGIRequestHandler.error_message_format = "%(code)d: this is not an HTTP request.\n"
        if DJANGO_AUTORELOAD_ENV in os.environ:
            processes.end_with_parent()
        else:
            self._prepare()
        super().handle(*args, **options)

    def inner_run(self, *args: Any, **options: Any) -> None:
        """Update the pre-token trigger from the working tree, and serve."""
        pre_token_function.sync(provision.stack_outputs())
        pre_token_function.warm()
        super().inner_run(*args, **options)

    def on_bind(self, server_port: int) -> None:
        self._tell(f"The Moped API is at http://127.0.0.1:{server_port}/")

    def _tell(self, sentence: str) -> None:
        self.stderr.write(sentence, style_func=self.style.MIGRATE_LABEL)
        self.stderr.flush()

    def _prepare(self) -> None:
        """Migrate the database, and create missing personas and sample data."""
        self._tell("Making the tables, the people and the sample data …")
        call_command("migrate", verbosity=0, interactive=False)
        accounts.ensure(PERSONAS)
        sample_data.ensure()
        if lost := accounts.lost_addresses():
            self.stderr.write(LOST_ACCOUNTS.format(addresses=", ".join(lost)))
        connection.close()


def _port(addrport: str) -> int:
    text = addrport.rpartition(":")[2]
    if text.isdecimal() and 0 < int(text) < 2**16 and free_port(int(text)) == int(text):
        return int(text)
    raise DevstackError(f"The API cannot listen on port {text}. Choose another one: make run PORT=<number>")
