"""
Django's `runserver`, and the world it needs.

Django's autoreloader is two processes: one that watches over the other, and one that serves and is
replaced at every edit. The servers are children of the first, so an edit does not touch them.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from typing import Any

from django.core.management.commands import runserver

from apps.devstack import banner, environment, processes, provision
from apps.devstack.emulator import HOST
from apps.devstack.errors import DevstackError
from apps.devstack.server import Server
from apps.devstack.servers import DevServers

PORTS = range(1, 2**16)


class Command(runserver.Command):
    help = "Start PostgreSQL and the embedded AWS, provision them, and serve the API with hot reload."
    server_cls = Server

    def handle(self, *args: Any, **options: Any) -> None:
        if environment.supervisor_pid():
            self._serve(*args, **options)
            return
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        port = _port(options["addrport"])
        _refuse_taken(port)
        with DevServers(port, self._tell):
            environment.announce_starter()
            self._tell("Making the tables, the people and the sample data …")
            _run("prepare")
            banner.due()
            if options["use_reloader"]:
                super().handle(*args, **options)
            else:  # the settings of this process were read before the world was there
                _run(*sys.argv[1:])

    def on_bind(self, server_port: int) -> None:
        banner.say(self.stdout, server_port)

    def _tell(self, sentence: str) -> None:
        self.stderr.write(sentence, style_func=self.style.MIGRATE_LABEL)
        self.stderr.flush()

    def _serve(self, *args: Any, **options: Any) -> None:
        processes.end_with_parent(environment.supervisor_pid())
        provision.resync_trigger()
        super().handle(*args, **options)


def _port(addrport: str | None) -> int:
    port = (addrport or runserver.Command.default_port).rpartition(":")[2]
    if not port.isdecimal() or int(port) not in PORTS:
        raise DevstackError(f"{addrport!r} is not a port.")
    return int(port)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise DevstackError(
                f"Port {port} is taken. Stop what listens there, or choose another: make run PORT={port + 1}"
            ) from None


def _run(*arguments: str) -> None:
    """Run one of our commands in a process that reads the settings again. Exit if it fails."""
    code = subprocess.run([sys.executable, sys.argv[0], *arguments], check=False).returncode  # noqa: S603 (ours)
    if code != 0:
        sys.exit(code)
