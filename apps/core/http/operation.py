"""
What a view says of itself for the reference, beyond what its code already says.

Plain data, so that a stage which offers no reference does not pay for the generator;
apps.reference.openapi reads it. Its examples are tested against the running views.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.serializers import BaseSerializer

    from apps.core.errors import MopedError

View = TypeVar("View")


class Operation(NamedTuple):
    """One method of a view; its words come from the method's docstring."""

    answer: type[BaseSerializer[Any]] | dict[str, Any] | None = None
    status: int = 200
    query: type[BaseSerializer[Any]] | None = None
    body: type[BaseSerializer[Any]] | None = None
    errors: tuple[type[MopedError], ...] = ()
    answer_example: Any = None
    body_example: Any = None


def describe(**operations: Operation) -> Callable[[View], View]:
    """Attach operations by method name: `@describe(get=Operation(…))` over a view of either kind."""

    def attach(view: View) -> View:
        view_class: Any = getattr(view, "cls", view)
        view_class.operations = operations
        return view

    return attach
