"""The answers, errors and examples of the health routes in the reference."""

from typing import Any

from apps.core.http.operation import Operation, Operations
from apps.health import probes, views


def _object_of_texts(**descriptions: str) -> dict[str, Any]:
    """Return the schema of an object of texts."""
    properties = {name: {"type": "string", "description": text} for name, text in descriptions.items()}
    return {"type": "object", "required": [*properties], "properties": properties}


STATUS = _object_of_texts(
    status="`live` or `ready`.",
    stage="The environment, for example `staging`.",
    version="The version of the API.",
    commit="The commit that runs.",
)
STATUS_EXAMPLE = {"stage": "staging", "version": "1.0.0", "commit": "3f64c53"}
MESSAGE = _object_of_texts(message="The words of the Flask API, and the time in UTC.")
MESSAGE_EXAMPLE = {"message": "MOPED API Available - Health Check - Available @ 2026-11-23 12:00:00"}

OPERATIONS: Operations = {
    views.LivenessView: {
        "get": Operation(answer=STATUS, answer_example={"status": "live", **STATUS_EXAMPLE})
    },
    views.ReadinessView: {
        "get": Operation(
            answer=STATUS,
            answer_example={"status": "ready", **STATUS_EXAMPLE},
            errors=(probes.NotReadyError,),
        )
    },
    views.HealthMessageView: {"get": Operation(answer=MESSAGE, answer_example=MESSAGE_EXAMPLE)},
}
