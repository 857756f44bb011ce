"""Our settings with a plain Django view in place of everything else."""

from moped_api.settings import *  # noqa: F403

MIDDLEWARE = []
ROOT_URLCONF = "benchmarks.plain_django"
