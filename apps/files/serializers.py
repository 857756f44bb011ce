"""What callers bring, checked for its shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from apps.files import ids, keys

if TYPE_CHECKING:
    from django.http import QueryDict

NO_PROJECT = frozenset({"", "0"})


class UploadSerializer(serializers.Serializer[Any]):
    """The query of a request for a signature; use `UPLOAD.run_validation(query)`."""

    file = serializers.CharField(
        source="file_name", trim_whitespace=False, help_text="The file's name, with its extension."
    )
    project_id = serializers.CharField(
        default="",
        allow_blank=True,
        trim_whitespace=False,
        help_text="The project's id; empty or 0 for a file of one's own.",
    )
    type = serializers.ChoiceField(keys.TYPES, source="kind", default="private")

    def to_internal_value(self, data: QueryDict) -> dict[str, Any]:
        """Refuse what is said twice, since two readers would choose differently, and check the rest."""
        repeated = {name: ["Say this once."] for name in map(str, self.fields) if len(data.getlist(name)) > 1}
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
            raise serializers.ValidationError("A project id is a positive whole number.")
        return project_id


# Checking changes nothing in it, and making one takes as long as a signature.
UPLOAD = UploadSerializer()
