"""
`make bench-cold`: from process start under Lambda's own runtime client to the first authenticated answer.

Four packages, each made the way its row says, run in turn so that the machine's moods hit all alike:
ours; the Flask API as Zappa packs it by default, and again with valid bytecode; a Django REST
framework project as the READMEs make it, as Zappa packs it. Every run is a new process, verifies a
real RS256 token with a key set fetched over HTTP, and ends with warm requests to the same process.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from apps.deployment.package import archive, builder, interpreter, runtime, runtime_environment
from apps.deployment.package.interpreter import UV
from apps.deployment.package.target import target_of_file
from apps.deployment.paths import BUILD
from benchmarks.cold.pool import Pool

HERE = Path(__file__).resolve().parent
FOLDER = BUILD / "bench"
RUNS, WARM_REQUESTS = 20, 200
PLAIN_ZAPPA, VALID_BYTECODE = 0.33, 0.75
LARGEST_MB, WARM = 80, 1.1
EVENT_HOST = "api.example"


@dataclass
class Variant:
    """One row of the table."""

    name: str
    zipped: Path
    handler: str
    variables: dict[str, str]
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


def main() -> None:
    """Measure, print the table, and exit with 1 where a promise is broken."""
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=RUNS)
    runs = options.parse_args().runs
    FOLDER.mkdir(parents=True, exist_ok=True)
    python = runtime_environment.python()
    with Pool() as pool, ExitStack() as cleanup:
        variants = [ours(pool), *theirs(pool)]
        scratch = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="moped-bench-")))
        tasks = [runtime.unpacked(each.zipped, scratch / str(number)) for number, each in enumerate(variants)]
        for _ in range(runs):
            for variant, task in zip(variants, tasks, strict=True):
                measure(variant, task, python, pool.event(EVENT_HOST))
        subprocess.run(["chmod", "-R", "u+w", scratch], check=True)
    report(variants, runs)


def ours(pool: Pool) -> Variant:
    """Return the package of this project."""
    built = builder.build("production")
    variables = {
        "MOPED_API_CURRENT_ENVIRONMENT": "staging",
        "MOPED_API_ALLOWED_HOSTS": EVENT_HOST,
        "MOPED_API_CONFIGURATION_SETTINGS": "unused",
        "MOPED_API_UPLOADS_S3_BUCKET": "unused",
        "COGNITO_DYNAMO_TABLE_NAME": "unused",
        "COGNITO_USERPOOL_ID": pool.pool_id,
        "COGNITO_APP_CLIENT_ID": pool.client_id,
        "COGNITO_JWKS_URL": pool.keys_url,
        "DATABASE_URL": "postgresql://unused@127.0.0.1:9/unused",
    }
    return Variant("Moped API", built.path, runtime.HANDLER, variables)


def theirs(pool: Pool) -> list[Variant]:
    """Return the packages we are compared with."""
    credentials = {"AWS_ACCESS_KEY_ID": "unused", "AWS_SECRET_ACCESS_KEY": "unused"}
    variables = {
        **credentials,
        "COGNITO_USERPOOL_ID": pool.pool_id,
        "COGNITO_APP_CLIENT_ID": pool.client_id,
        "COGNITO_JWKS_URL": pool.keys_url,
        "AWS_COGNITO_JWKS_PATH": pool.keys_url,  # cognitojwt takes a URL too
    }
    python = interpreter.find(target_of_file().python)
    flask, drf = (packed_by_zappa(name, python) for name in ("flask", "drf"))
    valid = FOLDER / "flask-valid.zip"
    with zipfile.ZipFile(flask) as zipped:
        every = tuple({name.partition("/")[0] for name in zipped.namelist()})
    archive.repack(flask, valid, python, pruned=("*.pyc",), own_paths=every)
    handler = "handler.lambda_handler"
    return [
        Variant("Flask, as Zappa packs it", flask, handler, variables),
        Variant("Flask, valid bytecode", valid, handler, variables),
        Variant("typical DRF, as Zappa packs it", drf, handler, variables),
    ]


def packed_by_zappa(name: str, python: Path) -> Path:
    """Pack one of the projects beside this file, with Zappa's defaults and for the Python that runs it."""
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


def measure(variant: Variant, task: Path, python: Path, event: dict[str, object]) -> None:
    """Start the function once, ask it once cold and then warm."""
    started_at = time.perf_counter()
    with runtime.Function(python, task, variant.variables, variant.handler) as function:
        outcome = function.invoke(event)
        variant.wall.append((time.perf_counter() - started_at) * 1000)
        variant.cpu.append(function.cpu_seconds() * 1000)
        if outcome.error or outcome.result["statusCode"] != HTTPStatus.OK:
            sys.exit(f"{variant.name}: {outcome}\n{function.log()}")
        variant.warm.append(statistics.median(timed(function, event) for _ in range(WARM_REQUESTS)))
        variant.memory.append(function.peak_memory_bytes() / 2**20)


def timed(function: runtime.Function, event: dict[str, object]) -> float:
    """Return the milliseconds of one warm request through the runtime."""
    started_at = time.perf_counter()
    function.invoke(event)
    return (time.perf_counter() - started_at) * 1000


def report(variants: list[Variant], runs: int) -> None:
    """Print the table and what it means."""
    us, plain, valid, _ = variants
    print(f"\nCold start to the first authenticated answer; medians of {runs} interleaved runs\n")
    print("| package | zip MiB | wall ms | CPU ms | warm ms | RSS MB | against Flask as packed |")
    print("|---|---|---|---|---|---|---|")
    for each in variants:
        wall, cpu, warm, memory = (
            statistics.median(figures) for figures in (each.wall, each.cpu, each.warm, each.memory)
        )
        size, ratio = each.zipped.stat().st_size / 2**20, wall / statistics.median(plain.wall)
        print(
            f"| {each.name} | {size:.1f} | {wall:.0f} | {cpu:.0f} | {warm:.2f} | {memory:.0f} | {ratio:.2f} |"
        )
    promises = (
        ("cold, against Flask as Zappa packs it", ratio_of(us.wall, plain.wall), PLAIN_ZAPPA),
        ("cold, against Flask with valid bytecode", ratio_of(us.wall, valid.wall), VALID_BYTECODE),
        ("warm, against Flask", ratio_of(us.warm, plain.warm), WARM),
        ("MB resident", max(us.memory), LARGEST_MB),
    )
    print()
    for name, measured, goal in promises:
        print(f"{'kept' if measured <= goal else 'BROKEN'}: {name}: {measured:.2f}, promised {goal}")
    if any(measured > goal for _, measured, goal in promises):
        sys.exit(1)


def ratio_of(ours_: list[float], peers: list[float]) -> float:
    """Return the ratio of two medians."""
    return statistics.median(ours_) / statistics.median(peers)


if __name__ == "__main__":
    main()
