"""The reference as the code makes it, and every operation in it."""

from apps.reference import views

DOCUMENT = views.openapi_document()
OPERATIONS = [
    (method, path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
IDS = [f"{method} {path}" for method, path, _ in OPERATIONS]
