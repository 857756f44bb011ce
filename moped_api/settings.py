"""
The settings of all environments. Only this file reads environment variables.

A setting that differs between environments has no default: without its variable, the start fails
and names it. All defaults are safe. This file calls neither AWS nor a database.
"""

import os
from pathlib import Path

import dj_database_url
from django.core.management.utils import get_random_secret_key

from moped_api.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment(os.environ)

# ---- the stage --------------------------------------------------------------------------------
STAGE = env.text("MOPED_API_CURRENT_ENVIRONMENT")
VERSION = env.text("MOPED_API_VERSION", "1.0.0")
COMMIT = env.text("MOPED_API_COMMIT", "unknown")
# A stage that reads another stage's data and changes nothing (previews read staging's).
READ_ONLY = env.flag("MOPED_API_READ_ONLY", default=False)

# ---- sign-in: one Cognito user pool, several clients ------------------------------------------
AWS_REGION = env.text("AWS_DEFAULT_REGION")
COGNITO_REGION = env.text("COGNITO_REGION", AWS_REGION or "unset")
COGNITO_USER_POOL_ID = env.text("COGNITO_USERPOOL_ID")
COGNITO_CLIENT_IDS = env.items("COGNITO_APP_CLIENT_ID")
COGNITO_ISSUER = f"https://cognito-idp.{COGNITO_REGION}.amazonaws.com/{COGNITO_USER_POOL_ID}"
COGNITO_JWKS_URL = env.loopback_url("COGNITO_JWKS_URL") or f"{COGNITO_ISSUER}/.well-known/jwks.json"
# The domain whose addresses are the City's own staff (contract: the "valid user" rule).
STAFF_EMAIL_DOMAIN = "austintexas.gov"
SSO_USERNAME_PREFIX = "azuread_"

# How long a request may wait for all other services together. Lambda ends the function after 28 s, and
# botocore may sleep for two seconds between two attempts.
REQUEST_SECONDS = 20

# ---- AWS --------------------------------------------------------------------------------------
AWS_ENDPOINT_URL = env.loopback_url("AWS_ENDPOINT_URL")  # botocore reads it. Here it is only checked.
env.loopback_urls("AWS_ENDPOINT_URL_")  # the same, for one service
CLAIMS_TABLE = env.text("COGNITO_DYNAMO_TABLE_NAME")
CONFIGURATION_SECRET = env.text("MOPED_API_CONFIGURATION_SETTINGS")
UPLOADS_BUCKET = env.text("MOPED_API_UPLOADS_S3_BUCKET")

# ---- files: presigned forms and links ---------------------------------------------------------
UPLOAD_MAX_BYTES = env.number("MOPED_API_UPLOAD_MAX_MEGABYTES", 1024) * 1024**2  # the editor's own limit
UPLOAD_FORM_SECONDS = env.number("MOPED_API_UPLOAD_MINUTES", 30) * 60  # how long a signed form may be posted
DOWNLOAD_LINK_SECONDS = 60
UPLOADS_ENCRYPTION = env.text("MOPED_API_UPLOADS_ENCRYPTION", "")  # AES256 or aws:kms, if the bucket needs it
UPLOADS_PREFIX = env.prefix("MOPED_API_UPLOADS_PREFIX")  # of every key of this stage
# Older folders of the bucket. Their files may be downloaded if a row names them.
FILES_OLDER_FOLDERS = env.folders("MOPED_API_FILES_OLDER_PREFIXES")

