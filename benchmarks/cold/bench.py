"""
`make bench-cold`: from process start under Lambda's own runtime client to the first answer.

Four entry points of our package, and the Flask API's `current_user` as Zappa packs it by default.
They run in turn, so that other work on the machine reaches all alike. Each run is a new process
beside an emulated AWS and a PostgreSQL. INIT ends when the runtime client asks for the first event.
"""

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

from apps.deployment.package import builder, interpreter
from apps.deployment.package.interpreter import UV, target_of_file
from apps.deployment.paths import BUILD
from apps.deployment.smoke import event
from apps.devstack.personas import BY_KEY
from tests.support import lambda_runtime, standalone

FLASK = Path(__file__).resolve().parent / "flask"
FOLDER = BUILD / "bench-cold"
RUNS = 20
LARGEST_MB = 110
HOST = "api.example"
VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "COGNITO_REGION", "DATABASE_URL")


class EntryPoint(NamedTuple):
    """
    What the function is asked, by its name.

    :param goal: the largest ratio to the CPU time of Flask's first answer
    :param largest_share: the largest part of the CPU time that may fall into the event
    """

    name: str
    event: dict[str, Any]
    goal: float = math.inf
    largest_share: float = 1.0


@dataclass
class Variant:
    """One row of the table; times in milliseconds."""

    call: EntryPoint
    zipped: Path
    handler: str
    variables: dict[str, str]
    cpu: list[float] = field(default_factory=list)
    event_cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


def main() -> None:
    """Measure, print the table, and exit with 1 where a goal is missed."""
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=RUNS)
    options.add_argument("--package", type=Path, help="another package of ours, in place of a new one")
    arguments = options.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    python = lambda_runtime.python()
    with standalone.running() as provisioned, tempfile.TemporaryDirectory(prefix="moped-bench-") as scratch:
        package = arguments.package or builder.build("production").path
        variants = list(all_variants(package, function_variables(provisioned), list(entry_points())))
        packages = sorted({each.zipped for each in variants})
        tasks = {
            path: lambda_runtime.unpacked(path, Path(scratch) / str(n)) for n, path in enumerate(packages)
        }
        for _ in range(arguments.runs):
            for variant in variants:
                measure(variant, tasks[variant.zipped], python)
        subprocess.run(["chmod", "-R", "u+w", scratch], check=True)
    report(variants, arguments.runs)


