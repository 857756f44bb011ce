"""The answer and example of the OpenAPI document in the reference."""

from apps.core.http.operation import Operation, Operations
from apps.reference import views

OPERATIONS: Operations = {
    views.OpenAPIView: {
        "get": Operation(
            answer={
                "type": "object",
                "required": ["openapi", "info", "paths"],
                "properties": {
                    "openapi": {"type": "string", "description": "The version of OpenAPI."},
                    "info": {"type": "object", "description": "Title, version and introduction."},
                    "paths": {"type": "object", "description": "The operations, by path and method."},
                },
            },
            answer_example={
                "openapi": "3.1.0",
                "info": {"title": "Moped API", "version": "1.0.0"},
                "paths": {},
            },
        )
    }
}