# ---- the database behind Hasura: its tables in `public`, our own in `moped_api` (ADR 0007) -----
OWN_SCHEMA = "moped_api"
DATABASES = {
    "default": dj_database_url.parse(
        env.text("DATABASE_URL") or "postgresql:///missing",
        engine="apps.core.database.postgresql",
        conn_max_age=60,
        conn_health_checks=True,
        disable_server_side_cursors=True,  # a pooler does not keep them
    )
}
# A secret with `username` and `password`. New connections use these in place of DATABASE_URL's.
DATABASE_SECRET = env.text("MOPED_API_DATABASE_SECRET", "")
# PgBouncer or RDS Proxy is in between, and refuses the start-up parameter `options`.
DATABASE_POOLER = env.flag("MOPED_API_DATABASE_POOLER", default=False)
# Parameters of every session. Behind a pooler the database role has them (docs/database.md).
DATABASE_SESSION = {
    "search_path": f"{OWN_SCHEMA},public",
    "statement_timeout": "15s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "1min",
    "TimeZone": "UTC",
    **({"default_transaction_read_only": "on"} if READ_ONLY else {}),
}
DATABASES["default"].setdefault("OPTIONS", {}).update(
    connect_timeout=5,
    # Milliseconds until a connection ends if the server's kernel does not acknowledge sent data.
    tcp_user_timeout=10_000,
    # A container that Lambda froze or discarded must not keep its locks.
    keepalives_idle=30,
    keepalives_interval=10,
    keepalives_count=3,
)
if not DATABASE_POOLER:
    DATABASES["default"]["OPTIONS"]["options"] = " ".join(
        f"-c {name}={value}" for name, value in DATABASE_SESSION.items()
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The probes of `/health/ready`, by the names in its answer.
READINESS_PROBES = {
    "bucket": "apps.health.probes.uploads_bucket",
    "claims_table": "apps.health.probes.claims_table",
    "database": "apps.health.probes.database",
    "key_set": "apps.auth.tokens.key_cache.probe",
    "secrets": "apps.health.probes.secret",
}

# ---- browsers ---------------------------------------------------------------------------------
BROWSER_PAGES = env.flag(
    "MOPED_API_BROWSER_PAGES", default=False
)  # browsable API, needs requirements/staging
BROWSER_SIGN_IN = env.flag("MOPED_API_BROWSER_SIGN_IN", default=False)  # through the pool's hosted UI
# In a preview: the page of staging to which sign-ins return. The pool does not know previews (ADR 13).
SIGN_IN_RELAY = env.text("MOPED_API_SIGN_IN_RELAY", "")
COGNITO_DOMAIN_URL = env.text("COGNITO_DOMAIN_URL", None if BROWSER_SIGN_IN else "")
SECURE_COOKIES = env.flag("MOPED_API_SECURE_COOKIES", default=True)
COOKIE_PREFIX = "__Host-" if SECURE_COOKIES else ""
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if SECURE_COOKIES else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
CSRF_COOKIE_SECURE = SECURE_COOKIES
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "apps.core.http.problems.csrf_failure"

ALLOWED_HOSTS = list(env.items("MOPED_API_ALLOWED_HOSTS"))
CORS_ALLOWED_ORIGINS = [origin.rstrip("/") for origin in env.items("MOPED_API_CORS_ORIGINS", "")]
CORS_ALLOWED_ORIGIN_REGEXES = list(env.items("MOPED_API_CORS_ORIGIN_PATTERNS", ""))
CORS_ALLOW_HEADERS = list(
    env.items("MOPED_API_CORS_HEADERS", "accept, authorization, content-type, x-request-id")
)
CORS_ALLOW_METHODS = ["DELETE", "GET", "OPTIONS", "POST", "PUT"]  # those of our routes
CORS_PREFLIGHT_MAX_AGE = 3600  # seconds
CORS_URLS_REGEX = ""  # every path, also one with a line break
CORS_EXPOSE_HEADERS = [
    "X-Request-ID",
    "Retry-After",
    "WWW-Authenticate",
    "X-Amzn-Remapped-WWW-Authenticate",  # its name behind a REST API of API Gateway
]

# ---- logs -------------------------------------------------------------------------------------
LOG_LEVEL = env.text("MOPED_API_LOG_LEVEL", "INFO").upper()
LOG_HANDLERS = {
    "json": {"class": "logging.StreamHandler", "formatter": "json"},
    "text": {"class": "apps.devstack.console.ConsoleHandler"},  # not in the package
}
LOG_FORMAT = env.choice("MOPED_API_LOG_FORMAT", LOG_HANDLERS, "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "apps.core.logging.JsonFormatter"}},
    "handlers": {"console": LOG_HANDLERS[LOG_FORMAT]},
    "root": {"level": LOG_LEVEL, "handlers": ["console"]},
    "loggers": {
        # apps.core.http.middleware logs in place of the first two, apps.core.http.problems of the third.
        "django.request": {"level": "CRITICAL"},
        "django.server": {"level": "CRITICAL"},
        "django.security": {"level": "CRITICAL"},  # with a traceback for each caller's mistake
        "django": {"handlers": [], "level": "INFO"},
        "botocore": {"level": "WARNING"},  # INFO names the source of credentials at every start
    },
}

# ---- Django -----------------------------------------------------------------------------------
DEBUG = False  # in every environment: only the log may show a traceback
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # API Gateway serves only https, so a redirect is not needed
    "security.W021",  # the owners of the domain decide about HSTS preloading
    *(["security.W004", "security.W016"] if STAGE == "laptop" else []),  # a laptop has no https
]
SECRET_KEY = get_random_secret_key()  # it signs only values that end with the process
ROOT_URLCONF = "moped_api.urls"
WSGI_APPLICATION = "moped_api.wsgi.application"
APPEND_SLASH = False  # routes match both spellings (apps.core.http.routes)
USE_I18N = False
TIME_ZONE = "UTC"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024  # bytes of a body. Files do not pass through the API.

