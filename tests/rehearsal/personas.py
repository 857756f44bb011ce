"""
Create the personas of a stage and sign them in. Print their tokens and the routes that each may call.

It runs as a program with the variables of the stage's function. A number creates as many more editors.
"""

import json
import sys
from dataclasses import replace

import django

django.setup()

from django.conf import settings  # noqa: E402 (Django is set up by now)

from apps.core.http import routes  # noqa: E402
from apps.devstack import accounts, persona_tokens, provision  # noqa: E402
from apps.devstack.errors import DevstackError  # noqa: E402
from apps.devstack.personas import BY_KEY, PERSONAS, Persona  # noqa: E402
from tests.test_access import path_of, tables  # noqa: E402
from tests.users.stores import OVERLOADED, SIGN_IN_ATTEMPTS  # noqa: E402


def main(crowd: int = 0) -> None:
    """Print one JSON object."""
    editors = [_editor(number) for number in range(crowd)]
    provision._register_identity_provider(settings.COGNITO_USER_POOL_ID, settings.AWS_ENDPOINT_URL)
    accounts.ensure((*PERSONAS, *editors))
    allowed = tables()
    calls = [
        {"method": method, "path": path_of(route), "allowed": sorted(allowed[method, route.name])}
        for route in routes.listing()
        for method in route.methods
    ]
    tokens = {persona.key: _token(persona) for persona in PERSONAS}
    json.dump({"tokens": tokens, "calls": calls, "crowd": [_token(editor) for editor in editors]}, sys.stdout)


def _editor(number: int) -> Persona:
    return replace(BY_KEY["editor"], email=f"editor.{number}@austintexas.gov", database_id=0)


def _token(persona: Persona) -> str:
    """Return an ID token; "" if the pool refuses. On a busy machine the trigger may not answer in time."""
    for _ in range(SIGN_IN_ATTEMPTS):
        try:
            return persona_tokens.id_token(persona)
        except DevstackError as error:
            if not any(sign in str(error) for sign in OVERLOADED):
                break
    return ""


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
