"""
The environment variables of a laptop, which a stage gets from its operators.

`moped_api.settings` reads them, and this is the one file that writes them. The first source wins:

1. what the process already has,
2. the project's `.env` (see `.env.example`),
3. what `make run` provisioned (pool, client, bucket, ... in `.devstack/variables.json`),
4. placeholders, for commands that need none of these (`makemigrations`, `startblueprint`).

The embedded AWS has its own region and credentials. What `~/.aws` or the shell says about the real AWS
is set aside. A process that names a stage other than the laptop is left alone.
"""

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from apps.deployment.settings.variables import laptop_values
from apps.devstack import postgresql

PROJECT = Path(__file__).resolve().parents[2]
# Where everything of the laptop lies; another one is another laptop (the tests of `make run` have theirs).
FOLDER = Path(os.environ.get("MOPED_DEVSTACK_FOLDER", PROJECT / ".devstack"))
PUBLISHED = FOLDER / "variables.json"
DOTENV = PROJECT / ".env"
POSTGRESQL = FOLDER / "postgresql"

STAGE_VARIABLE = "MOPED_API_CURRENT_ENVIRONMENT"
LAPTOP = "laptop"
SETTINGS = "moped_api.settings"  # a shell that works on another Django project names another
REGION = "us-east-1"
EMULATOR_URL = "http://127.0.0.1:4566"
SUPERVISED = "MOPED_DEVSTACK_SUPERVISED"  # set for the process that `make run` starts to serve

# The emulator's root, which has no secret worth keeping, and no other AWS.
EMBEDDED_AWS = {
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
# What the process began with: the process that serves completes it once more, after `make run` has published.
SHELL = dict(os.environ)
_supplied: set[str] = set()


def apply() -> None:
    """Complete the environment of this process for a laptop, unless it belongs to a stage."""
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
        # The output of a command is its result. Only the server logs every event.
        "MOPED_API_LOG_LEVEL": "INFO" if is_supervised() else "WARNING",
    }
    laptop = {**own, **laptop_values(EMULATOR_URL), **read_published()}
    _supplied.update(laptop.keys() - dotenv.keys() - os.environ.keys())
    os.environ.update(laptop | dotenv | os.environ)
    bypass_proxy()
    if is_supplied("AWS_ENDPOINT_URL"):
        url = os.environ["AWS_ENDPOINT_URL"]
        remove("AWS_")
        os.environ.update({"AWS_ENDPOINT_URL": url, **EMBEDDED_AWS})
    if is_supplied("DATABASE_URL"):
        remove("PG")


def publish(variables: Mapping[str, str]) -> None:
    """Write the variables for the processes that this folder starts from now on."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    unfinished = PUBLISHED.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(dict(variables), indent=2), encoding="utf-8")
    unfinished.replace(PUBLISHED)


def is_supplied(name: str) -> bool:
    """Return whether `apply` gave this process a variable that neither the shell nor `.env` has."""
    return name in _supplied


def is_supervised() -> bool:
    """Return whether the supervisor started this process, or one of its parents."""
    return SUPERVISED in os.environ


def read_published() -> dict[str, str]:
    """Return what `publish` wrote; nothing before the first `make run`."""
    try:
        variables = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in variables.items()}


def read_dotenv(path: Path) -> dict[str, str]:
    """Return the `NAME=value` lines of a file, quoted and commented as in a shell."""
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    words = [word for line in lines for word in shlex.split(line, comments=True)]
    pairs = (word.partition("=") for word in words)
    return {name: value for name, equals, value in pairs if equals}


def bypass_proxy() -> None:
    """Keep a proxy of the shell away from the servers of this machine."""
    hosts = os.environ.get("NO_PROXY", os.environ.get("no_proxy", "")).split(",")
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(
        dict.fromkeys([*filter(None, hosts), *LOOPBACK_HOSTS])
    )


def remove(prefix: str) -> None:
    """Remove the variables with which a shell configures AWS (`AWS_`) or PostgreSQL's client (`PG`)."""
    for name in [name for name in os.environ if name.startswith(prefix)]:
        del os.environ[name]
