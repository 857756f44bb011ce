"""
Starts MiniStack, with patches where it differs from AWS. The emulator's own Python runs this file.

It imports nothing of the project, because the emulator's environment has neither Django nor our code.
Each patch names the private function that it replaces. The start fails if that function does not
exist, so that an upgrade of MiniStack cannot undo a patch silently. MiniStack 1.5.33 needs all patches.

It also replaces the City's directory by an OpenID provider under `/_directory/`, which accepts every
address. Cognito's own federation creates the single sign-on users from it. No other component is fake.
"""

import ast
import base64
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlencode

from ministack import app as ministack
from ministack.core import persistence
from ministack.core.responses import error_response_json
from ministack.services import cognito

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
Function = Callable[..., Any]
Response = tuple[int, dict[str, str], bytes]

DIRECTORY = "/_directory/"
# The other services change only when CloudFormation changes the stack.
USED_BY_THE_API = {"cognito", "dynamodb", "lambda", "s3", "secretsmanager"}
CALLBACK = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}/oauth2/idpresponse"


def main() -> None:
    """Patch MiniStack, add the directory, and serve."""
    # MiniStack runs functions with its own interpreter.
    sys.executable = os.environ.get("FUNCTION_PYTHON", sys.executable)
    # The directory must send the browser to this machine, not to the pool's domain in AWS.
    patch(cognito, "_oidc_callback_url", lambda _original: lambda _pool: CALLBACK)
    patch(cognito, "_run_idp_handler", catch_denials(api_refusal))
    patch(cognito, "_oauth2_token", catch_denials(oauth_refusal))
    patch(cognito, "_resolve_user", resolve_native_accounts)
    # Bucket policies require TLS. Clients reach the emulator without TLS on the loopback address.
    patch(ministack, "pin_request_origin", lambda original: lambda address, _is_tls: original(address, True))  # noqa: FBT003
    ministack.app = with_directory(with_saved_changes(ministack.app))
    sys.argv = ["ministack"]
    ministack.main()


def patch(module: Any, name: str, wrap: Callable[[Function], Function]) -> None:
    """Replace a private function by `wrap(original)`. Exit if the function does not exist."""
    original = getattr(module, name, None)
    if not callable(original):
        sys.exit(f"This MiniStack has no {module.__name__}.{name}, which our launcher patches.")
    setattr(module, name, wrap(original))


def catch_denials(respond: Callable[[str], Response]) -> Callable[[Function], Function]:
    """Answer a sign-in that the pre-token trigger denies with a client error, not with a server error."""

    def wrap(original: Function) -> Function:
        def handler(*arguments: Any) -> Any:
            try:
                return original(*arguments)
            except RuntimeError as error:
                start, _, answer = str(error).partition(" error: ")
                if start != "PreTokenGeneration" or not answer.startswith("{"):
                    raise
                reason = ast.literal_eval(answer)["errorMessage"]
                return respond(f"PreTokenGeneration failed with error {reason}")

        return handler

    return wrap


def api_refusal(message: str) -> Response:
    """Return the error response of Cognito's API."""
    return error_response_json("UserLambdaValidationException", message, 400)  # type: ignore[no-any-return]


def oauth_refusal(message: str) -> Response:
    """Return the error response of the token endpoint (RFC 6749, 5.2)."""
    body = json.dumps({"error": "invalid_request", "error_description": message})
    return 400, {"Content-Type": "application/json"}, body.encode()


def resolve_native_accounts(original: Function) -> Function:
    """
    Resolve an address to native accounts only. A report says that AWS does so.

    AWS finds a federated account by its user name or `sub` only. So a native account with the same
    address stays reachable: https://github.com/aws/aws-sdk-js/issues/3774. `stage verify` checks this
    on a real pool that has a federated account.
    """

    def resolve(pool: Any, username: str) -> Any:
        if username in pool["_users"] or "@" not in str(username):
            return original(pool, username)
        native = {
            name: user for name, user in pool["_users"].items() if user["UserStatus"] != "EXTERNAL_PROVIDER"
        }
        return original({**pool, "_users": native}, username)

    return resolve


# ---- data that survives a kill ---------------------------------------------------------------------


def with_saved_changes(application: Application) -> Application:
    """Save the changes of a request before the answer, so that a kill loses no confirmed change."""
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
    """Save the state of each service that differs from `saved`, and update `saved`."""
    states = ministack._build_persistence_save_dict()  # noqa: SLF001 (as at its stop)
    for service in states.keys() if everything else states.keys() & USED_BY_THE_API:
        state = states[service]()
        text = json.dumps(state, default=persistence._json_default)  # noqa: SLF001 (as it saves them)
        if state is not None and saved.get(service) != text:
            persistence.save_state(service, state)
            saved[service] = text


# ---- the City's directory -------------------------------------------------------------------------


def with_directory(application: Application) -> Application:
    """Answer requests to the directory. Pass all others to the emulator."""

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(DIRECTORY):
            await application(scope, receive, send)
            return
        # The emulator's requests are small and arrive in one message.
        status, headers, body = directory(scope, (await receive())["body"])
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    return answer


def directory(scope: Message, body: bytes) -> Response:
    """Return the redirect to the pool, or the token response."""
    fields = {name: values[0] for name, values in parse_qs((scope["query_string"] or body).decode()).items()}
    if scope["path"] == f"{DIRECTORY}authorize":
        # This directory has one person. The client id contains the address, which is also the code.
        query = urlencode({"code": fields["client_id"], "state": fields["state"]})
        return 302, {"location": f"{fields['redirect_uri']}?{query}"}, b""
    # As in the City's directory, the subject is the address, and it is not verified.
    claims = {"sub": fields["code"], "email": fields["code"], "email_verified": False}
    token = {"access_token": "unused", "id_token": f"{_jwt_part({'alg': 'none'})}.{_jwt_part(claims)}."}
    return 200, {"content-type": "application/json"}, json.dumps(token).encode()


def _jwt_part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


if __name__ == "__main__":
    main()
