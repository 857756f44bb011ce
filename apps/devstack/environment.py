"""
Sets the environment variables of a laptop. On a stage, operators set them.

`moped_api.settings` reads them, and only this module writes them. The first source wins:

1. the variables of the process,
2. the project's `.env` (see `.env.example`),
3. the resources of `make run` (pool, client, bucket, ... in `.devstack/variables.json`),
4. placeholders, for commands without AWS and database (`makemigrations`, `startblueprint`).

The embedded AWS has its own region and credentials. This module removes the AWS settings of the shell
and of `~/.aws`. A process that names another stage keeps its environment.
"""

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from apps.deployment.settings.variables import laptop_values
from apps.devstack import postgresql

PROJECT = Path(__file__).resolve().parents[2]
# The data of the laptop. Another folder is a separate laptop, as in the tests of `make run`.
FOLDER = Path(os.environ.get("MOPED_DEVSTACK_FOLDER", PROJECT / ".devstack"))
PUBLISHED = FOLDER / "variables.json"
DOTENV = PROJECT / ".env"
POSTGRESQL = FOLDER / "postgresql"

STAGE_VARIABLE = "MOPED_API_CURRENT_ENVIRONMENT"
LAPTOP = "laptop"
SETTINGS = "moped_api.settings"  # overrides the shell's, which may be for another project
REGION = "us-east-1"
EMULATOR_URL = "http://127.0.0.1:4566"
SUPERVISED = "MOPED_DEVSTACK_SUPERVISED"  # set for the process that serves the API

# The root credentials of the emulator, which are not secret. The rest disables the real AWS.
EMBEDDED_AWS = {
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
# The variables at the start. The process that serves gets these, and adds the published variables itself.
SHELL = dict(os.environ)
_supplied: set[str] = set()


def apply() -> None:
    """Set the variables of a laptop in this process, unless it belongs to a stage."""
    if os.environ.get(STAGE_VARIABLE, LAPTOP) != LAPTOP:
        return
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    dotenv = read_dotenv(DOTENV)
    if dotenv.get(STAGE_VARIABLE, LAPTOP) != LAPTOP:
        os.environ.update(dotenv | os.environ)
        return
    own = {
        "DATABASE_URL": postgresql.database_url(POSTGRESQL),
        "AWS_DEFAULT_REGION": REGION,
        # Commands print their result. Only the server logs all events.
        "MOPED_API_LOG_LEVEL": "INFO" if is_supervised() else "WARNING",
    }
    laptop = {**own, **laptop_values(EMULATOR_URL), **read_published()}
    _supplied.update(laptop.keys() - dotenv.keys() - os.environ.keys())
    os.environ.update(laptop | dotenv | os.environ)
    bypass_proxy()
    if is_supplied("AWS_ENDPOINT_URL"):
        url = os.environ["AWS_ENDPOINT_URL"]
        remove_variables("AWS_")
        os.environ.update({"AWS_ENDPOINT_URL": url, **EMBEDDED_AWS})
    if is_supplied("DATABASE_URL"):
        remove_variables("PG")


def publish(variables: Mapping[str, str]) -> None:
    """Write the variables for later processes of this folder."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    unfinished = PUBLISHED.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(dict(variables), indent=2), encoding="utf-8")
    unfinished.replace(PUBLISHED)


def is_supplied(name: str) -> bool:
    """Return whether the value of a variable is from `apply`, not from the shell or `.env`."""
    return name in _supplied


def is_supervised() -> bool:
    """Return whether the supervisor started this process or one of its parents."""
    return SUPERVISED in os.environ


def read_published() -> dict[str, str]:
    """Return the variables from `publish`. Empty before the first `make run`."""
    try:
        variables = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in variables.items()}


def read_dotenv(path: Path) -> dict[str, str]:
    """Parse the `NAME=value` lines of a file, with the quotes and comments of a shell."""
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    words = [word for line in lines for word in shlex.split(line, comments=True)]
    pairs = (word.partition("=") for word in words)
    return {name: value for name, equals, value in pairs if equals}


def bypass_proxy() -> None:
    """Prevent requests to this machine from going through the shell's proxy."""
    hosts = os.environ.get("NO_PROXY", os.environ.get("no_proxy", "")).split(",")
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(
        dict.fromkeys([*filter(None, hosts), *LOOPBACK_HOSTS])
    )


def remove_variables(prefix: str) -> None:
    """Remove the shell's settings of AWS (`AWS_`) or of PostgreSQL's client (`PG`)."""
    for name in [name for name in os.environ if name.startswith(prefix)]:
        del os.environ[name]
