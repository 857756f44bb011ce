"""
The environment of the operators' commands. They run on the operator's machine and read a stage from AWS.

`manage.py` applies it before Django reads the settings. As for Amazon's own tools, the shell's AWS
variables or profile select the AWS account.
"""

import os

from apps.deployment.settings.variables import VARIABLES

COMMANDS = frozenset({"stage", "preview", "setup"})
OPERATORS = {
    **{variable.name: "read-from-the-stack" for variable in VARIABLES if variable.output},
    "MOPED_API_CURRENT_ENVIRONMENT": "operator",
    "MOPED_API_EXTRA_APPS": "apps.deployment",
    "MOPED_API_ALLOWED_HOSTS": "localhost",
    "MOPED_API_DATABASE_SECRET": "",
    "DATABASE_URL": "postgresql:///operators-ask-no-database",
}
REGION = "us-east-1"
# For Zappa, whose own clients wait for two seconds: an account may deploy only one API every five seconds.
RETRIES = {"AWS_RETRY_MODE": "standard", "AWS_MAX_ATTEMPTS": "8"}


def applies(arguments: list[str]) -> bool:
    """Return whether this is one of the operators' commands."""
    return len(arguments) > 1 and arguments[1] in COMMANDS


def apply() -> None:
    """Set the variables that the settings require."""
    os.environ.update(OPERATORS)
    for name, value in {"AWS_DEFAULT_REGION": REGION, **RETRIES}.items():
        os.environ.setdefault(name, value)
