"""
Builds the reference from the code (drf-spectacular). Only its generator and its pages import it.

Serializers and queries come from the views, examples and errors from the `reference` modules of the apps.
This module adds the failures of authentication, permissions, parsers and crashes. common.yaml has the texts
for all routes: the introduction, the error body and the headers of answers.
"""

from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import exceptions
from rest_framework.permissions import SAFE_METHODS, AllowAny

from apps.core import errors
from apps.core.http import problems
from apps.core.http.operation import Operation, operation_of
from apps.core.http.parsers import BodyTooLarge, JsonParser

Failure = tuple[int, str, str]  # status, code, message
REQUEST_ID = "5d1e3f8e9a1b4c7f8e2d3c4b5a697887"
COMMON = Path(__file__).with_name("common.yaml")
HEADERS_OF_STATUS = {"401": ("WWW-Authenticate",), "429": ("Retry-After",), "503": ("Retry-After",)}


class BearerToken(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes our authentication in the document."""

    target_class = "apps.auth.authentication.CognitoAuthentication"
    name = "idToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Return the scheme."""
        sign_in = " A browser that has signed in needs none." if settings.BROWSER_SIGN_IN else ""
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": f"An ID token of the Cognito user pool (not an access token).{sign_in}",
        }


class ChoiceListField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes a list of some of the known values."""

    target_class = "apps.core.http.serializers.ChoiceListField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """Return the schema."""
        return {
            "type": "array",
            "items": {"type": "string", "enum": list(self.target.values)},
            "minItems": 1,
            "uniqueItems": True,
        }


class StrictSerializer(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes a body that refuses unknown fields."""

    target_class = "apps.core.http.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """Return the schema."""
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # type: ignore[no-untyped-call]  # noqa: SLF001
        for name, field in self.target.fields.items():
            if field.style.get("ignored"):
                schema["properties"][name]["deprecated"] = True
        return {**schema, "additionalProperties": False}


class StrictCharField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes a string, which may be blank only if the field allows it."""

    target_class = "apps.core.http.serializers.StrictCharField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """Return the schema."""
        field = self.target
        if not field.allow_blank:
            return {"type": "string", "minLength": 1, **field.schema}
        if "minLength" not in field.schema:
            return {"type": "string", **field.schema}
        # drf-spectacular adds the largest length by itself, but only where "type" is "string".
        text = {"type": "string", **field.schema, "maxLength": field.max_length}
        return {"anyOf": [{"const": ""}, text]}


class MopedAutoSchema(AutoSchema):
    """Reads the views and `reference` modules, and adds the parts that all views have in common."""

    def get_operation_id(self) -> str:
        """Return the method and the path: `get_auth_current_user`."""
        words = [word for word in self.path.strip("/").replace("{", "").replace("}", "").split("/") if word]
        return "_".join([self.method.lower(), *(word.replace("-", "_") for word in words or ["root"])])

    def get_tags(self) -> list[str]:
        """Return the app's name."""
        return [type(self.view).__module__.split(".")[1]]

    def get_summary(self) -> str:
        """Return the first paragraph of the docstring, without Markdown."""
        return self._paragraphs()[0].removesuffix(".").replace("`", "")

    def get_description(self) -> str:  # type: ignore[override] # drf-spectacular's own shape
        """Return the text after the summary, or the summary if there is no other text."""
        return "\n\n".join(self._paragraphs()[1:] or self._paragraphs())

    def get_override_parameters(self) -> list[Any]:
        """Return the parameters of the path, and the query's serializer."""
        in_path = [
            OpenApiParameter(name, of_type, OpenApiParameter.PATH, required=True, description=description)
            for name, (of_type, description) in self._operation().path.items()
        ]
        return [*in_path, *filter(None, [self._query()])]

    def map_parsers(self) -> list[str]:
        """Return the only media type of bodies. The forms of the pages are not part of the interface."""
        return [JsonParser.media_type]

    def get_response_serializers(self) -> Any:
        """Return the answer and every failure."""
        operation = self._operation()
        answers: dict[Any, Any] = {
            operation.status: OpenApiResponse(
                self._answer(operation), description=HTTPStatus(operation.status).phrase
            )
        }
        failures = defaultdict(list)
        for status, code, message in sorted(set(self._failures())):
            failures[status].append((code, message))
        for status, reasons in failures.items():
            answers[status, problems.CONTENT_TYPE] = _problem_response(status, reasons)
        return answers

    def get_examples(self) -> list[OpenApiExample]:
        """Return the example bodies that the view declares."""
        operation = self._operation()
        examples = [
            OpenApiExample(
                "answer", operation.answer_example, response_only=True, status_codes=[operation.status]
            ),
            OpenApiExample("request", operation.body_example, request_only=True),
        ]
        return [example for example in examples if example.value is not None]

    def _operation(self) -> Operation:
        return operation_of(self.view, self.method)

    def _answer(self, operation: Operation) -> Any:
        if operation.answer or operation.status == HTTPStatus.NO_CONTENT:
            return operation.answer
        return super().get_response_serializers()

    def _has_body(self) -> bool:
        return self.method in {"POST", "PUT", "PATCH"}

    def _query(self) -> Any:
        return getattr(self.view, "query_serializer_class", None) if self.method == "GET" else None

    def _paragraphs(self) -> list[str]:
        """Return the docstring of the method, or of a view that inherits the method."""
        method = vars(type(self.view)).get(self.method.lower())
        text = (method.__doc__ if method else "") or type(self.view).__doc__ or ""
        return [" ".join(part.split()) for part in text.strip().split("\n\n")]

    def _failures(self) -> Iterator[Failure]:
        operation = self._operation()
        yield 500, "internal_error", problems.INTERNAL_ERROR_DETAIL
        yield 400, "bad_request", problems.BAD_REQUEST_DETAIL
        if "{" in self.path:  # a parameter may have characters that no route allows
            yield 404, "not_found", problems.NOT_FOUND_DETAIL
        yield from map(_moped_failure, operation.errors)
        if self._needs_caller():
            yield from self._authentication_failures()
        if self._query() or self._has_body():
            yield 400, "invalid", errors.InvalidError.message
        if self._has_body():
            yield from map(_drf_failure, (exceptions.ParseError, BodyTooLarge))
            yield 415, "unsupported_media_type", "Unsupported media type in request."
        if self.view.get_throttles():
            yield _drf_failure(exceptions.Throttled)

    def _needs_caller(self) -> bool:
        return not any(isinstance(permission, AllowAny) for permission in self.view.get_permissions())

    def _authentication_failures(self) -> Iterator[Failure]:
        yield 401, problems.TOKEN_MISSING, str(problems.HOW_TO_AUTHENTICATE)
        for guard in (*self.view.authentication_classes, *self.view.get_permissions()):
            yield from map(_moped_failure, getattr(guard, "errors", ()))
            if message := getattr(guard, "message", ""):
                yield 403, getattr(guard, "code", "permission_denied"), message
        if settings.BROWSER_SIGN_IN and self.method not in SAFE_METHODS:
            yield 403, "csrf_failed", "The CSRF token is missing or wrong."


