"""Serializers of the file routes."""

from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from apps.files import keys


class UploadSerializer(serializers.Serializer[Any]):
    """The query of a request for a signature. Use `UPLOAD.run_validation(query)`."""

    file = serializers.CharField(
        source="file_name", trim_whitespace=False, help_text="The file's name, with its extension."
    )
    project_id = serializers.RegexField(
        rf"^(0|{keys.ID.pattern})\Z",
        default="0",
        allow_blank=True,
        trim_whitespace=False,
        help_text="The project's id. Empty or 0 if the file belongs to no project.",
        error_messages={"invalid": "A project id is a positive whole number."},
    )
    type = serializers.ChoiceField(
        keys.TYPES, source="kind", default="private", help_text="The first folder of the key."
    )

    def to_internal_value(self, data: QueryDict) -> dict[str, Any]:
        """Refuse a parameter that is sent twice, since two programs may read two different values."""
        repeated = [name for name, texts in data.lists() if name in self.fields and len(texts) > 1]
        if repeated:
            raise serializers.ValidationError({name: ["Send this parameter once."] for name in repeated})
        values: dict[str, Any] = super().to_internal_value(data.dict())
        return values

    def validate_project_id(self, value: str) -> int | None:
        """Return the project's id, or None for no project."""
        return int(value or 0) or None


# Shared, because it has no state and its creation takes as long as two signatures.
UPLOAD = UploadSerializer()


class CredentialsSerializer(serializers.Serializer[Any]):
    """The fields that a browser posts, and the URL."""

    url = serializers.URLField(help_text="Where to post the form.")
    fields = serializers.DictField(  # type: ignore[assignment] # the editor's name
        child=serializers.CharField(), help_text="The fields of the form, by name. Post all of them."
    )


class UploadFormSerializer(serializers.Serializer[Any]):
    """A signed upload."""

    credentials = CredentialsSerializer(help_text="The form.")
    filename = serializers.CharField(help_text="The file's key, as in the fields.")
    message = serializers.CharField(help_text="Always `permission granted`.")
    status = serializers.CharField(help_text="Always `success`.")


class DownloadLinkSerializer(serializers.Serializer[Any]):
    """A signed download."""

    download_url = serializers.URLField(help_text="The signed link, valid for a minute.")
    message = serializers.CharField(help_text="Always `success`.")
    status = serializers.CharField(help_text="Always `success`.")
