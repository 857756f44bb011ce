"""The renderer for JSON. apps.reference has the one for browser pages."""

from collections.abc import Mapping
from typing import Any

import msgspec
from rest_framework.renderers import BaseRenderer

from apps.core.http import problems


class JsonRenderer(BaseRenderer):
    """Renders compact JSON. Failures get the content type of problem details (RFC 9457)."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the JSON as bytes, or no bytes if there are no data (204)."""
        if data is None:
            return b""
        body = msgspec.json.encode(data, enc_hook=str)
        if not renderer_context:
            return body
        response = renderer_context["response"]
        if response.exception:
            response["Content-Type"] = problems.CONTENT_TYPE
        return msgspec.json.format(body, indent=2) if renderer_context.get("indent") else body
