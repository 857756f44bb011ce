"""
What it costs to know who is calling: `make bench`.

    python -m benchmarks.bench_auth [--quick] [--loud]

Tables: (a) from a token's text to verified claims, (b) a whole `GET /auth/current_user` in process. All
contenders are children of this process and take turns. What carries over to another machine is the ratio.
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
VERIFIERS = {
    "raw": f"raw RSA-2048 verify, `cryptography` {version('cryptography')}",
    "ours_cached": "**ours, verified before**",
    "ours_uncached": "**ours, in full**",
    "pyjwt": f"PyJWT {version('pyjwt')}, key object",
    "joserfc": f"joserfc {version('joserfc')}",
}
APPLICATIONS = {
    "ours_as_shipped": f"**ours as shipped**: DRF {version('djangorestframework')}, all middleware",
    "flask_same_work": f"Flask {version('flask')} + flask_cognito {version('flask-cognito')}, same work",
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


def main() -> None:
    """Run all tables and print them."""
    os.environ |= VARIABLES
    from tests.support.token_factory import Publisher, Signer

    signer = Signer()
    rounds = 15 if "--quick" in sys.argv else 60
    with Publisher() as server, tempfile.TemporaryDirectory() as folder:
        key_set = Path(folder, "jwks.json")
        server.publish(signer, Signer("another"))
        key_set.write_bytes(server.document)
        os.environ |= {
            "COGNITO_JWKS_URL": server.url,
            "AWS_COGNITO_JWKS_PATH": str(key_set),
            "BENCH_TOKEN": signer.token(**SSO_CLAIMS),
        }
        print(machine(), "\n")
        verifiers = [*run(VERIFIERS, rounds, 100), *run_node(rounds)]
        print(table(verifiers, VERIFIERS["raw"], "(a) token to claims"), "\n")
        print(table(run(APPLICATIONS, rounds, 40), APPLICATIONS["flask_same_work"], "(b) whole request"))


def run(names: dict[str, str], rounds: int, calls: int) -> list[Result]:
    """Return the results of the contenders with these names, under the titles that people read."""
    commands = {title: [sys.executable, "-m", "benchmarks.contenders", name] for name, title in names.items()}
    return take_turns([Contender(*command) for command in commands.items()], rounds, calls)


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
