"""Request bodies: JSON objects of a bounded size, and the forms of the browsable pages."""

import io
from collections.abc import Mapping
from typing import IO, Any

import msgspec
from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser, FormParser

# A page's form adds these to the fields of the body: the method, a whole body as JSON, the CSRF token.
FORM_METHOD, FORM_CONTENT, FORM_CSRF_TOKEN = "_method", "_content", "csrfmiddlewaretoken"


class BodyTooLarge(APIException):
    """The body is larger than any route of this API needs."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_large"
    default_detail = "The body is too large."


class JsonParser(BaseParser):
    """Parses a JSON object, and refuses all other JSON."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """
        Return the object.

        :raises BodyTooLarge: if it is larger than DATA_UPLOAD_MAX_MEMORY_SIZE
        :raises ParseError: if it is not JSON, or not an object
        """
        body = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise BodyTooLarge
        try:
            data = msgspec.json.decode(body)
        except (ValueError, RecursionError) as error:
            raise ParseError("The body is not valid JSON.") from error
        if not isinstance(data, dict):
            raise ParseError("The body must be a JSON object.")
        return data


class HtmlFormParser(FormParser):
    """
    Parses the form of a page: its fields, or the JSON in its field `_content`.

    Pages work without JavaScript, and a form cannot send JSON.
    """

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """
        Return the fields of the body, without `_method` and the CSRF token.

        :raises ParseError: if `_content` is not a JSON object
        """
        fields = super().parse(stream, media_type, parser_context).copy()
        if FORM_CONTENT in fields:
            return JsonParser().parse(io.BytesIO(str(fields[FORM_CONTENT]).encode()))
        for name in (FORM_METHOD, FORM_CSRF_TOKEN):
            fields.pop(name, None)
        return fields
