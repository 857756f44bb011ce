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
from ministack.core import iam_actions, iam_evaluator  # noqa: E402
from ministack.services import apigateway_v1, lambda_svc, tagging  # noqa: E402
from ministack.services.cloudformation import handlers, provisioners, stacks  # noqa: E402

from tests.support.strict import delays, limits, rights  # noqa: E402

CONTROLS = "/_strict/"
MENDED: tuple[tuple[Any, str, Any], ...] = (
    (iam_evaluator, "pin_request_caller", rights.remember_caller),
    (iam_evaluator, "enforce", rights.recorded),
    (iam_actions, "extract_resource_arn", rights.function_to_be_made),
    (iam_actions, "_lambda_action", rights.right_of_a_function),
    (tagging, "resource_tags", rights.tags_of_apis),
    (apigateway_v1, "_create_deployment", delays.one_deployment_at_a_time),
    (stacks, "_provision_resource", rights.with_rights("POST")),
    (stacks, "_update_resource", rights.with_rights("PATCH")),
    (stacks, "_delete_resource", rights.with_rights("DELETE")),
    (lambda_svc, "_execute_function_warm", limits.named_by_its_exception),
    (lambda_svc, "_create_function", limits.within_limits),
    (lambda_svc, "_update_code", limits.within_limits),
    (lambda_svc, "_update_config", limits.within_limits),
    (lambda_svc, "_publish_version", limits.within_limits),
    (lambda_svc, "_put_function_concurrency", limits.reserved_within_limits),
    (lambda_svc, "_schedule_state_transition", delays.stay_pending),
    (lambda_svc, "_get_function", delays.ready_when_asked),
    (lambda_svc, "_get_function_config", delays.ready_when_asked),
)


def main() -> None:
    """Make the emulator strict and serve."""
    for module, name, mended in MENDED:
        emulator_patches.mend(module, name, mended)
    iam_actions._BOTOCORE_SERVICE_MAP["lambda"] = ["lambda"]  # as other services: by Amazon's description
    actions = handlers._ACTION_HANDLERS
    for action, verb in (
        ("CreateStack", "CREATE"),
        ("UpdateStack", "UPDATE"),
        ("ExecuteChangeSet", "UPDATE"),
        ("DeleteStack", "DELETE"),
    ):
        actions[action] = delays.slow_stack(actions[action], verb)
    actions["DescribeStacks"] = delays.in_progress_at_first(actions["DescribeStacks"])
    functions = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    for operation in ("create", "update"):
        functions[operation] = with_reserved_concurrency(functions[operation])
    tagging._HANDLERS["GetResources"] = delays.one_question_late(tagging._HANDLERS["GetResources"])
    ministack.app = with_controls(ministack.app)
    emulator_patches.main()


def with_reserved_concurrency(original: Any) -> Any:
    """Let CloudFormation reserve a function's concurrency, which MiniStack leaves out."""

    def provision(*arguments: Any, **named: Any) -> Any:
        name, attributes = original(*arguments, **named)
        properties = next(each for each in reversed(arguments) if isinstance(each, dict))
        if "ReservedConcurrentExecutions" in properties:
            lambda_svc._put_function_concurrency(name, properties)
        return name, attributes

    return provision


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
