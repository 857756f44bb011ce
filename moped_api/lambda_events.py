"""
The events that the function accepts: HTTP requests, pre-token triggers, some management commands.

Everything else is refused.
"""

import re
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

# Unicode that UTF-8 can encode: JSON may hold half of a surrogate pair.
Text = Annotated[str, Meta(pattern=r"\A[^\ud800-\udfff]*\Z")]
# RFC 9110, sections 5.6.2, 5.1 and 5.5.
Token = Annotated[str, Meta(pattern=r"\A[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")]
HeaderValue = Annotated[str, Meta(pattern=r"\A[^\x00\r\n\ud800-\udfff]*\Z")]

# https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
# A machine's token (TokenGeneration_ClientCredentials) has no person whose claims it could hold.
TRIGGER_SOURCES = (
    "TokenGeneration_AuthenticateDevice",
    "TokenGeneration_Authentication",
    "TokenGeneration_HostedAuth",
    "TokenGeneration_NewPasswordChallenge",
    "TokenGeneration_RefreshTokens",
)

ADDRESS = r"[^\s@-][^\s@]*@[^\s@]+"
# The management commands, with the arguments that each may have.
COMMANDS = {
    "check": "",
    "create_first_admin": rf"( --smoke {ADDRESS})? {ADDRESS}( [^\s-]\S*)+",
    "migrate": r"( --noinput| --fake-initial)*",
    "reconcile_users": rf"( --json| --fix| --rotate-key| --only( {ADDRESS})+)*",
    "showmigrations": "",
}


class RefusedEventError(Exception):
    """The function does not accept this kind of event, or this command."""


class MalformedEventError(Exception):
    """The event is of a kind that the function accepts, and is not built like one."""


class _Identity(msgspec.Struct, rename="camel"):
    source_ip: Text | None = None


class _RestContext(msgspec.Struct, rename="camel"):
    request_id: Text = ""
    stage: Text = ""
    identity: _Identity = msgspec.field(default_factory=_Identity)


class _Request(msgspec.Struct, rename="camel", kw_only=True):
    body: Text | None = None
    is_base64_encoded: bool = False


# https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
class _RestRequest(_Request, kw_only=True):
    """A request of a REST API."""

    http_method: Token
    path: Text
    headers: dict[Token, HeaderValue] | None = None
    multi_value_headers: dict[Token, list[HeaderValue]] | UnsetType | None = UNSET
    query_string_parameters: dict[Text, Text] | UnsetType | None = UNSET
    multi_value_query_string_parameters: dict[Text, list[Text]] | UnsetType | None = UNSET
    request_context: _RestContext = msgspec.field(default_factory=_RestContext)


class _Http(msgspec.Struct, rename="camel"):
    method: Token
    source_ip: Text | None = None


class _HttpContext(msgspec.Struct, rename="camel"):
    http: _Http
    request_id: Text = ""
    stage: Text | None = None


# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
class _HttpRequest(_Request, kw_only=True):
    """A request of an HTTP API or of a function URL."""

    raw_path: Text
    request_context: _HttpContext
    version: str = "2.0"
    raw_query_string: Text = ""
    headers: dict[Token, HeaderValue] = msgspec.field(default_factory=dict)
    cookies: list[HeaderValue] = msgspec.field(default_factory=list)


class _TriggerRequest(msgspec.Struct, rename="camel"):
    user_attributes: dict[str, Any]


class _Trigger(msgspec.Struct, rename="camel"):
    user_name: str
    request: _TriggerRequest


def is_http(event: Any) -> bool:
    """Return whether an event is a request of a REST API, an HTTP API or a function URL."""
    if not isinstance(event, dict) or "type" in event:  # which only an authorizer's event has
        return False
    return event.get("version") == "2.0" or ("httpMethod" in event and not _is_of_a_load_balancer(event))


def is_trigger(event: Any) -> bool:
    """Return whether Cognito asks for the claims of a person's token."""
    return isinstance(event, dict) and event.get("triggerSource") in TRIGGER_SOURCES


def http_request(event: dict[str, Any]) -> dict[str, Any]:
    """
    Return the parts of an HTTP event that a request consists of.

    Nothing else of it reaches the application.

    :raises MalformedEventError: naming the part that is wrong
    """
    kind = _HttpRequest if event.get("version") == "2.0" else _RestRequest
    request: dict[str, Any] = msgspec.to_builtins(_converted(event, kind))
    return request


def require_trigger(event: dict[str, Any]) -> None:
    """
    Require of a trigger's event what the trigger reads.

    :raises MalformedEventError: naming the part that is wrong
    """
    _converted(event, _Trigger)


def command(event: Any) -> list[str]:
    """
    Return the words of the management command that an event asks for.

    :raises RefusedEventError: if it asks for none, or COMMANDS lacks the command or its arguments
    """
    if not isinstance(event, dict) or event.keys() != {"manage"}:
        raise RefusedEventError("This function serves HTTP, Cognito's pre-token triggers and `manage`.")
    words = str(event["manage"]).split()
    name, arguments = "".join(words[:1]), "".join(f" {word}" for word in words[1:])
    if name not in COMMANDS:
        raise RefusedEventError(f"This function runs {', '.join(COMMANDS)}, and no other command.")
    if not re.fullmatch(COMMANDS[name], arguments):
        raise RefusedEventError(f"This function does not run {name} with these arguments.")
    return words


def _is_of_a_load_balancer(event: dict[str, Any]) -> bool:
    context = event.get("requestContext")
    return isinstance(context, dict) and "elb" in context


def _converted(event: dict[str, Any], kind: type[Any]) -> Any:
    try:
        return msgspec.convert(event, kind)
    except msgspec.ValidationError as error:
        raise MalformedEventError(str(error)) from error
