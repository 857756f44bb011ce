"""What a caller of a released API would notice if another were served in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Document = dict[str, Any]
# What may be brought must not shrink; by the keyword, whether more of it is less room.
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
    old_schemas, new_schemas = _Schemas(before), _Schemas(after)
    for path, operations in before["paths"].items():
        for method, old in operations.items():
            new = after["paths"].get(path, {}).get(method)
            name = f"{method.upper()} {path}"
            if new is None:
                yield f"{name}: removed"
            else:
                yield from (
                    f"{name}: {change}" for change in _of_operation(old, new, old_schemas, new_schemas)
                )


class _Schemas:
    """The schemas of one document, with what they refer to."""

    def __init__(self, document: Document) -> None:
        self._components = document.get("components", {}).get("schemas", {})

    def of(self, schema: Document | None) -> Document:
        """Return a schema without its reference, which may stand beside a description."""
        resolved = schema or {}
        while reference := resolved.get("allOf", [resolved])[0].get("$ref"):
            resolved = self._components[reference.rpartition("/")[2]]
        return resolved

    def of_body(self, body: Document | None) -> Document:
        """Return what a body or an answer holds."""
        return self.of((body or {}).get("content", {}).get("application/json", {}).get("schema"))


def _of_operation(old: Document, new: Document, before: _Schemas, after: _Schemas) -> Iterator[str]:
    if _is_closed(new) and not _is_closed(old):
        yield "newly asks for a token"
    yield from _of_parameters(old, new, before, after)
    bodies = before.of_body(old.get("requestBody")), after.of_body(new.get("requestBody"))
    yield from _taken(*bodies, before, after, "field ")
    for status in (status for status in old["responses"] if status < "400"):
        if status not in new["responses"]:
            yield f"no longer answers {status}"
        else:
            answers = before.of_body(old["responses"][status]), after.of_body(new["responses"][status])
            yield from (f"{status} {change}" for change in _given(*answers, before, after, ""))


def _is_closed(operation: Document) -> bool:
    return bool(operation.get("security")) and {} not in operation["security"]


def _of_parameters(old: Document, new: Document, before: _Schemas, after: _Schemas) -> Iterator[str]:
    old_parameters = {parameter["name"]: parameter for parameter in old.get("parameters", [])}
    new_parameters = {parameter["name"]: parameter for parameter in new.get("parameters", [])}
    yield from (f"parameter {name} removed" for name in sorted(old_parameters.keys() - new_parameters.keys()))
    for name, parameter in new_parameters.items():
        was = old_parameters.get(name, {})
        if parameter.get("required") and not was.get("required"):
            yield f"parameter {name} newly required"
        if was:
            schemas = before.of(was["schema"]), after.of(parameter["schema"])
            yield from _narrowed(*schemas, f"parameter {name}")


def _taken(old: Document, new: Document, before: _Schemas, after: _Schemas, at: str) -> Iterator[str]:
    """Yield what callers may no longer bring, or must bring now."""
    required = set(new.get("required", [])) - set(old.get("required", []))
    yield from (f"{at}{name} newly required" for name in sorted(required))
    removed = old.get("properties", {}).keys() - new.get("properties", {}).keys()
    yield from (f"{at}{name} no longer taken" for name in sorted(removed))
    for name, was, now in _common(old, new, before, after):
        yield from _narrowed(was, now, f"{at}{name}")
        yield from _taken(was, now, before, after, f"{at}{name}.")


def _narrowed(old: Document, new: Document, name: str) -> Iterator[str]:
    if removed := _types(old) - _types(new):
        yield f"{name} no longer taken as {' or '.join(sorted(removed))}"
    if new.get("enum") and (
        removed := set(map(str, old.get("enum", ["anything"]))) - set(map(str, new["enum"]))
    ):
        yield f"{name} no longer taken as {' or '.join(sorted(removed))}"
    for limit, more_is_less in LIMITS.items():
        if _tightened(old.get(limit), new.get(limit), more_is_less=more_is_less):
            yield f"{name} has another {limit}: {new[limit]}"


def _tightened(old: int | None, new: int | None, *, more_is_less: bool) -> bool:
    if new is None or old == new:
        return False
    return old is None or (new > old) == more_is_less


def _given(old: Document, new: Document, before: _Schemas, after: _Schemas, at: str) -> Iterator[str]:
    """Yield what callers no longer get, or get as something else."""
    removed = old.get("properties", {}).keys() - new.get("properties", {}).keys()
    yield from (f"no longer has {at}{name}" for name in sorted(removed))
    optional = set(old.get("required", [])) - set(new.get("required", [])) - removed
    yield from (f"may lack {at}{name}" for name in sorted(optional))
    for name, was, now in _common(old, new, before, after):
        if _types(was) and _types(now) - _types(was):
            yield f"has {at}{name} as {_said(now)} instead of {_said(was)}"
        yield from _given(was, now, before, after, f"{at}{name}.")


def _common(
    old: Document, new: Document, before: _Schemas, after: _Schemas
) -> Iterator[tuple[str, Document, Document]]:
    """Yield the members that both have, and the items of a list as `[]`."""
    new_properties = new.get("properties", {})
    for name, schema in old.get("properties", {}).items():
        if name in new_properties:
            yield name, before.of(schema), after.of(new_properties[name])
    if "items" in old and "items" in new:
        yield "[]", before.of(old["items"]), after.of(new["items"])


def _types(schema: Document) -> set[str]:
    types = schema.get("type", [])
    return {types} if isinstance(types, str) else set(types)


def _said(schema: Document) -> str:
    return " or ".join(sorted(_types(schema))) or "anything"
