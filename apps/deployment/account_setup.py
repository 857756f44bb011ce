"""
Sets a stage up in an AWS account: the stack, the secrets, the first admin, the host names.

Every step keeps what already exists, so it can be repeated. docs/operations.md has the order.
"""

import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet

from apps.claims import items as claims_items
from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import ConflictError, InvalidError
from apps.deployment import smoke, stages
from apps.deployment.aws import functions, rest_api, stack, stack_updates
from apps.deployment.errors import StageError
from apps.deployment.paths import INFRASTRUCTURE, TEMPLATE
from apps.deployment.settings import zappa_settings
from apps.deployment.settings.rendering import Stage

Tell = Callable[[str], None]

HOST_TEMPLATE = INFRASTRUCTURE / "host.yaml"


def deploy_stack(name: str, path: Path | None, trigger: str, tell: Tell) -> None:
    """
    Create or update the stack of a stage.

    :param path: the parameter file. None for infrastructure/<stage>.json
    :param trigger: "on" attaches the live function to the pool, "off" removes it, "" changes nothing
    :raises StageError: if the parameters are invalid or CloudFormation refuses them
    """
    settings = zappa_settings.flatten(zappa_settings.read(), name)
    parameters = zappa_settings.read_json(path or INFRASTRUCTURE / f"{name}.json", dict[str, str])
    if parameters.get("Stage") != name:
        raise StageError(f"The parameter Stage must be {name!r}, not {parameters.get('Stage')!r}.")
    if trigger == "on":
        live = functions.live_alias(zappa_settings.function_name(settings, name))
        if live is None:
            raise StageError(f"{name} has no live version yet: deploy first, then attach the trigger.")
        parameters["TriggerFunctionArn"] = live.arn
    elif trigger == "off":
        parameters["TriggerFunctionArn"] = ""
    stack_name = settings["moped"]["stack"]
    # CloudFormation copies the stack's tags to its resources. The budget sums costs by tag.
    tags = {key: settings["tags"][key] for key in ("project", "stage")}
    changed = stack_updates.create_or_update(stack_name, TEMPLATE, parameters, tags)
    tell(f"{stack_name}: {'deployed' if changed else 'nothing to change'}")


def fill_secrets(name: str, tell: Tell) -> None:
    """
    Fill the empty secrets: with a new Fernet key, and with a new smoke account of the pool.

    :raises StageError: if the stack is not complete
    """
    settings = zappa_settings.flatten(zappa_settings.read(), name)
    outputs = stack.outputs(settings["moped"]["stack"])
    configuration = outputs["ConfigurationSecret"]
    if configuration.startswith("arn:"):
        stack.require_secret_value(configuration)  # the City's secret, which has the key of the claims
    _fill(configuration, lambda: {claims_items.KEY: Fernet.generate_key().decode()}, tell)
    _fill(outputs["SmokeSecret"], lambda: _create_smoke_account(outputs["UserPoolId"], name), tell)


def create_first_admin(stage: Stage, email: str, name: list[str], password: str, tell: Tell) -> None:
    """
    Create the first admin, and make the smoke account a viewer.

    :raises StageError: if there is another admin, or the pool refuses the password
    """
    tester = smoke.account(stage.outputs["SmokeSecret"])
    command = ["create_first_admin", "--smoke", tester["email"], email, *name]
    exit_code, output = stages.manage(stage, " ".join(command))
    if exit_code:
        raise StageError(output)
    for line in output.splitlines():
        tell(line)
    # The function gave both a random password. Only the pool and this process know the new passwords.
    pool = stage.outputs["UserPoolId"]
    _set_password(pool, tester["email"], tester["password"])
    _set_password(pool, email, password)
    tell(f"{email} can sign in with the password that you gave")


def map_host(stage: Stage, host: str, certificate: str, tell: Tell) -> None:
    """
    Map one of a stage's host names to its REST API.

    :raises StageError: if the stage's settings lack the host, the stage is not deployed, or AWS refuses
    """
    hosts = zappa_settings.hosts(stage.settings)
    if host not in hosts:
        raise StageError(
            f"{stage.name} has no host {host}. zappa_settings.json lists {', '.join(hosts) or 'none'}."
        )
    api = rest_api.api_id(stage)
    if not api:
        raise StageError(f"{stage.name} has no gateway yet: run `stage deploy {stage.name}` first.")
    parameters = {
        "HostName": host,
        "CertificateArn": certificate,
        "RestApiId": api,
        "ApiStage": stage.name,
    }
    stack_name = f"moped-host-{host.replace('.', '-')}"
    stack_updates.create_or_update(stack_name, HOST_TEMPLATE, parameters, stage.settings["tags"])
    target = stack_updates.outputs(stack_name)["Target"]
    tell(f"{host}: make its DNS record a CNAME of {target}")


def _fill(secret: str, make: Callable[[], dict[str, str]], tell: Tell) -> None:
    """Put a value into a secret, if it is empty."""
    if stack.secret_value(secret):
        tell(f"{secret}: has a value, left as it is")
        return
    value = json.dumps(make())
    with translate_errors():
        clients.secrets_manager().put_secret_value(SecretId=secret, SecretString=value)
    tell(f"{secret}: filled")


def _create_smoke_account(pool: str, stage: str) -> dict[str, str]:
    """Create the smoke account or give it a new password. Return its address and password."""
    email, password = f"moped-api-{stage}@austintexas.gov", f"{secrets.token_urlsafe(24)}aA1!"
    with suppress(ConflictError), translate_errors(UsernameExistsException=ConflictError):
        clients.cognito().admin_create_user(
            UserPoolId=pool,
            Username=email,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
        )
    _set_password(pool, email, password)
    return {"email": email, "password": password}


def _set_password(pool: str, email: str, password: str) -> None:
    try:
        with translate_errors(InvalidPasswordException=InvalidError):
            clients.cognito().admin_set_user_password(
                UserPoolId=pool, Username=email, Password=password, Permanent=True
            )
    except InvalidError as error:
        raise StageError(f"The pool refuses this password: {error.__cause__}. Run this again.") from error
