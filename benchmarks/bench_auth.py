"""
What it costs to know who is calling: `make bench`.

    python -m benchmarks.bench_auth [--quick] [--loud]

Tables: (a) from a token's text to verified claims, (b) a whole `GET /auth/current_user` in
process, (c) what each part of it takes; then what many distinct tokens cost.
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
    "jose_with_key": "python-jose {python-jose}, `jwt.decode`, key object",
    "jose_with_key_set": "python-jose {python-jose}, `jwt.decode`, key set",
    "pyjwt": "PyJWT {pyjwt}, key object",
    "joserfc": "joserfc {joserfc}",
    "cognitojwt": "cognitojwt {cognitojwt} (in flask_cognito)",
    "simplejwt_jwk_url": "simplejwt {djangorestframework-simplejwt}, JWK_URL",
    "django_cognito_jwt_cached": "django-cognito-jwt {django-cognito-jwt}, keys cached",
    "django_cognito_jwt_default": "django-cognito-jwt {django-cognito-jwt}, as it comes",
    "fastapi_cognito": "fastapi-cognito {fastapi-cognito}",
}
APPLICATIONS = {
    "ours_as_shipped": "**ours as shipped**: DRF {djangorestframework}, all middleware",
    "ours_bare": "**ours, bare**: the same without middleware",
    "flask_same_work": "Flask {flask} + flask_cognito {flask-cognito}, same work",
    "flask_bare": "Flask {flask} + flask_cognito {flask-cognito}, bare",
    "fastapi_with_cognito": "FastAPI {fastapi} + fastapi-cognito {fastapi-cognito}, bare",
    "drf_with_simplejwt": "DRF {djangorestframework} + simplejwt JWK_URL, bare",
    "plain_django": "a plain Django {django} view with our verifier, bare",
}
STEPS = {
    "ours_as_shipped": "ours as shipped",
    "without_log": "… without the log line",
    "without_cors": "… and without CORS",
    "without_address": "… and without looking at the host",
    "without_request_middleware": "… and without request id and security headers",
    "without_signals": "… and without Django's signals around a request (database connections, caches)",
    "plain_django": "a plain Django view: without DRF's dispatch, negotiation, response; json for orjson",
    "raw_wsgi": "a WSGI function: without Django's handler and resolver",
}
FEWER_CALLS = {"django_cognito_jwt_default": 5}


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
        print(steps(run(STEPS, environment, rounds, 40), peer.best), "\n")
        print(growth(stage, environment))


def run(names: dict[str, str], environment: dict[str, str], rounds: int, calls: int) -> list[Result]:
    """Return the results under the names that people read."""
    contenders = [
        Contender(name, [sys.executable, "-m", "benchmarks.contenders", name], environment) for name in names
    ]
    results = take_turns(contenders, rounds, FEWER_CALLS, calls)
    return [result._replace(name=names[result.name].format_map(Versions())) for result in results]


def steps(results: list[Result], peer: float) -> str:
    """
    Return what leaving out one thing after the other saves.

    By the best rounds: a step is a tenth of a request, which is less than medians differ by chance.
    """
    lines = ["| (c) step by step | µs (best round) | saved | of the Flask peer |", "|---|---:|---:|---:|"]
    before = results[0].best
    for result in results:
        saved, before = before - result.best, result.best
        lines.append(f"| {result.name} | {before:.0f} | {saved:.0f} | {before / peer:.2f} |")
    return "\n".join(lines)


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
    return [result._replace(name=names[result.name]) for result in take_turns(contenders, rounds, {}, 100)]


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
