"""
The environment of the operators' commands: they ask AWS what a stage is, and are told no stage.

`manage.py` applies it before Django reads the settings. Which AWS is meant stands, as for every
tool of Amazon's, in the shell's own AWS variables or profile.
"""

from __future__ import annotations

import os

COMMANDS = frozenset({"stage", "preview", "setup"})
VARIABLES = {
    "MOPED_API_CURRENT_ENVIRONMENT": "operator",
    "MOPED_API_EXTRA_APPS": "apps.deployment",
    "MOPED_API_ALLOWED_HOSTS": "localhost",
    "MOPED_API_CONFIGURATION_SETTINGS": "asked-of-the-stack",
    "MOPED_API_UPLOADS_S3_BUCKET": "asked-of-the-stack",
    "COGNITO_APP_CLIENT_ID": "asked-of-the-stack",
    "COGNITO_DYNAMO_TABLE_NAME": "asked-of-the-stack",
    "COGNITO_USERPOOL_ID": "asked-of-the-stack",
    "DATABASE_URL": "postgresql:///operators-ask-no-database",
}
REGION = "us-east-1"


def applies(arguments: list[str]) -> bool:
    """Tell whether this is one of the operators' commands."""
    return len(arguments) > 1 and arguments[1] in COMMANDS


def apply() -> None:
    """Complete the environment of this process."""
    os.environ.update(VARIABLES)
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