def _moped_failure(error: type[errors.MopedError]) -> Failure:
    return int(problems.status_of(error())), error.code, error.message


def _drf_failure(error: type[exceptions.APIException]) -> Failure:
    return error.status_code, error.default_code, str(error.default_detail)


def _problem_response(status: int, reasons: list[tuple[str, str]]) -> OpenApiResponse:
    codes = sorted({code for code, _ in reasons})
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {
                "type": "object",
                "properties": {
                    # Not `const`, which openapi-python-client cannot merge with an integer.
                    "status": {"type": "integer", "enum": [status]},
                    "code": {"type": "string", "enum": codes},
                },
            },
        ]
    }
    examples = [
        OpenApiExample(
            code, problems.details(status, code, message, request_id=REQUEST_ID), status_codes=[status]
        )
        for code, message in dict(reasons).items()
    ]
    return OpenApiResponse(schema, description=problems.title(status), examples=examples)


def add_common(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Merge common.yaml into the document, and name the headers of every answer (a postprocessing hook)."""
    common = yaml.safe_load(COMMON.read_text(encoding="utf-8"))
    paragraphs = common["info"]["description"].strip().split("\n\n")
    common["info"]["description"] = "\n\n".join(" ".join(part.split()) for part in paragraphs)
    result["info"] |= common["info"]
    result |= {"servers": common["servers"], "tags": common["tags"]}
    result["components"]["headers"] = common["components"]["headers"]
    schemas = result["components"]["schemas"]
    for name, schema in common["components"]["schemas"].items():
        schemas[name] = schemas.get(name, {}) | schema
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                names = ("X-Request-ID", *HEADERS_OF_STATUS.get(status, ()))
                answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return result
