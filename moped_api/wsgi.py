"""What Zappa and gunicorn serve."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moped_api.settings")
django.setup(set_prefix=False)

from apps.core.http.wsgi import Handler  # noqa: E402 (its imports need the settings)

application = Handler()
