"""What a caller of a released API would notice if another were served in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Document = dict[str, Any]


def breaking(before: Document, after: Document) -> Iterator[str]:
    """Yield `METHOD path: what` for each difference that can break a caller."""
    for path, operations in before["paths"].items():
        for method, old in operations.items():
            new = after["paths"].get(path, {}).get(method)
            name = f"{method.upper()} {path}"
            if new is None:
                yield f"{name}: removed"
            else:
                yield from (f"{name}: {what}" for what in _of_operation(old, new, before, after))


def _of_operation(old: Document, new: Document, before: Document, after: Document) -> Iterator[str]:
    yield from _of_parameters(old, new)
    yield from _of_body(_json(old.get("requestBody"), before), _json(new.get("requestBody"), after))
    for status in (status for status in old["responses"] if status < "400"):
        if status not in new["responses"]:
            yield f"no longer answers {status}"
        else:
            yield from _of_answer(
                _json(old["responses"][status], before), _json(new["responses"][status], after), status
            )


def _of_parameters(old: Document, new: Document) -> Iterator[str]:
    known = {parameter["name"] for parameter in old.get("parameters", [])}
    kept = {parameter["name"] for parameter in new.get("parameters", [])}
    yield from (f"parameter {name} removed" for name in sorted(known - kept))
    for parameter in new.get("parameters", []):
        if parameter.get("required") and parameter["name"] not in known:
            yield f"parameter {parameter['name']} newly required"


def _of_body(old: Document, new: Document) -> Iterator[str]:
    required = set(new.get("required", [])) - set(old.get("required", []))
    yield from (f"field {name} newly required" for name in sorted(required))
    removed = old.get("properties", {}).keys() - new.get("properties", {}).keys()
    yield from (f"field {name} no longer taken" for name in sorted(removed))


def _of_answer(old: Document, new: Document, status: str) -> Iterator[str]:
    removed = old.get("properties", {}).keys() - new.get("properties", {}).keys()
    yield from (f"{status} no longer has {name}" for name in sorted(removed))
    for name in old.get("properties", {}).keys() & new.get("properties", {}).keys():
        types = [schema["properties"][name].get("type") for schema in (old, new)]
        if types[0] != types[1]:
            yield f"{status} has {name} as {types[1]} instead of {types[0]}"


def _json(body: Document | None, document: Document) -> Document:
    schema: Document = (body or {}).get("content", {}).get("application/json", {}).get("schema", {})
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema
