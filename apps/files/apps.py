"""File uploads and downloads."""

from django.apps import AppConfig


class FilesConfig(AppConfig):
    """Signatures for files. The files do not pass through this API."""

    name = "apps.files"
    label = "files"
