"""
Starts MiniStack, with patches where it differs from AWS. The emulator's own Python runs this file.

It imports nothing of the project: the emulator's environment has neither Django nor our code. Each
patch names the private function that it replaces. The start fails if that function no longer exists,
so that an upgrade of MiniStack cannot undo a patch silently.

It also plays the City's directory, as an OpenID provider under `/_directory/`. It confirms every
address, so that Cognito's own federation creates the single sign-on users. It is the only component
that we fake. The same path shows the process id, so that a start is not confused with another emulator.
"""

from __future__ import annotations

import ast
import base64
import json
import os
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from ministack import app as ministack
from ministack.core import iam_actions, lambda_runtime, persistence
from ministack.core.responses import error_response_json
from ministack.services import cognito, lambda_svc
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Message = dict[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Application = Callable[[Message, Receive, Send], Awaitable[None]]

DIRECTORY = "/_directory/"
# All others change with the stack only.
USED_BY_THE_API = {"cognito", "dynamodb", "lambda", "s3", "secretsmanager"}
HERE = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"


def main() -> None:
    """Mend, add the directory, serve."""
    mend(cognito, "_oidc_callback_url", lambda _theirs: callback_on_this_machine)
    mend(cognito, "_run_idp_handler", denied_to_the_api)
    mend(cognito, "_oauth2_token", denied_to_the_browser)
    mend(cognito, "_resolve_user", federated_only_by_name)
    mend(iam_actions, "extract_resource_arn", function_to_be_made)
    mend(iam_actions, "_match_rest_action", functions_by_their_model)
    mend(iam_actions, "_lambda_action", right_of_a_function)
    mend(ministack, "pin_request_origin", as_if_over_tls)
    mend(lambda_runtime, "_detect_runtime_binary", python_of_functions)
    functions_of_stacks = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]  # noqa: SLF001 (see the docstring)
    for operation in ("create", "update"):
        functions_of_stacks[operation] = with_reserved_concurrency(functions_of_stacks[operation])
    ministack.app = with_directory(with_saved_changes(ministack.app))
    sys.argv = ["ministack"]
    ministack.main()