BROWSER_APPS = (
    "apps.reference",
    "django.contrib.staticfiles",
    "drf_spectacular",
    "drf_spectacular_sidecar",
)
INSTALLED_APPS = [
    *env.items("MOPED_API_EXTRA_APPS", ""),  # before staticfiles, whose runserver a laptop's app replaces
    "apps.core",
    "apps.auth",
    "apps.users",
    "apps.files",
    "rest_framework",
    "corsheaders",
    *(BROWSER_APPS if BROWSER_PAGES else ()),
]

MIDDLEWARE = [
    "apps.core.http.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "apps.core.http.middleware.CorsMiddleware",
    "apps.core.http.middleware.HostMiddleware",
    *(
        ["whitenoise.middleware.WhiteNoiseMiddleware", "apps.core.http.middleware.FormMethodMiddleware"]
        if BROWSER_PAGES
        else []
    ),
    *(
        ["apps.core.http.middleware.StrictCookiesMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
        if BROWSER_SIGN_IN
        else []
    ),
    *env.items("MOPED_API_EXTRA_MIDDLEWARE", ""),  # a laptop's. Like its apps it is not in the package.
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["apps.auth.browser.sign_in.page_context"]},
    }
]

STATIC_URL = "/static/"
STORAGES = {"staticfiles": {"BACKEND": "apps.core.http.static.PrefixedStaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True  # from the packages themselves, without collectstatic
WHITENOISE_AUTOREFRESH = STAGE == "laptop"  # otherwise an edited file is cut off at its old length

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",  # the counts of throttles, per process
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.auth.authentication.CognitoAuthentication",
        *(["apps.auth.authentication.CookieAuthentication"] if BROWSER_SIGN_IN else []),
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.auth.permissions.IsStaff"],
    "DEFAULT_RENDERER_CLASSES": [
        "apps.core.http.renderers.JsonRenderer",
        *(["apps.reference.renderers.PageRenderer"] if BROWSER_PAGES else []),
    ],
    "DEFAULT_PARSER_CLASSES": [
        "apps.core.http.parsers.JsonParser",
        *(["apps.core.http.parsers.HtmlFormParser"] if BROWSER_PAGES else []),
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "apps.core.http.negotiation.JSONByDefault",
    "EXCEPTION_HANDLER": "apps.core.http.problems.exception_handler",
    "DEFAULT_THROTTLE_RATES": {
        "writes": env.text("MOPED_API_WRITES_PER_CALLER", "60/min"),
        "signatures": env.text("MOPED_API_SIGNATURES_PER_CALLER", "240/min"),
        "sign_ins": env.text("MOPED_API_SIGN_INS_PER_ADDRESS", "30/min"),
    },
    "UNAUTHENTICATED_USER": "apps.auth.callers.Anonymous",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

if BROWSER_PAGES:
    REST_FRAMEWORK["DEFAULT_SCHEMA_CLASS"] = "apps.reference.openapi.MopedAutoSchema"
SPECTACULAR_SETTINGS = {
    "TITLE": "Moped API",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SCHEMA_PATH_PREFIX": "",
    "AUTHENTICATION_WHITELIST": ["apps.auth.authentication.CognitoAuthentication"],  # not the cookie
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.reference.openapi.add_common",
    ],
}

env.complete()
