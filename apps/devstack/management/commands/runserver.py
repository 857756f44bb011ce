"""
Django's `runserver`, with the servers that the API needs.

Django's autoreloader is two processes: one serves and is replaced at every edit, the other starts it.
The servers are children of the other, so an edit does not touch them.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.commands import runserver

from apps.devstack import environment, processes, provision, supervisor
from apps.devstack.emulator import free_port
from apps.devstack.errors import DevstackError
from apps.devstack.http_server import Server
from apps.devstack.personas import PASSWORD, PERSONAS

PORTS = range(1, 2**16)
# Exists between the start and the first address, so that a reload does not print the banner again.
BANNER_IS_DUE = environment.FOLDER / "welcome-is-due"
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


class Command(runserver.Command):
    help = "Start PostgreSQL and the embedded AWS, provision them, and serve the API with hot reload."
    server_cls = Server

    def handle(self, *args: Any, **options: Any) -> None:
        if environment.supervisor_pid():
            self._serve(*args, **options)
            return
        port = _port(options["addrport"])
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with supervisor.running(port, self._tell):
            environment.announce_starter()
            self._tell("Making the tables, the people and the sample data …")
            _run("prepare")
            BANNER_IS_DUE.touch()
            if options["use_reloader"]:
                super().handle(*args, **options)
            else:  # the settings of this process have no pool and no bucket
                _run(*sys.argv[1:])

    def on_bind(self, server_port: int) -> None:
        if BANNER_IS_DUE.exists():
            BANNER_IS_DUE.unlink()
            personas = "\n".join(f"  {p.key:<16} {p.email:<30} {p.summary}" for p in PERSONAS)
            aws = settings.AWS_ENDPOINT_URL
            self.stdout.write(BANNER.format(port=server_port, aws=aws, password=PASSWORD, personas=personas))
            self.stdout.flush()

    def _tell(self, sentence: str) -> None:
        self.stderr.write(sentence, style_func=self.style.MIGRATE_LABEL)
        self.stderr.flush()

    def _serve(self, *args: Any, **options: Any) -> None:
        processes.end_with_parent(environment.supervisor_pid())
        provision.resync_trigger()
        super().handle(*args, **options)


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


def _run(*arguments: str) -> None:
    """Run one of our commands in a process that reads the settings again. Exit if it fails."""
    code = subprocess.run([sys.executable, sys.argv[0], *arguments], check=False).returncode  # noqa: S603 (ours)
    if code != 0:
        sys.exit(code)
