"""What the reference says of the health routes beyond their views."""

from apps.core.http.operation import Operation, Operations
from apps.health import probes, views

STATUS = {
    "type": "object",
    "required": ["status", "stage", "version", "commit"],
    "properties": {
        "status": {"type": "string", "description": "`live` or `ready`."},
        "stage": {"type": "string", "description": "The environment, for example `staging`."},
        "version": {"type": "string", "description": "The version of the API."},
        "commit": {"type": "string", "description": "The commit that runs."},
    },
}
STATUS_EXAMPLE = {"stage": "staging", "version": "1.0.0", "commit": "3f64c53"}
MESSAGE = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "message": {"type": "string", "description": "The words of the Flask API, and the time in UTC."}
    },
}
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
