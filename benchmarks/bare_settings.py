"""Our settings without any middleware: the route alone, to be compared with Flask's route alone."""

from moped_api.settings import *  # noqa: F403

MIDDLEWARE = []
