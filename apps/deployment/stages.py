"""
Deploys, tests, rolls back and removes a stage.

A stage has a second function, which compares the staff accounts each night or when an operator asks. It has
the same package, another role and a longer timeout. Its alias moves when the stage's alias moves.

Traffic goes to the alias `live`, and only `make_live` moves it. So a failure before that step does not
change the version that answers (docs/adr/0009-alias-live.md).
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace

from apps.deployment import smoke, subprocesses
from apps.deployment.aws import functions, rest_api, stack
from apps.deployment.errors import StageError
from apps.deployment.package.builder import Package
from apps.deployment.paths import PROJECT
from apps.deployment.settings.rendering import Stage

Tell = Callable[[str], None]

# `addopts=` removes the options of pyproject.toml, which start PostgreSQL and block connections to AWS.
PYTEST = ("pytest", "-o", "addopts=", "-p", "no:cacheprovider", "-W", "ignore", "-v", "-rfEs", "--tb=short")
FACTS = "tests/deployment/test_facts.py"
RECONCILIATION = {
    "timeout_seconds": 900,  # Lambda's maximum. The command stops a minute earlier
    "lambda_concurrency": 1,
    "lambda_description": "Compares the staff accounts of the Moped API",
}


def deploy(stage: Stage, package: Package, *, token: str, commit: str, tell: Tell) -> str:
    """
    Deploy a package to a stage, and return the live version.

    Require a filled secret, update the function, and run Zappa for the REST API. Publish a version, migrate
    if the stage's settings say so, test the version, then move the traffic.

    :param token: a real ID token, or "" to sign in with the smoke account
    :raises StageError: if a step fails. The previous version still gets the traffic
    """
    stack.require_secret_value(stage.outputs["ConfigurationSecret"])
    before = functions.live_alias(stage.function)
    functions.create_or_update(stage, package)
    stack.ensure_exists(stage.function)
    # Zappa updates its other settings and the REST API. `--no-upload` prevents a second upload of the code.
    run_zappa(stage, "update", "--no_venv", "--no-upload", "yes")
    rest_api.configure(stage)
    version = functions.publish(stage.function, package.digest, f"commit {commit}")
    tell(f"published version {version}")
    _migrate(stage, version, tell)
    token = token or smoke.smoke_token(stage.outputs)
    for line in (*smoke.try_out(stage, version, token), smoke.try_trigger(stage, version, token)):
        tell(f"  {line}")
    _publish_reconciliation(stage, package, f"commit {commit}")
    functions.make_live(stage.function, version, before)
    move_reconciliation(stage, version, tell)
    tell(f"live: version {version}" + (f", before: {before.version}" if before else ""))
    functions.prune(stage.function, {version, before.version if before else ""})
    return version


def rollback(stage: Stage, to: str, *, tell: Tell) -> str:
    """
    Move the traffic to an older version, and return that version.

    :param to: the version, or "" for the previous one
    :raises StageError: if there is no such version
    """
    now = functions.live_alias(stage.function)
    if now is None:
        raise StageError(f"{stage.name} was never made live; there is nothing to roll back.")
    target = to or now.previous
    if not target:
        raise StageError(f"{stage.name} has had one version only; there is nothing to roll back to.")
    if target not in functions.versions(stage.function):
        raise StageError(f"{stage.name} has no version {target}; see `stage status {stage.name}`.")
    functions.make_live(stage.function, target, now)
    tell(f"live: version {target}, before: {now.version}")
    move_reconciliation(stage, target, tell)
    return target


def move_reconciliation(stage: Stage, version: str, tell: Tell) -> None:
    """
    Move the second function's alias to its version with the same package as `version`.

    :raises BusyError: if another process moved the alias
    """
    function = stage.outputs["ReconciliationFunction"]
    checksum = functions.versions(stage.function)[version]
    own = functions.versions(function) if functions.exists(function) else {}
    target = next((number for number in reversed(own) if own[number] == checksum), "")
    if not target:
        tell(f"{function} has no version with this package and stays as it is")
        return
    before = functions.live_alias(function)
    functions.make_live(function, target, before)
    functions.prune(function, {target, before.version if before else ""})
    tell(f"{function} has the same package")


def undeploy(stage: Stage, *, tell: Tell) -> None:
    """
    Remove the functions and the REST API. The stack and all data stay.

    :raises StageError: if the stage is not deployed, the user pool calls it, or the removal is incomplete
    """
    if not functions.exists(stage.function):
        raise StageError(f"{stage.name} is not deployed.")
    if stack.trigger(stage.outputs) == stage.function:
        raise StageError(
            f"The user pool calls {stage.function} at each sign-in: without it no person could sign in."
            f" Give the pool another trigger first, or none: `setup stack {stage.name} --trigger off`."
        )
    functions.delete(stage.outputs["ReconciliationFunction"])
    run_zappa(stage, "undeploy", "-y")
    if functions.exists(stage.function) or rest_api.api_id(stage):
        raise StageError(f"{stage.name} is still there in part; run `stage undeploy {stage.name}` again.")
    tell(f"{stage.function} is gone; the resources of the stack {stage.own['stack']} stay")


def status(stage: Stage) -> dict[str, str]:
    """Return the state of a stage, by printed name."""
    if not functions.exists(stage.function):
        return {"function": "not deployed", "stack": stage.own["stack"]}
    alias = functions.live_alias(stage.function)
    return {
        "function": stage.function,
        "live version": alias.version if alias else "none",
        "before": alias.previous if alias else "",
        "versions": " ".join(functions.versions(stage.function)),
        "url": rest_api.url(stage),
        "domain": stage.settings.get("domain", ""),
        "stack": stage.own["stack"],
    }


def verify(stage: Stage, url: str) -> None:
    """
    Run the tests that compare a stage with our assumptions about AWS, and print their results.

    :param url: the URL of the stage, or "" for its host name
    :raises StageError: if the stage has no REST API or a test fails
    """
    domain = stage.settings.get("domain")
    url = url or (f"https://{domain}" if domain else rest_api.url(stage))
    if not url:
        raise StageError(f"{stage.name} is not deployed.")
    origins = stage.settings["aws_environment_variables"]["MOPED_API_CORS_ORIGINS"]
    target = {"outputs": stage.outputs, "url": url.rstrip("/"), "origin": origins.partition(",")[0]}
    command = [sys.executable, "-m", *PYTEST, "--target", json.dumps(target), FACTS]
    if subprocess.run(command, cwd=PROJECT, check=False).returncode:  # noqa: S603 (a program of ours)
        raise StageError(f"{stage.name} is not as the tests assume; the summary above names what differs.")


def manage(stage: Stage, command: str, qualifier: str = functions.LIVE) -> tuple[int, str]:
    """
    Run a management command in the function whose role allows it. Return its exit code and output.

    moped_api/lambda_events.py lists the allowed commands.

    :raises StageError: if the function fails or refuses it, with the reason
    """
    is_reconciliation = command.split()[:1] == ["reconcile_users"]
    function = stage.outputs["ReconciliationFunction"] if is_reconciliation else stage.function
    outcome = functions.invoke(function, {"manage": command}, qualifier)
    if outcome.failed:
        raise StageError(f"`{command}` failed on {stage.name}: {outcome.reason}")
    return outcome.payload["exit_code"], outcome.payload["output"]


def run_zappa(stage: Stage, command: str, *options: str) -> str:
    """
    Run a Zappa command with the settings of a stage, and return its output.

    :raises StageError: if it fails, with Zappa's last message
    """
    with tempfile.NamedTemporaryFile("w", prefix=f"{stage.name}-", suffix=".json") as settings:
        json.dump({stage.name: stage.settings}, settings)
        settings.flush()
        return subprocesses.run(
            [sys.executable, "-m", "zappa.cli", command, stage.name, "-s", settings.name, *options],
            action=f"{command} {stage.name}",
            folder=PROJECT,
        )


def _publish_reconciliation(stage: Stage, package: Package, description: str) -> None:
    """Update the second function with the package and the stage's variables, and publish a version."""
    settings = stage.settings | RECONCILIATION | {"role_arn": stage.outputs["ReconciliationRoleArn"]}
    second = replace(stage, function=stage.outputs["ReconciliationFunction"], settings=settings)
    functions.create_or_update(second, package)
    functions.publish(second.function, package.digest, description)


def _migrate(stage: Stage, version: str, tell: Tell) -> None:
    """Migrate the database, if the stage's settings say so."""
    if not stage.own.get("migrate"):
        return
    command = "migrate --noinput --fake-initial"  # the City's database has the first tables
    exit_code, output = manage(stage, command, version)
    if exit_code:
        raise StageError(f"`{command}` failed on {stage.name}: {output}")
    tell("migrated")
