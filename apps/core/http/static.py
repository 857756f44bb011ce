"""URLs of static files."""

from django.contrib.staticfiles.storage import StaticFilesStorage
from django.urls import get_script_prefix


class PrefixedStaticFilesStorage(StaticFilesStorage):
    """
    Puts the prefix of the request before URLs, for example `/staging` at the gateway's own host name.

    Django itself adds a prefix to a relative STATIC_URL only once for each process.
    """

    def url(self, name: str | None) -> str:
        """Return the file's URL for the current request."""
        return get_script_prefix() + super().url(name).removeprefix("/")
