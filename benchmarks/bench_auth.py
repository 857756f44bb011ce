"""
What it costs to know who is calling: `make bench`.

    python -m benchmarks.bench_auth [--quick] [--loud]

Tables: (a) from a token's text to verified claims, (b) a whole `GET /auth/current_user` in
process; then what many distinct tokens cost.
All contenders are children of this process and take turns, so that whatever else the machine does
is shared by all of them; what carries over to another machine is the ratio.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from benchmarks.measure import Contender, Result, table, take_turns
from benchmarks.stage import Stage, tokens_of

ROOT = Path(__file__).resolve().parent.parent
NODE = ROOT / ".build" / "node"
VERIFIERS = {
    "raw": "raw RSA-2048 verify, `cryptography` {cryptography}",
    "ours_cached": "**ours, verified before**",
    "ours_uncached": "**ours, in full**",
    "pyjwt": "PyJWT {pyjwt}, key object",
    "joserfc": "joserfc {joserfc}",
}
APPLICATIONS = {
    "ours_as_shipped": "**ours as shipped**: DRF {djangorestframework}, all middleware",
    "flask_same_work": "Flask {flask} + flask_cognito {flask-cognito}, same work",
}


class Versions(dict[str, str]):
    """Looks a package's version up by its name."""

    def __missing__(self, name: str) -> str:
        return version(name)


def main() -> None:
    """Run both tables and print them."""
    rounds = 15 if "--quick" in sys.argv else 60
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        environment = stage.environment(stage.serve())
        print(machine(), "\n")
        verifiers = run(VERIFIERS, environment, rounds, 100)
        raw = next(result for result in verifiers if result.name.startswith("raw"))
        print(table(verifiers + node(environment, rounds), raw, "(a) token to claims"), "\n")
        applications = run(APPLICATIONS, environment, rounds, 40)
        peer = next(result for result in applications if "same work" in result.name)
        print(table(applications, peer, "(b) whole request"), "\n")
        print(growth(stage, environment))


def run(names: dict[str, str], environment: dict[str, str], rounds: int, calls: int) -> list[Result]:
    """Return the results under the names that people read."""
    contenders = [
        Contender(name, [sys.executable, "-m", "benchmarks.contenders", name], environment) for name in names
    ]
    results = take_turns(contenders, rounds, calls)
    return [result._replace(name=names[result.name].format_map(Versions())) for result in results]


def node(environment: dict[str, str], rounds: int) -> list[Result]:
    """Return Node's results, if node and npm are at hand."""
    if not (shutil.which("node") and shutil.which("npm")):
        print("(no node here: aws-jwt-verify is left out)\n")
        return []
    NODE.mkdir(parents=True, exist_ok=True)
    if not (NODE / "node_modules" / "aws-jwt-verify").exists():
        subprocess.run(["npm", "install", "--silent", "aws-jwt-verify"], cwd=NODE, check=True)
    environment = environment | {"BENCH_NODE_MODULES": str(NODE / "index.js")}
    script = str(Path(__file__).with_name("verify.mjs"))
    names = {"raw": "raw RSA-2048 verify, Node's `crypto`", "cognito": "`aws-jwt-verify` verifySync (Node)"}
    contenders = [Contender(name, ["node", script, name], environment) for name in names]
    return [result._replace(name=names[result.name]) for result in take_turns(contenders, rounds, 100)]


def growth(stage: Stage, environment: dict[str, str]) -> str:
    """Return what many distinct tokens in turn cost in time and in memory."""
    path = Path(environment["AWS_COGNITO_JWKS_PATH"]).with_name("tokens.txt")
    path.write_text("\n".join(tokens_of(stage, 10_000)))
    command = [sys.executable, "-m", "benchmarks.growth", str(path)]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def machine() -> str:
    """Return what it runs on."""
    model = next(
        (
            line.partition(": ")[2]
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    load = ", ".join(f"{number:.1f}" for number in os.getloadavg())
    system = f"Linux {platform.release()}, Python {platform.python_version()}"
    return f"{model}, {os.cpu_count()} cores, {system}; load {load}"


if __name__ == "__main__":
    main()
