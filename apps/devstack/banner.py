"""What a newcomer needs to know, printed once a start and not at every reload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from apps.devstack import environment
from apps.devstack.personas import PASSWORD, PERSONAS

if TYPE_CHECKING:
    from django.core.management.base import OutputWrapper

MARKER = environment.FOLDER / "welcome-is-due"

TEXT = """
The Moped API is at http://127.0.0.1:{port}/

  Sign in      http://127.0.0.1:{port}/auth/current_user
  AWS          {aws} (embedded: user pool, hosted sign-in, claims, files)
  Edit a file and it is served; Ctrl-C stops everything and keeps it; `make reset` forgets it.

Who you can be, all with the password {password}

{personas}

Call it as one of them:

  curl -H "Authorization: Bearer $(.venv/bin/python manage.py token --as editor)" http://127.0.0.1:{port}/auth/current_user
"""


def due() -> None:
    """Note that the next server to listen shall say it."""
    MARKER.touch()


def say(out: OutputWrapper, port: int) -> None:
    """Say it, if it is due."""
    if not MARKER.exists():
        return
    MARKER.unlink()
    personas = "\n".join(f"  {p.key:<16} {p.email:<30} {p.summary}" for p in PERSONAS)
    out.write(TEXT.format(port=port, aws=settings.AWS_ENDPOINT_URL, password=PASSWORD, personas=personas))
    out.flush()
