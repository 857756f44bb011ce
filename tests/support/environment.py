"""The environment of the tests, whatever the developer's shell says."""

import os

from apps.deployment.settings.variables import laptop_values
from apps.devstack import environment as laptop

REGION = laptop.REGION
POOL = f"{REGION}_TESTPOOL1"
# Port 9 is "discard": nothing listens there, so an unexpected call fails at once.
NOTHING = "http://127.0.0.1:9"
VARIABLES = {
    **laptop_values(NOTHING),
    **laptop.EMBEDDED_AWS,
    laptop.STAGE_VARIABLE: "test",
    "MOPED_API_SECURE_COOKIES": "true",
    "MOPED_API_ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
    "MOPED_API_CORS_ORIGINS": "https://moped.example",
    "MOPED_API_CORS_ORIGIN_PATTERNS": "",
    "DJANGO_SETTINGS_MODULE": laptop.SETTINGS,
    "MOPED_API_EXTRA_MIDDLEWARE": "",
    "MOPED_API_LOG_FORMAT": "json",
    "MOPED_API_LOG_LEVEL": "INFO",
    "COGNITO_REGION": REGION,
    "COGNITO_USERPOOL_ID": POOL,
    "COGNITO_APP_CLIENT_ID": "test-client-1,test-client-2",
    "COGNITO_JWKS_URL": f"{NOTHING}/{POOL}/.well-known/jwks.json",
    "COGNITO_DYNAMO_TABLE_NAME": "test-claims",
    "MOPED_API_CONFIGURATION_SETTINGS": "test-configuration",
    "MOPED_API_UPLOADS_S3_BUCKET": "test-uploads",
}


def apply(database_url: str) -> None:
    """Give this process the environment of the tests. A `DATABASE_URL` that is there stays."""
    laptop.remove_variables("AWS_")
    if "DATABASE_URL" not in os.environ:
        laptop.remove_variables("PG")
    laptop.bypass_proxy()
    os.environ.update(VARIABLES)
    os.environ.setdefault("DATABASE_URL", database_url)
