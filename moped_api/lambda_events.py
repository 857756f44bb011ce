"""
The events that the function accepts: HTTP requests, pre-token triggers, some management commands.

Everything else is refused.
"""

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

# https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
# Not TokenGeneration_ClientCredentials: a program's token has no person, and so no claims.
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
    """The function accepts this kind of event, but the event has the wrong structure."""


class _TriggerRequest(msgspec.Struct, rename="camel"):
    user_attributes: dict[str, Any]


class Trigger(msgspec.Struct, rename="camel"):
    """The parts of its event that the trigger reads."""

    user_name: str
    request: _TriggerRequest


def is_http(event: Any) -> bool:
    """Return whether an event is a request of a REST API, an HTTP API or a function URL."""
    if not isinstance(event, dict) or "type" in event:  # only an authorizer's event has it
        return False
    context = event.get("requestContext")
    is_load_balancer = isinstance(context, dict) and "elb" in context
    return event.get("version") == "2.0" or ("httpMethod" in event and not is_load_balancer)


def is_trigger(event: Any) -> bool:
    """Return whether Cognito asks for the claims of a person's token."""
    return isinstance(event, dict) and event.get("triggerSource") in TRIGGER_SOURCES


def convert(event: dict[str, Any], kind: type[T]) -> T:
    """
    Return the parts of an event that `kind` declares. The application gets no other parts.

    :raises MalformedEventError: with the name of the wrong part
    """
    try:
        return msgspec.convert(event, kind)
    except msgspec.ValidationError as error:
        raise MalformedEventError(str(error)) from error


def command(event: Any) -> list[str]:
    """
    Return the words of the management command that an event asks for.

    :raises RefusedEventError: if there is no command, or COMMANDS does not allow it with its arguments
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
