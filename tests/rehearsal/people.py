"""
Makes the personas of a stage and signs them in; prints their tokens, and what each may call.

Run by itself, with the variables that the stage's function has.
"""

from __future__ import annotations

import json
import sys

import django

django.setup()

from django.conf import settings  # noqa: E402 (Django is set up by now)

from apps.core import routes  # noqa: E402
from apps.devstack import accounts, furnish, signing_in  # noqa: E402
from apps.devstack.errors import DevstackError  # noqa: E402
from apps.devstack.personas import PERSONAS  # noqa: E402
from tests.test_access import path_of, tables  # noqa: E402


def main() -> None:
    """Print one JSON object."""
    furnish._introduce_directory(settings.COGNITO_USER_POOL_ID, settings.AWS_ENDPOINT_URL)
    accounts.ensure(PERSONAS)
    allowed = tables()
    calls = [
        {"method": method, "path": path_of(route), "allowed": sorted(allowed[method, route.name])}
        for route in routes.listing()
        for method in route.methods
    ]
    json.dump({"tokens": {persona.key: _token(persona) for persona in PERSONAS}, "calls": calls}, sys.stdout)


def _token(persona: object) -> str:
    try:
        return signing_in.id_token(persona)  # type: ignore[arg-type]
    except DevstackError:
        return ""


if __name__ == "__main__":
    main()
