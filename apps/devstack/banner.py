"""What a newcomer needs to know."""

from __future__ import annotations

from django.conf import settings

from apps.devstack.personas import PASSWORD, PERSONAS

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


def text(port: int) -> str:
    """Return the address of the API and who can sign in."""
    personas = "\n".join(f"  {p.key:<16} {p.email:<30} {p.summary}" for p in PERSONAS)
    return TEXT.format(port=port, aws=settings.AWS_ENDPOINT_URL, password=PASSWORD, personas=personas)
