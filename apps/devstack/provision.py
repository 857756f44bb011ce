"""
Provisions the embedded AWS with the stack, the function, the secret's content and the City's directory.

Every step keeps what already exists, so a repetition is fast and changes nothing.
"""

import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet

from apps.claims import items as claims_items
from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import NotFoundError
from apps.deployment.aws import stack_updates
from apps.deployment.paths import TEMPLATE
from apps.deployment.settings.variables import from_outputs
from apps.devstack import pre_token_function
from apps.devstack.personas import PERSONAS

STACK = "moped-laptop"
DIRECTORY = "azuread"
EDITOR = "https://localhost:3000"
EDITOR_SIGN_IN = f"{EDITOR}/moped/session/signin"  # the hosted UI sends the editor's users back to this page


def create_resources(api_port: int, aws_url: str) -> dict[str, str]:
    """
    Create the resources of a stage, and return the environment variables with their names.

    The steps are those of a real account: the stack, the function with the stack's role, then the stack
    again, so that its pool may call the function.

    :param api_port: the port of the API, to which the pool sends browsers back
    """
    outputs = stack_outputs() or deploy(_parameters(api_port, trigger_arn=""))
    outputs = deploy(_parameters(api_port, trigger_arn=pre_token_function.sync(outputs)))
    _fill_secret(outputs["ConfigurationSecret"])
    _register_identity_provider(outputs["UserPoolId"], aws_url)
    pre_token_function.warm()
    return {
        **from_outputs(outputs),
        "AWS_ENDPOINT_URL": aws_url,
        "COGNITO_JWKS_URL": f"{aws_url}/{outputs['UserPoolId']}/.well-known/jwks.json",
        "COGNITO_DOMAIN_URL": aws_url,
    }


def stack_outputs() -> dict[str, str]:
    """Return the outputs of the stack. Empty if the stack does not exist."""
    return stack_updates.outputs(STACK)


def deploy(parameters: Mapping[str, str]) -> dict[str, str]:
    """Create or update the stack from the stages' template, and return its outputs."""
    stack_updates.create_or_update(STACK, TEMPLATE, parameters)
    return stack_outputs()


def _parameters(api_port: int, *, trigger_arn: str) -> dict[str, str]:
    # A person may type either host. The pool distinguishes them.
    sites = [f"http://{host}:{api_port}" for host in ("127.0.0.1", "localhost")]
    return {
        "Stage": "laptop",
        "DomainPrefix": "moped-laptop",
        "CallbackUrls": ",".join([*(f"{site}/auth/callback" for site in sites), EDITOR_SIGN_IN]),
        "LogoutUrls": ",".join([*(f"{site}/" for site in sites), EDITOR_SIGN_IN]),
        "IdentityProviders": f"COGNITO,{DIRECTORY}",
        "ServerSidePasswords": "true",
        "EditorOrigins": ",".join((EDITOR, *sites)),
        "TriggerFunctionArn": trigger_arn,
    }


def _fill_secret(name: str) -> None:
    client = clients.secrets_manager()
    with translate_errors():
        if not client.get_secret_value(SecretId=name).get("SecretString"):
            content = json.dumps({claims_items.KEY: Fernet.generate_key().decode()})
            client.put_secret_value(SecretId=name, SecretString=content)


def _register_identity_provider(pool_id: str, aws_url: str) -> None:
    # The template does not contain it: on a stage, an operator adds the City's directory to the pool by hand.
    provider: dict[str, Any] = {
        "UserPoolId": pool_id,
        "ProviderName": DIRECTORY,
        "ProviderDetails": {
            "client_id": next(persona.email for persona in PERSONAS if persona.is_sso),
            "client_secret": "not read by the directory that we play",
            "oidc_issuer": f"{aws_url}/_directory",
            "authorize_url": f"{aws_url}/_directory/authorize",
            "token_url": f"{aws_url}/_directory/token",
            "attributes_request_method": "GET",
            "authorize_scopes": "openid email",
        },
        "AttributeMapping": {"email": "email"},
    }
    try:
        with translate_errors(ResourceNotFoundException=NotFoundError):
            clients.cognito().update_identity_provider(**provider)
    except NotFoundError:
        with translate_errors():
            clients.cognito().create_identity_provider(ProviderType="OIDC", **provider)
