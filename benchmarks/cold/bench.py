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
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from apps.deployment.package import builder, interpreter
from apps.deployment.package.interpreter import UV, target_of_file
from apps.deployment.paths import BUILD
from benchmarks.cold import stage
from tests.support import lambda_runtime

HERE = Path(__file__).resolve().parent
FOLDER = BUILD / "bench-cold"
RUNS = 20
LARGEST_MB = 110


@dataclass
class Variant:
    """
    One row of the table; times in milliseconds.

    :param goal: the largest ratio to the CPU time of Flask's first answer
    :param largest_share: the largest part of the CPU time that may fall into the event
    """

    name: str
    zipped: Path
    handler: str
    variables: dict[str, str]
    event: dict[str, Any]
    goal: float = math.inf
    largest_share: float = 1.0
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
    with stage.running() as tested, tempfile.TemporaryDirectory(prefix="moped-bench-") as scratch:
        variants = list(all_variants(tested, arguments.package or builder.build("production").path))
        packages = sorted({each.zipped for each in variants})
        tasks = {
            path: lambda_runtime.unpacked(path, Path(scratch) / str(n)) for n, path in enumerate(packages)
        }
        for _ in range(arguments.runs):
            for variant in variants:
                measure(variant, tasks[variant.zipped], python)
        subprocess.run(["chmod", "-R", "u+w", scratch], check=True)
    report(variants, arguments.runs)


def all_variants(tested: stage.Stage, package: Path) -> Iterator[Variant]:
    """Yield Flask's row, then ours."""
    flask = packed_by_zappa("flask", interpreter.find(target_of_file().python))
    pool = {"AWS_COGNITO_JWKS_PATH": tested.variables["COGNITO_JWKS_URL"]}  # cognitojwt takes a URL too
    yield Variant(
        "Flask: `GET /auth/current_user`",
        flask,
        "handler.lambda_handler",
        tested.variables | pool,
        tested.look(),
    )
    for name, event, goal, share in (
        ("`GET /auth/current_user`", tested.look(), 0.45, 1.0),
        ("pre-token trigger", tested.trigger(), 0.45, 0.3),
        ("`GET /files/request-signature`", tested.upload(), 0.5, 1.0),
        ("`PUT /users/<id>`", tested.change(), 0.5, 1.0),
    ):
        yield Variant(name, package, lambda_runtime.HANDLER, tested.variables, event, goal, share)


def packed_by_zappa(name: str, python: Path) -> Path:
    """Pack the project beside this file, with Zappa's defaults and for the Python that runs it."""
    build = FOLDER / target_of_file().runtime
    environment, sources, zipped = build / f"{name}-env", build / name, build / f"{name}.zip"
    ours_ = [path.stat().st_mtime for path in (HERE / name).rglob("*") if path.is_file()]
    if zipped.is_file() and zipped.stat().st_mtime > max(ours_):
        return zipped
    subprocess.run([*UV, "venv", "-q", "--seed", "--clear", "--python", python, environment], check=True)
    lock = HERE / name / "requirements.txt"
    subprocess.run([*UV, "pip", "install", "-q", "--python", environment, "-r", lock], check=True)
    shutil.rmtree(sources, ignore_errors=True)
    shutil.copytree(HERE / name, sources)
    settings_file = sources / "zappa_settings.json"
    document = json.loads(settings_file.read_text(encoding="utf-8"))
    document["production"] |= {"use_precompiled_packages": False}  # the same wheels, without looking for them
    settings_file.write_text(json.dumps(document), encoding="utf-8")
    subprocess.run(
        [environment / "bin" / "python", "-m", "zappa.cli", "package", "production", "-o", f"../{name}.zip"],
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
        outcome = function.invoke(variant.event)
        variant.wall.append((time.perf_counter() - started_at) * 1000)
        variant.cpu.append(function.cpu_seconds() * 1000)
        variant.event_cpu.append((function.cpu_seconds() - before) * 1000)
        if outcome.error or outcome.result.get("statusCode", HTTPStatus.OK) != HTTPStatus.OK:
            sys.exit(f"{variant.name}: {outcome}\n{function.log()}")
        variant.memory.append(function.peak_memory_bytes() / 2**20)


def report(variants: list[Variant], runs: int) -> None:
    """Print the table and the goals that are missed."""
    flask, missed = variants[0], []
    print(f"\nProcess start to the first answer; medians of {runs} runs in turn\n")
    print("| entry point | zip MiB | wall ms | CPU ms | in the event | RSS MB | against Flask |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for each in variants:
        wall, cpu, memory = (statistics.median(figures) for figures in (each.wall, each.cpu, each.memory))
        ratio, share = cpu / statistics.median(flask.cpu), statistics.median(each.event_cpu) / cpu
        print(
            f"| {each.name} | {each.zipped.stat().st_size / 2**20:.1f} | {wall:.0f} | {cpu:.0f} |"
            f" {share:.0%} | {memory:.0f} | {ratio:.2f} |"
        )
        if ratio > each.goal:
            missed.append(f"{each.name}: {ratio:.2f} of Flask, goal {each.goal}")
        if share > each.largest_share:
            missed.append(f"{each.name}: {share:.0%} in the event, goal {each.largest_share:.0%}")
        if each is not flask and max(each.memory) > LARGEST_MB:
            missed.append(f"{each.name}: {max(each.memory):.0f} MB resident, goal {LARGEST_MB}")
    print("\n".join(["", *missed]))
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
