"""
Every environment variable of the API in one table, and docs/settings.md, which is made from it.

    python -m apps.deployment.settings.variables

`moped_api/settings.py` reads the variables and has their defaults. A new variable is one line here
and one line there.
"""

import ast
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from apps.deployment.paths import PROJECT

SETTINGS = PROJECT / "moped_api" / "settings.py"
DOCUMENT = PROJECT / "docs" / "settings.md"


class Variable(NamedTuple):
    """
    One environment variable.

    :param output: the output of a stage's stack (infrastructure/moped-api.yaml) that provides the value
    :param laptop: the value on a laptop before `make run`, with EMULATOR for the emulator's URL
    """

    name: str
    meaning: str
    output: str = ""
    laptop: str | None = None


VARIABLES = (
    Variable("MOPED_API_CURRENT_ENVIRONMENT", "The name of the stage.", laptop="laptop"),
    Variable("MOPED_API_VERSION", "The version that the health routes and the reference show."),
    Variable("MOPED_API_COMMIT", "The commit that the health routes show."),
    Variable("MOPED_API_READ_ONLY", "Whether the stage may not change accounts (previews)."),
    Variable("MOPED_API_EXTRA_APPS", "More Django apps.", laptop="apps.devstack,apps.deployment"),
    Variable("MOPED_API_EXTRA_MIDDLEWARE", "More middleware.", laptop="apps.devstack.pages.LaptopMiddleware"),
    Variable("MOPED_API_LOG_FORMAT", "`json`, or `text` for people.", laptop="text"),
    Variable("MOPED_API_LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR."),
    Variable("AWS_DEFAULT_REGION", "The region of all services. Lambda sets it."),
    Variable("AWS_ENDPOINT_URL", "An emulator on this machine.", laptop="EMULATOR"),
    Variable("AWS_ENDPOINT_URL_", "The same for one service, whose name follows."),
    Variable("COGNITO_REGION", "The region of the user pool, by default `AWS_DEFAULT_REGION`."),
    Variable("COGNITO_USERPOOL_ID", "The user pool.", "UserPoolId", "us-east-1_NOTYETMADE"),
    Variable("COGNITO_APP_CLIENT_ID", "The pool's clients whose tokens count.", "ClientId", "not-yet-made"),
    Variable("COGNITO_DOMAIN_URL", "The hosted UI. Required with browser sign-in.", "DomainUrl", "EMULATOR"),
    Variable(
        "COGNITO_JWKS_URL",
        "The key set of an emulator on this machine.",
        laptop="EMULATOR/us-east-1_NOTYETMADE/.well-known/jwks.json",
    ),
    Variable("COGNITO_DYNAMO_TABLE_NAME", "The claims table.", "ClaimsTable", "not-yet-made"),
    Variable(
        "MOPED_API_CONFIGURATION_SETTINGS",
        "The secret with the Fernet keys of the claims.",
        "ConfigurationSecret",
        "not-yet-made",
    ),
    Variable("DATABASE_URL", "PostgreSQL behind Hasura, without a password on a stage.", "DatabaseUrl"),
    Variable("MOPED_API_DATABASE_SECRET", "The secret with `username` and `password`.", "DatabaseSecret"),
    Variable(
        "MOPED_API_DATABASE_POOLER",
        "Whether the database is behind RDS Proxy or PgBouncer ([database.md](database.md)).",
    ),
    Variable("MOPED_API_UPLOADS_S3_BUCKET", "The bucket of the files.", "UploadsBucket", "not-yet-made"),
    Variable("MOPED_API_UPLOADS_PREFIX", "The folder of the bucket below which all keys are."),
    Variable("MOPED_API_UPLOADS_ENCRYPTION", "`AES256` or `aws:kms`, if the bucket requires it."),
    Variable("MOPED_API_UPLOAD_MAX_MEGABYTES", "The largest file."),
    Variable("MOPED_API_UPLOAD_MINUTES", "How long an upload form is valid."),
    Variable("MOPED_API_FILES_OLDER_PREFIXES", "Older folders whose files may be downloaded."),
    Variable("MOPED_API_ALLOWED_HOSTS", "The host names of the API.", laptop="127.0.0.1,localhost"),
    Variable("MOPED_API_CORS_ORIGINS", "Origins that may call the API.", laptop="https://localhost:3000"),
    Variable("MOPED_API_CORS_ORIGIN_PATTERNS", "Regular expressions for more origins."),
    Variable("MOPED_API_CORS_HEADERS", "Headers that these origins may send."),
    Variable("MOPED_API_BROWSER_PAGES", "Whether there are pages and `/docs/`.", laptop="true"),
    Variable("MOPED_API_BROWSER_SIGN_IN", "Whether a browser can sign in.", laptop="true"),
    Variable("MOPED_API_SIGN_IN_RELAY", "The page of staging that signs a browser in on a preview."),
    Variable("MOPED_API_SECURE_COOKIES", "Whether cookies need https.", laptop="false"),
    Variable("MOPED_API_WRITES_PER_CALLER", "Rate limit of writes."),
    Variable("MOPED_API_SIGNATURES_PER_CALLER", "Rate limit of signatures."),
    Variable("MOPED_API_SIGN_INS_PER_ADDRESS", "Rate limit of browser sign-ins of one IP address."),
)


def from_outputs(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the variables whose values a stack provides."""
    return {variable.name: outputs[variable.output] for variable in VARIABLES if variable.output in outputs}


def of_laptop(emulator_url: str) -> dict[str, str]:
    """Return the values on a laptop before `make run`."""
    values = {variable.name: variable.laptop for variable in VARIABLES}
    return {
        name: value.replace("EMULATOR", emulator_url) for name, value in values.items() if value is not None
    }


def readers() -> Iterator[tuple[str, str, str | None]]:
    """Yield each variable that the settings read, its setting and its default (None if required)."""
    for statement in ast.parse(SETTINGS.read_text(encoding="utf-8")).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        for call in ast.walk(statement):
            if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("env.") and call.args:
                yield ast.literal_eval(call.args[0]), ", ".join(map(ast.unparse, targets)), _default(call)


HEADING = """# Settings

See which variables are missing or wrong:

```sh
python manage.py check
```

A stage gets the values in the column *stack output* from its CloudFormation stack. Write the others
into `aws_environment_variables` of `zappa_settings.json`. On a laptop, `.env` overrides the last
column (`.env.example`).

`python -m apps.deployment.settings.variables` writes this page.

| variable | meaning | default | setting | stack output | laptop, before `make run` |
|---|---|---|---|---|---|
"""


def document() -> str:
    """Return docs/settings.md."""
    defaults = {name: (setting, default) for name, setting, default in readers()}
    laptop = of_laptop("http://127.0.0.1:4566")
    rows = []
    for name, meaning, output, _ in VARIABLES:
        setting, default = defaults[name]
        codes = (_code(text) for text in (setting, output, laptop.get(name, "")))
        cells = (_code(name), meaning, "**required**" if default is None else _code(default), *codes)
        rows.append(f"| {' | '.join(cells)} |".replace("  ", " "))
    return HEADING + "\n".join([*rows, ""])


def _default(call: ast.Call) -> str | None:
    """Return the default of a reader: None if it requires a value, "" if the default is empty or computed."""
    arguments = [*call.args[1:], *(keyword.value for keyword in call.keywords)]
    if not arguments:
        return None if ast.unparse(call.func) in {"env.text", "env.items", "env.number", "env.flag"} else ""
    value = arguments[0].value if isinstance(arguments[0], ast.Constant) else ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
