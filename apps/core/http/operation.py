"""
Descriptions of methods for the reference and the pages, beyond what the views say.

Each app may have a module `reference` with a variable `OPERATIONS`. Only pages and the reference import it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from rest_framework.serializers import BaseSerializer

from apps.core.errors import MopedError

if TYPE_CHECKING:
    from rest_framework.views import APIView


class Operation(NamedTuple):
    """One method of a view. Without `answer`, the view's serializer describes the answer."""

    answer: type[BaseSerializer[Any]] | dict[str, Any] | None = None
    status: int = 200
    errors: tuple[type[MopedError], ...] = ()
    answer_example: Any = None
    body_example: Any = None
    path: Mapping[str, tuple[type[Any], str]] = MappingProxyType({})
    """The types and descriptions of the path's parameters, by name."""
    row: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """Return the columns that a page shows for one object in a list."""
    links: Callable[[Mapping[str, Any]], dict[str, str]] | None = None
    """Return the links that a page shows for an object of the answer: their URLs, by text."""
    confirm: str = ""
    """A question before the request is sent: a format string for the object of the page."""
    check: Callable[[Mapping[str, Any], Any], None] | None = None
    """Raise the error that the service would raise for this object of the page and this caller."""
    connect: Callable[[], str] | None = None
    """Return an origin that the page's script may call, in addition to ours."""


Operations = Mapping[type[Any], Mapping[str, Operation]]
"""Operations by view class and method."""


def operation_of(view: APIView, method: str) -> Operation:
    """Return the operation of a view's method, or that of the nearest base class."""
    for view_class in type(view).__mro__:
        operations = _operations(view_class.__module__).get(view_class, {})
        if method.lower() in operations:
            return operations[method.lower()]
    return Operation()


def _operations(module: str) -> Operations:
    name = f"{'.'.join(module.split('.')[:2])}.reference"
    if not module.startswith("apps.") or not find_spec(name):
        return {}
    operations: Operations = import_module(name).OPERATIONS
    return operations