def mend(module: Any, name: str, mended: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put what `mended` makes of a private function, which must be there, in that function's place."""
    theirs = getattr(module, name, None)
    if not callable(theirs):
        sys.exit(f"This MiniStack has no {module.__name__}.{name}, which our launcher patches.")
    setattr(module, name, mended(theirs))


def callback_on_this_machine(_pool: object) -> str:
    """Where a directory sends the browser back to: the real pool's domain does not lead here."""
    return f"{HERE}/oauth2/idpresponse"


def denied_to_the_api(theirs: Callable[..., Any]) -> Callable[..., Any]:
    """Let a trigger's refusal be the caller's mistake, as on AWS, and not a fault to try again after."""

    def handler(*arguments: Any) -> Any:
        try:
            return theirs(*arguments)
        except RuntimeError as error:
            return error_response_json("UserLambdaValidationException", _refusal(error), 400)

    return handler


def denied_to_the_browser(theirs: Callable[..., Any]) -> Callable[..., Any]:
    """Let the token endpoint refuse as OAuth says it does."""

    def handler(*arguments: Any) -> Any:
        try:
            return theirs(*arguments)
        except RuntimeError as error:
            body = {"error": "invalid_request", "error_description": _refusal(error)}
            return 400, {"Content-Type": "application/json"}, json.dumps(body).encode()

    return handler


def federated_only_by_name(theirs: Callable[..., Any]) -> Callable[..., Any]:
    """
    Resolve an address to native accounts only, as AWS is reported to do.

    A federated account is found by its user name or `sub`, never by its address, and so it does not
    take the address from a native account: https://github.com/aws/aws-sdk-js/issues/3774.
    `stage verify` checks the same on a real pool that has such an account.
    """

    def resolve(pool: Any, username: str) -> Any:
        named = username in pool["_users"] or "@" not in str(username)
        native = {
            name: user for name, user in pool["_users"].items() if user["UserStatus"] != "EXTERNAL_PROVIDER"
        }
        return theirs(pool if named else {**pool, "_users": native}, username)

    return resolve


def function_to_be_made(theirs: Callable[..., str]) -> Callable[..., str]:
    """Let the right to make a function be one over its name, which stands in the body, as on AWS."""

    def extract(*arguments: Any) -> str:
        service, method, path, _headers, body, _query, region, account = arguments
        if (service, method) == ("lambda", "POST") and path.rstrip("/").endswith("/functions"):
            return f"arn:aws:lambda:{region}:{account}:function:{json.loads(body)['FunctionName']}"
        return theirs(*arguments)

    return extract


def functions_by_their_model(theirs: Callable[..., str | None]) -> Callable[..., str | None]:
    """Let Lambda's requests be known by Amazon's description of them, as other services' are."""
    iam_actions._BOTOCORE_SERVICE_MAP["lambda"] = ["lambda"]  # noqa: SLF001 (its own way of saying so)
    return theirs


def right_of_a_function(theirs: Callable[..., str | None]) -> Callable[..., str | None]:
    """Let each request for a function need the right of its name: not that of a list for one of it."""

    def action(method: str, path: str) -> str | None:
        operation = iam_actions._match_rest_action("lambda", method, path)  # noqa: SLF001 (mended above)
        return "InvokeFunction" if operation == "Invoke" else operation or theirs(method, path)

    return action


def as_if_over_tls(theirs: Callable[..., None]) -> Callable[..., None]:
    """Bucket policies require TLS, as AWS speaks it. The emulator is reached on loopback, without."""

    def pin(source_ip: str, *_transport: Any) -> None:
        theirs(source_ip, secure_transport=True)

    return pin


def python_of_functions(theirs: Callable[..., tuple[str, str]]) -> Callable[..., tuple[str, str]]:
    """Run Python functions with the interpreter that `FUNCTION_PYTHON` names, rather than the emulator's."""

    def detect(runtime: str) -> tuple[str, str]:
        binary, worker = theirs(runtime)
        python = runtime.startswith("python") and os.environ.get("FUNCTION_PYTHON")
        return python or binary, worker

    return detect


def with_reserved_concurrency(theirs: Callable[..., tuple[str, Any]]) -> Callable[..., tuple[str, Any]]:
    """Let CloudFormation reserve a function's concurrency, which MiniStack 1.5.33 leaves out."""

    def provision(*arguments: Any, **named: Any) -> tuple[str, Any]:
        name, attributes = theirs(*arguments, **named)
        properties = next(each for each in reversed(arguments) if isinstance(each, dict))
        if "ReservedConcurrentExecutions" in properties:
            lambda_svc._put_function_concurrency(name, properties)  # noqa: SLF001 (see the docstring)
        return name, attributes

    return provision


def _refusal(error: RuntimeError) -> str:
    start, _, answer = str(error).partition(" error: ")
    if start != "PreTokenGeneration" or not answer.startswith("{"):
        raise error
    return f"PreTokenGeneration failed with error {ast.literal_eval(answer)['errorMessage']}"


def with_directory(application: Application) -> Application:
    """Answer for the directory, and leave the rest to the emulator."""

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(DIRECTORY):
            await application(scope, receive, send)
            return
        status, headers, body = await _directory(scope, receive)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


def with_saved_changes(application: Application) -> Application:
    """Save what a request changed before it is answered: then a kill loses nothing that was confirmed."""
    saved: dict[str, str] = {}

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        async def save_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                save_changes(saved, everything=b"/cloudformation/" in authorization)
            await send(message)

        authorization = dict(scope.get("headers", ())).get(b"authorization", b"")
        writes = persistence.PERSIST_STATE and scope.get("method") in {"POST", "PUT", "DELETE"}
        await application(scope, receive, save_and_send if writes else send)

    return answer


def save_changes(saved: dict[str, str], *, everything: bool) -> None:
    """Write the state of each service that differs from `saved`, and note it there."""
    states = ministack._build_persistence_save_dict()  # noqa: SLF001 (what it saves when it is stopped)
    for service in states.keys() if everything else states.keys() & USED_BY_THE_API:
        state = states[service]()
        text = json.dumps(state, default=persistence._json_default)  # noqa: SLF001 (as it saves them)
        if state is not None and saved.get(service) != text:
            persistence.save_state(service, state)
            saved[service] = text


async def _directory(scope: Message, receive: Receive) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    if scope["path"] == f"{DIRECTORY}process":
        return 200, [], str(os.getpid()).encode()
    if scope["path"] == f"{DIRECTORY}authorize":
        return _authorize(_fields(scope["query_string"]))
    return _token(_fields(await _body(receive)))


def _authorize(query: dict[str, str]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    # The one person of this directory is named in the client id; the code is their address.
    back = urlencode({"code": query["client_id"], "state": query["state"]})
    return 302, [(b"location", f"{query['redirect_uri']}?{back}".encode())], b""


def _token(form: dict[str, str]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    # As the City's directory does it: the subject is the address, and the address is not verified.
    claims = {"sub": form["code"], "email": form["code"], "email_verified": False}
    body = json.dumps({"access_token": "unused", "id_token": f"{_part({'alg': 'none'})}.{_part(claims)}."})
    return 200, [(b"content-type", b"application/json")], body.encode()


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def _fields(encoded: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(encoded.decode()).items()}


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


if __name__ == "__main__":
    main()
