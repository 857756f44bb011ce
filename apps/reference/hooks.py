"""What the reference says once for all routes: how to begin, the error body, the headers of answers."""

from typing import Any

PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457), the body of every failure.",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "const": "about:blank", "description": "Always the same."},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer", "description": "The status of the answer."},
        "code": {"type": "string", "description": "The reason, for programs. It never changes its meaning."},
        "detail": {"type": "string", "description": "The reason, for people."},
        "error": {
            "type": "object",
            "description": (
                "Messages by field, absent where no field is at fault. A failed write under `/users/` always "
                "has it, because the City's editor shows messages beside fields only. A message that belongs "
                "to no field of the editor's form stands under `email`."
            ),
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "request_id": {"type": "string", "description": "Finds this request in the log."},
    },
}

HEADERS = {
    "X-Request-ID": {
        "description": "Finds this request in the log.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "The seconds to wait before the next try.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": (
            "Why the token is refused (RFC 6750). API Gateway renames it to "
            "`x-amzn-Remapped-WWW-Authenticate`."
        ),
        "schema": {"type": "string"},
    },
}
HEADERS_OF_STATUS = {"401": ("WWW-Authenticate",), "429": ("Retry-After",), "503": ("Retry-After",)}

INTRODUCTION = """
This API does what GraphQL cannot do for the City of Austin's mobility project database: it says who is
calling, manages staff accounts, and signs uploads and downloads of files.

**Call it.** Press *Sign in* above where there is such a button. Elsewhere paste an ID token of the user
pool under *Authorize*. Then open a route and press *Try it out* and *Execute*. `docs/calling.md` of the
repository says how to get a token.

**Errors.** Every failure has the same body, `Problem`. `code` is for programs, `detail` and `error` are for
people. Operators find the request in the log by `request_id`, which is also in the header `X-Request-ID`. A
failed write under `/users/` has a message under `error.email` when no other field of the editor's form
fits. A method that a route does not have is refused with 405 `method_not_allowed`. A gateway before this
API may refuse with 403, 413, 429, 503 or 504 in the same body.

**Limits.** Each caller may change accounts 60 times a minute and get 240 signatures for files a minute. All
callers together may send 100 requests a second. A body may have 64 kB, an upload 1,024 MB. Beyond a rate
the answer is 429, and `Retry-After` says how long to wait.

**Unknown input.** Unknown fields of a body are refused, so that a misspelt field is not lost. Unknown
parameters of a query are ignored.

**Two ids.** `user_id` in a path is the id of the account in Cognito, a UUID. In an answer it is called
`cognito_user_id`. The `user_id` of an answer is the number of the row in the database.

**Files.** A file goes up in two steps. `GET /files/request-signature` signs a form. Post all of its
`fields` to its `url`, and the file last. `GET /files/download/{key}` signs a link to the file. `key` is the
`filename` of the first answer.
"""


def add_introduction(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say how to begin (a postprocessing hook)."""
    paragraphs = INTRODUCTION.strip().split("\n\n")
    result["info"]["description"] = "\n\n".join(" ".join(part.split()) for part in paragraphs)
    return result


def add_schemas(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Put the error body among the components, and describe what has no class (a postprocessing hook)."""
    schemas = result["components"]["schemas"]
    schemas["Problem"] = PROBLEM
    schemas["RolesEnum"]["description"] = "A role. Each role may do more than the one before it."
    return result


def add_headers(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Name the headers of every answer (a postprocessing hook)."""
    result["components"]["headers"] = HEADERS
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                names = ("X-Request-ID", *HEADERS_OF_STATUS.get(status, ()))
                answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return result
