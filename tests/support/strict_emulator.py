"""
Starts the emulator in strict mode: it refuses what AWS refuses and MiniStack accepts.

Run by the emulator's own Python, as apps/devstack/emulator_patches.py is, which it completes. Each rule
changes a private function of MiniStack and stops the start if that function is gone.

| AWS | here |
|---|---|
| one CreateDeployment of API Gateway in 5 seconds for an account | the same. A test sets the seconds |
| a stack takes 10 to 60 seconds | two answers of DescribeStacks say that the work is in progress |
| a stack is not deleted while it is updated | the same |
| a function is pending after a change | until its state was asked for once. Changes are refused meanwhile |
| Lambda knows a new role after some seconds | it refuses roles. A test sets how often |
| the index of tags is some seconds late | it finds what was there when the same was asked before |
| CloudFormation acts with the rights of its caller | the same, for what Zappa's stack contains |
| handing over a role needs iam:PassRole | the same |
| each request about a function needs the right of its name | the same |
| a version is published of the package that the caller means | the same |
| a failure of a function has the name of its exception | the same |
| 4 kB of variables, 50 MB of package, 100 requests at once without a reservation | the same |
"""

import json
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
sys.path[:0] = [str(PROJECT), str(PROJECT / "apps" / "devstack")]

import emulator_patches  # noqa: E402
from ministack import app as ministack  # noqa: E402
from ministack.core import iam_actions  # noqa: E402

# The rules replace functions of MiniStack as they are imported.
from tests.support.strict import delays, limits, rights  # noqa: E402, F401

CONTROLS = "/_strict/"


def main() -> None:
    """Make the emulator strict and serve."""
    iam_actions._BOTOCORE_SERVICE_MAP["lambda"] = ["lambda"]  # as other services: by Amazon's description
    ministack.app = with_controls(ministack.app)
    emulator_patches.main()


def with_controls(application: Any) -> Any:
    """Let a test set a value of `delays.state`, or ask which rights were asked for."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if not path.startswith(CONTROLS):
            await application(scope, receive, send)
            return
        name, _, value = path.removeprefix(CONTROLS).partition("/")
        if value:
            setattr(delays.state, name, float(value))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(sorted(rights.asked)).encode()})

    return answer


if __name__ == "__main__":
    main()
