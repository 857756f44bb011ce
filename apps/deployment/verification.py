"""`stage verify`: what the tests assume about AWS, checked of a stage (tests/deployment/test_facts.py)."""

import json
import subprocess
import sys

from apps.deployment.aws import rest_api
from apps.deployment.errors import StageError
from apps.deployment.paths import PROJECT
from apps.deployment.settings.rendering import Stage

# Without pyproject's `addopts`, which start PostgreSQL and allow no connection to AWS.
PYTEST = ("pytest", "-o", "addopts=", "-p", "no:cacheprovider", "-W", "ignore", "-v", "-rfEs", "--tb=short")
FACTS = PROJECT / "tests" / "deployment" / "test_facts.py"


def verify(stage: Stage, url: str) -> None:
    """
    Let pytest check a stage, and print what it finds.

    :param url: the stage's address; "" for its host name
    :raises StageError: if the stage has no REST API, or differs from what the tests assume
    """
    domain = stage.settings.get("domain")
    url = url or (f"https://{domain}" if domain else rest_api.url(stage))
    if not url:
        raise StageError(f"{stage.name} is not deployed.")
    origins = stage.settings["aws_environment_variables"]["MOPED_API_CORS_ORIGINS"]
    target = {"outputs": stage.outputs, "url": url.rstrip("/"), "origin": origins.partition(",")[0]}
    command = [sys.executable, "-m", *PYTEST, "--target", json.dumps(target), str(FACTS)]
    if subprocess.run(command, cwd=PROJECT, check=False).returncode:  # noqa: S603 (a program of ours)
        raise StageError(f"{stage.name} is not as the tests assume; the summary above names what differs.")
