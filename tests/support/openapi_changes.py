"""What a caller of a released API would notice if another were served in its place."""

from collections.abc import Iterator
from functools import reduce
from operator import getitem
from typing import Any

Document = dict[str, Any]
# Limits of what callers send. True: a larger number leaves them less room.
LIMITS = {
    "maxLength": False,
    "maximum": False,
    "maxItems": False,
    "minLength": True,
    "minimum": True,
    "minItems": True,
}


def breaking(before: Document, after: Document) -> Iterator[str]:
    """Yield `METHOD path: what` for each difference that can break a caller."""
    old_paths, new_paths = (_resolved(document["paths"], document) for document in (before, after))
    for path, operations in old_paths.items():
        for method, old in operations.items():
            new = new_paths.get(path, {}).get(method)
            changes = ("removed",) if new is None else _of_operation(old, new)
            yield from (f"{method.upper()} {path}: {change}" for change in changes)


def _resolved(node: Any, document: Document) -> Any:
    """Return a part of a document with the parts that it refers to. A description may stand beside one."""
    if isinstance(node, list):
        return [_resolved(each, document) for each in node]
    if not isinstance(node, dict):
        return node
    if reference := node.get("allOf", [node])[0].get("$ref"):
        return _resolved(reduce(getitem, reference.split("/")[1:], document), document)
    return {name: _resolved(each, document) for name, each in node.items()}


def _of_operation(old: Document, new: Document) -> Iterator[str]:
    if _is_closed(new) and not _is_closed(old):
        yield "newly asks for a token"
    yield from _of_parameters(old, new)
    yield from _taken(_schema(old.get("requestBody")), _schema(new.get("requestBody")), "field ")
    for status in (status for status in old["responses"] if status < "400"):
        if status not in new["responses"]:
            yield f"no longer answers {status}"
        else:
            answers = _schema(old["responses"][status]), _schema(new["responses"][status])
            yield from (f"{status} {change}" for change in _given(*answers, ""))


def _schema(body: Document | None) -> Document:
    """Return what a body or an answer holds."""
    schema: Document = (body or {}).get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _is_closed(operation: Document) -> bool:
    return bool(operation.get("security")) and {} not in operation["security"]


def _of_parameters(old: Document, new: Document) -> Iterator[str]:
    old_parameters, new_parameters = (
        {parameter["name"]: parameter for parameter in operation.get("parameters", [])}
        for operation in (old, new)
    )
    yield from (f"parameter {name} removed" for name in sorted(old_parameters.keys() - new_parameters.keys()))
    for name, parameter in new_parameters.items():
        was = old_parameters.get(name, {})
        if parameter.get("required") and not was.get("required"):
            yield f"parameter {name} newly required"
        if was:
            yield from _narrowed(was["schema"], parameter["schema"], f"parameter {name}")


def _taken(old: Document, new: Document, at: str) -> Iterator[str]:
    """Yield what callers may no longer send, or must send now."""
    required = set(new.get("required", [])) - set(old.get("required", []))
    yield from (f"{at}{name} newly required" for name in sorted(required))
    removed = old.get("properties", {}).keys() - new.get("properties", {}).keys()
    yield from (f"{at}{name} no longer taken" for name in sorted(removed))
    for name, was, now in _common(old, new):
        yield from _narrowed(was, now, f"{at}{name}")
        yield from _taken(was, now, f"{at}{name}.")


def _narrowed(old: Document, new: Document, name: str) -> Iterator[str]:
    removed = _types(old) - _types(new)
    if new.get("enum"):
        removed |= set(map(str, old.get("enum", ["anything"]))) - set(map(str, new["enum"]))
    if removed:
        yield f"{name} no longer taken as {' or '.join(sorted(removed))}"
    for limit, larger_is_less in LIMITS.items():
        was, now = old.get(limit), new.get(limit)
        if now not in {None, was} and (was is None or (now > was) == larger_is_less):
            yield f"{name} has another {limit}: {now}"


def _given(old: Document, new: Document, at: str) -> Iterator[str]:
    """Yield what callers no longer get, or get as something else."""
    removed = old.get("properties", {}).keys() - new.get("properties", {}).keys()
    yield from (f"no longer has {at}{name}" for name in sorted(removed))
    optional = set(old.get("required", [])) - set(new.get("required", [])) - removed
    yield from (f"may lack {at}{name}" for name in sorted(optional))
    for name, was, now in _common(old, new):
        if _types(was) and _types(now) - _types(was):
            old_types, new_types = (" or ".join(sorted(_types(each))) for each in (was, now))
            yield f"has {at}{name} as {new_types} instead of {old_types}"
        yield from _given(was, now, f"{at}{name}.")


def _common(old: Document, new: Document) -> Iterator[tuple[str, Document, Document]]:
    """Yield the members that both have, and the items of a list as `[]`."""
    new_properties = new.get("properties", {})
    for name, schema in old.get("properties", {}).items():
        if name in new_properties:
            yield name, schema, new_properties[name]
    if "items" in old and "items" in new:
        yield "[]", old["items"], new["items"]


def _types(schema: Document) -> set[str]:
    types = schema.get("type", [])
    return {types} if isinstance(types, str) else set(types)
