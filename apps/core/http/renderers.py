"""JSON by orjson. The pages of browsers are in apps.reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from rest_framework.renderers import BaseRenderer

from apps.core.http import problems

if TYPE_CHECKING:
    from collections.abc import Mapping


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
