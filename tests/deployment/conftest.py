"""The package, built once and unpacked as Lambda does."""

from pathlib import Path

import pytest

from apps.deployment.package import builder, interpreter
from apps.deployment.package.interpreter import target_of_file
from tests.support import lambda_runtime

VARIABLES = {
    "MOPED_API_CURRENT_ENVIRONMENT": "staging",
    "MOPED_API_ALLOWED_HOSTS": ".amazonaws.com,api.example",
    "MOPED_API_CONFIGURATION_SETTINGS": "configuration",
    "MOPED_API_UPLOADS_S3_BUCKET": "uploads",
    "COGNITO_DYNAMO_TABLE_NAME": "claims",
    "COGNITO_USERPOOL_ID": "us-east-1_TESTPOOL1",
    "COGNITO_APP_CLIENT_ID": "test-client-1",
    "DATABASE_URL": "postgresql://unknown@127.0.0.1:9/nothing",
}


@pytest.fixture(scope="session")
def built() -> builder.Package:
    return builder.build("production")


@pytest.fixture(scope="session")
def runtime_python() -> Path:
    return interpreter.find(target_of_file().python)


@pytest.fixture(scope="session")
def task(built: builder.Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lambda_runtime.unpacked(built.path, tmp_path_factory.mktemp("task"))


@pytest.fixture(scope="session")
def lambda_python() -> Path:
    return lambda_runtime.python()
