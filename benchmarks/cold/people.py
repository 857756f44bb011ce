"""Makes an admin and an editor, signs both in, and prints what the measured requests need."""

import json
import sys

import django

django.setup()

from apps.devstack import accounts, persona_tokens  # noqa: E402 (Django is set up by now)
from apps.devstack.personas import BY_KEY  # noqa: E402
from apps.files.models import Project  # noqa: E402
from apps.users.models import MopedUser  # noqa: E402


def main() -> None:
    """Print one JSON object."""
    admin, editor = BY_KEY["admin"], BY_KEY["editor"]
    accounts.ensure((admin, editor))
    row = MopedUser.objects.get(email=editor.email)
    people = {
        "admin_token": persona_tokens.id_token(admin),
        "editor_token": persona_tokens.id_token(editor),
        "editor_id": str(row.cognito_user_id),
        "editor": {
            "email": editor.email,
            "first_name": row.first_name,
            "last_name": row.last_name,
            "title": "Persona",
            "workgroup_id": row.workgroup_id,
            "roles": list(editor.roles),
        },
        "project_id": Project.objects.create(project_name="Barton Springs Road").pk,
    }
    json.dump(people, sys.stdout)


if __name__ == "__main__":
    main()
