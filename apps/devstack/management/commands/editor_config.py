"""`manage.py editor_config`, or `make editor-config` (docs/editor.md)."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand

from apps.core.errors import MopedError
from apps.devstack import persona_tokens
from apps.devstack.errors import DevstackError
from apps.devstack.provision import EDITOR_SIGN_IN

CONFIGURATION = """\
VITE_APP_ENV=local
VITE_API_ENDPOINT={api}
VITE_AWS_COGNITO_REGION={region}
VITE_AWS_COGNITO_USER_POOL_ID={pool}
VITE_AWS_COGNITO_APP_CLIENT_ID={client}
VITE_AWS_COGNITO_DOMAIN={domain}
VITE_AWS_COGNITO_REDIRECT_SIGN_IN={sign_in}
VITE_AWS_COGNITO_REDIRECT_SIGN_OUT={sign_in}
# In Amplify.configure, below Auth:
#   endpoint: "{endpoint}",
"""


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Print what the City's editor needs to use the API that runs here."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            callback_url = persona_tokens.callback_url()
        except MopedError as error:
            raise DevstackError(
                f"Nothing answers at {settings.AWS_ENDPOINT_URL}. Start it with `make run`."
            ) from error
        configuration = CONFIGURATION.format(
            api=callback_url.removesuffix("/auth/callback"),
            region=settings.COGNITO_REGION,
            pool=settings.COGNITO_USER_POOL_ID,
            client=settings.COGNITO_CLIENT_IDS[0],
            domain=settings.COGNITO_DOMAIN_URL.partition("://")[2],
            sign_in=EDITOR_SIGN_IN,
            endpoint=settings.AWS_ENDPOINT_URL,
        )
        self.stdout.write(configuration, ending="")
