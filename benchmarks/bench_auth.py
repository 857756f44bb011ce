"""
What it costs to know who is calling: `make bench`.

    python -m benchmarks.bench_auth [--quick] [--loud]

Tables: (a) from a token's text to verified claims, (b) a whole `GET /auth/current_user` in process, then
what many distinct tokens cost. All contenders are children of this process and take turns. What carries
over to another machine is the ratio.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from apps.devstack.environment import PROJECT
from benchmarks.measure import Contender, Result, table, take_turns
from tests.support import environment

NODE = PROJECT / ".build" / "node"
TOKENS = 10_000
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
# As a stage without pages, which needs none of their packages.
VARIABLES = environment.VARIABLES | {
    "MOPED_API_EXTRA_APPS": "",
    "MOPED_API_BROWSER_PAGES": "false",
    "MOPED_API_BROWSER_SIGN_IN": "false",
    "DATABASE_URL": "postgresql:///unused",
    "PYTHONPATH": str(PROJECT),
}
# What Cognito adds for a caller through single sign-on.
SSO_CLAIMS = {
    "cognito:groups": [f"{VARIABLES['COGNITO_USERPOOL_ID']}_azuread"],
    "origin_jti": "11111111-1111-4111-8111-111111111111",
    "event_id": "11111111-1111-4111-8111-111111111111",
    "jti": "11111111-1111-4111-8111-111111111111",
    "identities": [
        {
            "userId": "jane.doe@austintexas.gov",
            "providerName": "azuread",
            "providerType": "SAML",
            "issuer": "https://sts.windows.net/11111111-1111-4111-8111-111111111111/",
            "primary": "true",
            "dateCreated": "1600000000000",
        }
    ],
}


class Versions(dict[str, str]):
    """Looks a package's version up by its name."""

    def __missing__(self, name: str) -> str:
        return version(name)


def main() -> None:
    """Run all tables and print them."""
    os.environ |= VARIABLES
    from tests.support.token_factory import Publisher, Signer

    signer = Signer()
    rounds = 15 if "--quick" in sys.argv else 60
    with Publisher() as server, tempfile.TemporaryDirectory() as folder:
        key_set, tokens = Path(folder, "jwks.json"), Path(folder, "tokens.txt")
        server.publish(signer, Signer("another"))
        key_set.write_bytes(server.document)
        texts = (signer.token(sub=f"{number:08}", **SSO_CLAIMS) for number in range(TOKENS))
        tokens.write_text("\n".join(texts))
        os.environ |= {
            "COGNITO_JWKS_URL": server.url,
            "AWS_COGNITO_JWKS_PATH": str(key_set),
            "BENCH_TOKEN": signer.token(**SSO_CLAIMS),
            "BENCH_TOKENS": str(tokens),
        }
        print(machine(), "\n")
        verifiers = [*run(VERIFIERS, rounds, 100), *run_node(rounds)]
        print(
            table(verifiers, _named("raw RSA-2048 verify, `cryptography`", verifiers), "(a) token to claims")
        )
        applications = run(APPLICATIONS, rounds, 40)
        print("\n" + table(applications, _named("Flask", applications), "(b) whole request"), "\n")
        subprocess.run([sys.executable, "-m", "benchmarks.contenders", "growth"], check=True)


def _named(start: str, results: list[Result]) -> Result:
    return next(result for result in results if result.name.startswith(start))


def run(names: dict[str, str], rounds: int, calls: int) -> list[Result]:
    """Return the results under the names that people read."""
    commands = {name: [sys.executable, "-m", "benchmarks.contenders", name] for name in names}
    results = take_turns([Contender(*command) for command in commands.items()], rounds, calls)
    return [result._replace(name=names[result.name].format_map(Versions())) for result in results]


def run_node(rounds: int) -> list[Result]:
    """Return Node's results, if Node and npm are installed."""
    if not (shutil.which("node") and shutil.which("npm")):
        print("(no node here: aws-jwt-verify is left out)\n")
        return []
    NODE.mkdir(parents=True, exist_ok=True)
    if not (NODE / "node_modules" / "aws-jwt-verify").exists():
        subprocess.run(["npm", "install", "--silent", "aws-jwt-verify"], cwd=NODE, check=True)
    os.environ["BENCH_NODE_MODULES"] = str(NODE / "index.js")
    script = str(Path(__file__).with_name("verify.mjs"))
    names = {"raw": "raw RSA-2048 verify, Node's `crypto`", "cognito": "`aws-jwt-verify` verifySync (Node)"}
    contenders = [Contender(title, ["node", script, name]) for name, title in names.items()]
    return take_turns(contenders, rounds, 100)


def machine() -> str:
    """Return what it runs on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in lines if "model name" in line), platform.processor())
    load = ", ".join(f"{number:.1f}" for number in os.getloadavg())
    system = f"Linux {platform.release()}, Python {platform.python_version()}"
    return f"{model}, {os.cpu_count()} cores, {system}; load {load}"


if __name__ == "__main__":
    main()
