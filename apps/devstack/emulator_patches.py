"""
Starts MiniStack, with patches where it differs from AWS. The emulator's own Python runs this file.

It imports nothing of the project: the emulator's environment has neither Django nor our code. Each
patch names the private function that it replaces. The start fails if that function no longer exists,
so that an upgrade of MiniStack cannot undo a patch silently. MiniStack 1.5.33 needs each of them.

It also plays the City's directory, as an OpenID provider under `/_directory/`. It confirms every
address, so that Cognito's own federation creates the single sign-on users. It is the only component
that we fake.
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
# All others change with the stack only.
USED_BY_THE_API = {"cognito", "dynamodb", "lambda", "s3", "secretsmanager"}
CALLBACK = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}/oauth2/idpresponse"


def main() -> None:
    """Patch MiniStack, add the directory, and serve."""
    # MiniStack runs functions with its own interpreter.
    sys.executable = os.environ.get("FUNCTION_PYTHON", sys.executable)
    # A directory sends the browser back to this machine, not to the domain that the pool would have at AWS.
    mend(cognito, "_oidc_callback_url", lambda _original: lambda _pool: CALLBACK)
    mend(cognito, "_run_idp_handler", with_refusals(api_refusal))
    mend(cognito, "_oauth2_token", with_refusals(oauth_refusal))
    mend(cognito, "_resolve_user", federated_only_by_name)
    # Bucket policies require TLS, as AWS has it. The emulator is reached on loopback, without TLS.
    mend(ministack, "pin_request_origin", lambda original: lambda address, _is_tls: original(address, True))  # noqa: FBT003
    ministack.app = with_directory(with_saved_changes(ministack.app))
    sys.argv = ["ministack"]
    ministack.main()


def mend(module: Any, name: str, patch: Callable[[Function], Function]) -> None:
    """Replace a private function, which must exist, by what `patch` makes of it."""
    original = getattr(module, name, None)
    if not callable(original):
        sys.exit(f"This MiniStack has no {module.__name__}.{name}, which our launcher patches.")
    setattr(module, name, patch(original))


def with_refusals(respond: Callable[[str], Response]) -> Callable[[Function], Function]:
    """Report the refusal of a pre-token trigger as the mistake of the caller, not as a fault of AWS."""

    def patch(original: Function) -> Function:
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

    return patch


def api_refusal(message: str) -> Response:
    """Return the answer of Cognito's API."""
    return error_response_json("UserLambdaValidationException", message, 400)  # type: ignore[no-any-return]


def oauth_refusal(message: str) -> Response:
    """Return the answer of the token endpoint, as OAuth defines it."""
    body = json.dumps({"error": "invalid_request", "error_description": message})
    return 400, {"Content-Type": "application/json"}, body.encode()


def federated_only_by_name(original: Function) -> Function:
    """
    Resolve an address to native accounts only, as AWS is reported to do.

    A federated account is found by its user name or `sub`, never by its address, and so it does not
    take the address from a native account: https://github.com/aws/aws-sdk-js/issues/3774.
    `stage verify` checks the same on a real pool that has such an account.
    """

    def resolve(pool: Any, username: str) -> Any:
        if username in pool["_users"] or "@" not in str(username):
            return original(pool, username)
        native = {
            name: user for name, user in pool["_users"].items() if user["UserStatus"] != "EXTERNAL_PROVIDER"
        }
        return original({**pool, "_users": native}, username)

    return resolve


# ---- what a kill must not lose --------------------------------------------------------------------


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


# ---- the City's directory -------------------------------------------------------------------------


def with_directory(application: Application) -> Application:
    """Answer for the directory, and leave the rest to the emulator."""

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(DIRECTORY):
            await application(scope, receive, send)
            return
        # The emulator's own small requests come in one piece.
        status, headers, body = directory(scope, (await receive())["body"])
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    return answer


def directory(scope: Message, body: bytes) -> Response:
    """Return the redirect of a sign-in, or the token of one."""
    fields = {name: values[0] for name, values in parse_qs((scope["query_string"] or body).decode()).items()}
    if scope["path"] == f"{DIRECTORY}authorize":
        # The one person of this directory is named in the client id. The code is their address.
        query = urlencode({"code": fields["client_id"], "state": fields["state"]})
        return 302, {"location": f"{fields['redirect_uri']}?{query}"}, b""
    # As in the City's directory, the subject is the address, and the address is not verified.
    claims = {"sub": fields["code"], "email": fields["code"], "email_verified": False}
    token = {"access_token": "unused", "id_token": f"{_part({'alg': 'none'})}.{_part(claims)}."}
    return 200, {"content-type": "application/json"}, json.dumps(token).encode()


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


if __name__ == "__main__":
    main()
