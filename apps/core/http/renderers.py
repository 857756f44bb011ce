"""Representations: JSON by orjson, and the browsable page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer

from apps.core.http import problems, routes

if TYPE_CHECKING:
    from collections.abc import Mapping

CODE = re.compile(r"`([^`]+)`")
METHODS_WITH_BODY = ("POST", "PUT", "PATCH")


class JsonRenderer(BaseRenderer):
    """Compact JSON; a failure is announced as problem details (RFC 9457)."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the bytes; no data (204) is no bytes."""
        if data is None:
            return b""
        if not renderer_context:
            return orjson.dumps(data, default=str)
        response = renderer_context["response"]
        if response.exception:
            response["Content-Type"] = problems.CONTENT_TYPE
        indent = orjson.OPT_INDENT_2 if renderer_context.get("indent") else None
        return orjson.dumps(data, default=str, option=indent)


def paragraphs(text: str) -> list[SafeString]:
    """Return the paragraphs of a docstring as HTML, in which `code` is code."""
    joined = (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    return [mark_safe(CODE.sub(r"<code>\1</code>", escape(paragraph))) for paragraph in joined]  # noqa: S308 (escaped)


class PageRenderer(BrowsableAPIRenderer):
    """
    DRF's browsable API in our own dress: no inline script, so it lives under a strict policy.

    A view may name a page of its own in `page_template`.
    """

    template = "moped/api.html"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the page."""
        view = renderer_context["view"] if renderer_context else None
        self.template = getattr(view, "page_template", self.template)
        return super().render(data, accepted_media_type, renderer_context)

    def get_content(
        self,
        renderer: BaseRenderer,
        data: Any,
        accepted_media_type: str | None,
        renderer_context: Mapping[str, Any],
    ) -> str:
        """Return the body, indented for people."""
        content = renderer.render(data, accepted_media_type, {**renderer_context, "indent": 2})
        renderer_context["response"]["Content-Type"] = f"{self.media_type}; charset={self.charset}"
        return content.decode() if isinstance(content, bytes) else content

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return what the template shows; bodies are offered as raw JSON, as the routes take them."""
        view, request, response = (renderer_context[name] for name in ("view", "request", "response"))
        content = self.get_content(JsonRenderer(), data, accepted_media_type, renderer_context)
        return {
            "name": self.get_name(view),
            "description": paragraphs(view.get_view_description()),
            "content": content,
            "response": response,
            "methods_with_body": [name for name in view.allowed_methods if name in METHODS_WITH_BODY],
            "deletable": "DELETE" in view.allowed_methods,
            "routes": routes.listing(),
            "prefix": request.META["SCRIPT_NAME"],
            "request": request,
        }
