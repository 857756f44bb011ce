"""Input and output shapes of the file routes."""

from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from apps.files import ids, keys

NO_PROJECT = frozenset({"", "0"})
NO_PROJECT_ID = "A project id is a positive whole number."


class UploadSerializer(serializers.Serializer[Any]):
    """The query of a request for a signature; use `UPLOAD.run_validation(query)`."""

    file = serializers.CharField(
        source="file_name", trim_whitespace=False, help_text="The file's name, with its extension."
    )
    project_id = serializers.RegexField(
        rf"^(0|{ids.DECIMAL.pattern})$",
        default="0",
        allow_blank=True,
        trim_whitespace=False,
        help_text="The project's id. Empty or 0 if the file belongs to no project.",
        error_messages={"invalid": NO_PROJECT_ID},
    )
    type = serializers.ChoiceField(
        keys.TYPES, source="kind", default="private", help_text="The first folder of the key."
    )

    def to_internal_value(self, data: QueryDict) -> dict[str, Any]:
        """Refuse repeated parameters, because two parsers would choose differently, and validate the rest."""
        repeated = {
            name: ["Send this parameter once."]
            for name in map(str, self.fields)
            if len(data.getlist(name)) > 1
        }
        if repeated:
            raise serializers.ValidationError(repeated)
        checked: dict[str, Any] = super().to_internal_value(data.dict())
        return checked

    def validate_project_id(self, value: str) -> int | None:
        """Return the id of a project, or None for none."""
        if value in NO_PROJECT:
            return None
        project_id = ids.parse(value)
        if project_id is None:
            raise serializers.ValidationError(NO_PROJECT_ID)
        return project_id


# It has no state, and creating one takes as long as a signature.
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
