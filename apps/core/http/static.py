"""URLs of static files."""

from django.contrib.staticfiles.storage import StaticFilesStorage
from django.urls import get_script_prefix


class PrefixedStaticFilesStorage(StaticFilesStorage):
    """
    Static files below the prefix of the request: `/staging` at the gateway's own host name.

    Django would add a prefix to a relative STATIC_URL once for each process, and keep it.
    """

    def url(self, name: str | None) -> str:
        """Return the file's URL for the request under way."""
        return get_script_prefix() + super().url(name).removeprefix("/")
