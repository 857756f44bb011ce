"""
Furnishes the embedded AWS: the stack, the function, the secret's content, the City's directory.

Every step asks what is there first, so that doing it again costs little and changes nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

from apps.claims import items as claims_items
from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import NotFoundError
from apps.deployment.settings.variables import from_outputs
from apps.devstack import pre_token_function, stack
from apps.devstack.personas import PERSONAS

if TYPE_CHECKING:
    from collections.abc import Mapping

DIRECTORY = "azuread"
# Outputs for which the laptop has values of its own.
OF_THE_LAPTOP = {"COGNITO_DOMAIN_URL", "DATABASE_URL", "MOPED_API_DATABASE_SECRET"}
# What the function needs of the API's own variables beside those that the stack's outputs give.
FUNCTION_VARIABLES = {
    "MOPED_API_CURRENT_ENVIRONMENT": "laptop",
    "MOPED_API_ALLOWED_HOSTS": "127.0.0.1",
    "DATABASE_URL": "postgresql:///the-trigger-needs-no-database",
}


@dataclass(frozen=True)
class Endpoints:
    """Where things are: the API, the embedded AWS, the editor's own server."""

    api_port: int
    aws_url: str
    editor_origin: str = "https://localhost:3000"
    editor_sign_in_path: str = "/moped/session/signin"

    @property
    def api_urls(self) -> tuple[str, ...]:
        """What a person may type; to the pool they are different sites."""
        return tuple(f"http://{host}:{self.api_port}" for host in ("127.0.0.1", "localhost"))

    @property
    def editor_sign_in_url(self) -> str:
        """Where the hosted UI sends the editor's users back to, after sign-in and sign-out."""
        return f"{self.editor_origin}{self.editor_sign_in_path}"


def furnish(site: Endpoints) -> dict[str, str]:
    """
    Make everything that a stage has, and return the environment variables that name it.

    In steps, as on a real account: the stack, the function with the stack's role, and only then
    the stack again, whose pool may now call the function.
    """
    outputs = stack.outputs() or stack.deploy(_parameters(site, trigger_arn=""))
    variables = _variables(site, outputs)
    arn = pre_token_function.sync(outputs["FunctionRoleArn"], {**FUNCTION_VARIABLES, **_names(outputs)})
    outputs = stack.deploy(_parameters(site, trigger_arn=arn))
    _fill_secret(outputs["ConfigurationSecret"])
    _register_identity_provider(outputs["UserPoolId"], site.aws_url)
    pre_token_function.warm()
    return variables


def resync_trigger() -> None:
    """Make the function the working tree's again, after an edit."""
    outputs = stack.outputs()
    pre_token_function.sync(outputs["FunctionRoleArn"], {**FUNCTION_VARIABLES, **_names(outputs)})
    pre_token_function.warm()


def _parameters(site: Endpoints, *, trigger_arn: str) -> dict[str, str]:
    return {
        "Stage": "laptop",
        "DomainPrefix": "moped-laptop",
        "CallbackUrls": ",".join(
            [*(f"{url}/auth/callback" for url in site.api_urls), site.editor_sign_in_url]
        ),
        "LogoutUrls": ",".join([*(f"{url}/" for url in site.api_urls), site.editor_sign_in_url]),
        "IdentityProviders": f"COGNITO,{DIRECTORY}",
        "ServerSidePasswords": "true",
        "EditorOrigins": ",".join((site.editor_origin, *site.api_urls)),
        "TriggerFunctionArn": trigger_arn,
    }


def _names(outputs: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in from_outputs(outputs).items() if name not in OF_THE_LAPTOP}


def _variables(site: Endpoints, outputs: Mapping[str, str]) -> dict[str, str]:
    return {
        **_names(outputs),
        "AWS_ENDPOINT_URL": site.aws_url,
        "COGNITO_JWKS_URL": f"{site.aws_url}/{outputs['UserPoolId']}/.well-known/jwks.json",
        "COGNITO_DOMAIN_URL": site.aws_url,
    }


def _fill_secret(name: str) -> None:
    with translate_errors():
        content = clients.secrets_manager().get_secret_value(SecretId=name).get("SecretString")
    if content:
        return
    with translate_errors():
        clients.secrets_manager().put_secret_value(
            SecretId=name, SecretString=json.dumps({claims_items.KEY: Fernet.generate_key().decode()})
        )


def _register_identity_provider(pool_id: str, aws_url: str) -> None:
    # The stack of a stage has none either: there the City's own is set up in the pool by hand.
    details = {
        "client_id": next(persona.email for persona in PERSONAS if persona.is_sso),
        "client_secret": "the pretended directory wants none",
        "oidc_issuer": f"{aws_url}/_directory",
        "authorize_url": f"{aws_url}/_directory/authorize",
        "token_url": f"{aws_url}/_directory/token",
        "attributes_request_method": "GET",
        "authorize_scopes": "openid email",
    }
    mapping = {"email": "email"}
    try:
        with translate_errors(ResourceNotFoundException=NotFoundError):
            clients.cognito().update_identity_provider(
                UserPoolId=pool_id, ProviderName=DIRECTORY, ProviderDetails=details, AttributeMapping=mapping
            )
    except NotFoundError:
        with translate_errors():
            clients.cognito().create_identity_provider(
                UserPoolId=pool_id,
                ProviderName=DIRECTORY,
                ProviderType="OIDC",
                ProviderDetails=details,
                AttributeMapping=mapping,
            )