def function_variables(provisioned: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the function."""
    own = {"MOPED_API_CURRENT_ENVIRONMENT": "staging", "MOPED_API_ALLOWED_HOSTS": HOST}
    return {name: os.environ[name] for name in VARIABLES} | provisioned | own


def entry_points() -> Iterator[EntryPoint]:
    """Make an admin and an editor, sign both in, and yield what the function is asked."""
    from apps.devstack import accounts, persona_tokens
    from apps.files.models import Project
    from apps.users.models import MopedUser

    admin, editor = BY_KEY["admin"], BY_KEY["editor"]
    accounts.ensure((admin, editor))
    user = MopedUser.objects.get(email=editor.email)
    changes = {name: getattr(user, name) for name in ("first_name", "last_name", "workgroup_id", "roles")}
    changes |= {"email": editor.email, "title": "Persona"}
    project = Project.objects.create(project_name="Barton Springs Road")
    admin_token, path = persona_tokens.id_token(admin), f"/users/{user.cognito_user_id}"
    yield EntryPoint("`GET /auth/current_user`", event("/auth/current_user", HOST, admin_token), 0.45)
    trigger = {
        "version": "1",
        "triggerSource": "TokenGeneration_Authentication",
        "userName": str(user.cognito_user_id),
        "request": {"userAttributes": {"email": editor.email}},
        "response": {},
    }
    yield EntryPoint("pre-token trigger", trigger, 0.45, 0.3)
    upload = event("/files/request-signature", HOST, persona_tokens.id_token(editor))
    upload["multiValueQueryStringParameters"] = {"file": ["Plan.pdf"], "project_id": [str(project.pk)]}
    yield EntryPoint("`GET /files/request-signature`", upload, 0.5)
    change = event(path, HOST, admin_token) | {"httpMethod": "PUT", "body": json.dumps(changes)}
    change["multiValueHeaders"]["Content-Type"] = ["application/json"]
    yield EntryPoint("`PUT /users/<id>`", change, 0.5)


def all_variants(
    package: Path, variables: dict[str, str], entry_points: list[EntryPoint]
) -> Iterator[Variant]:
    """Yield Flask's row, then ours."""
    pool = {"AWS_COGNITO_JWKS_PATH": variables["COGNITO_JWKS_URL"]}  # cognitojwt takes a URL too
    current_user = EntryPoint("Flask: `GET /auth/current_user`", entry_points[0].event)
    yield Variant(current_user, packed_by_zappa(), "handler.lambda_handler", variables | pool)
    for entry_point in entry_points:
        yield Variant(entry_point, package, lambda_runtime.HANDLER, variables)


def packed_by_zappa() -> Path:
    """
    Pack the Flask project beside this file, with Zappa's defaults and for the Python that runs it.

    Its settings keep Zappa from looking for the wheels that are installed already.
    """
    build = FOLDER / target_of_file().runtime
    environment, sources, zipped = build / "flask-env", build / "flask", build / "flask.zip"
    newest = max(path.stat().st_mtime for path in FLASK.rglob("*") if path.is_file())
    if zipped.is_file() and zipped.stat().st_mtime > newest:
        return zipped
    python = interpreter.find(target_of_file().python)
    subprocess.run([*UV, "venv", "-q", "--seed", "--clear", "--python", python, environment], check=True)
    lock = FLASK / "requirements.txt"
    subprocess.run([*UV, "pip", "install", "-q", "--python", environment, "-r", lock], check=True)
    shutil.rmtree(sources, ignore_errors=True)
    shutil.copytree(FLASK, sources)
    subprocess.run(
        [environment / "bin" / "python", "-m", "zappa.cli", "package", "production", "-o", "../flask.zip"],
        cwd=sources,
        env={"PATH": os.environ["PATH"], "HOME": str(FOLDER), "VIRTUAL_ENV": str(environment)},
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return zipped


def measure(variant: Variant, task: Path, python: Path) -> None:
    """Start the function once, send the event once."""
    started_at = time.perf_counter()
    with lambda_runtime.Function(python, task, variant.variables, variant.handler) as function:
        function.wait_for_init()
        before = function.cpu_seconds()
        outcome = function.invoke(variant.call.event)
        variant.wall.append((time.perf_counter() - started_at) * 1000)
        variant.cpu.append(function.cpu_seconds() * 1000)
        variant.event_cpu.append((function.cpu_seconds() - before) * 1000)
        if outcome.error or outcome.result.get("statusCode", HTTPStatus.OK) != HTTPStatus.OK:
            sys.exit(f"{variant.call.name}: {outcome}\n{function.log()}")
        variant.memory.append(function.peak_memory_bytes() / 2**20)


def report(variants: list[Variant], runs: int) -> None:
    """Print the table and the goals that are missed."""
    flask, missed = variants[0], []
    print(f"\nProcess start to the first answer; medians of {runs} runs in turn\n")
    print("| entry point | zip MiB | wall ms | CPU ms | in the event | RSS MB | against Flask |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for each in variants:
        call = each.call
        wall, cpu, memory = (statistics.median(figures) for figures in (each.wall, each.cpu, each.memory))
        ratio, share = cpu / statistics.median(flask.cpu), statistics.median(each.event_cpu) / cpu
        print(
            f"| {call.name} | {each.zipped.stat().st_size / 2**20:.1f} | {wall:.0f} | {cpu:.0f} |"
            f" {share:.0%} | {memory:.0f} | {ratio:.2f} |"
        )
        if ratio > call.goal:
            missed.append(f"{call.name}: {ratio:.2f} of Flask, goal {call.goal}")
        if share > call.largest_share:
            missed.append(f"{call.name}: {share:.0%} in the event, goal {call.largest_share:.0%}")
        if each is not flask and max(each.memory) > LARGEST_MB:
            missed.append(f"{call.name}: {max(each.memory):.0f} MB resident, goal {LARGEST_MB}")
    print("\n".join(["", *missed]))
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
