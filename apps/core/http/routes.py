"""URL patterns with an optional trailing slash, and the list of routes for the pages."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.conf import _path  # type: ignore[attr-defined]
from django.urls.resolvers import RoutePattern


class SlashOptional(RoutePattern):
    """A route that matches with and without its trailing slash."""

    def match(self, path: str) -> tuple[str, tuple[Any, ...], dict[str, Any]] | None:
        """Match the sent path, else with a slash more or less. A captured part may end in a slash."""
        other = path[:-1] if path.endswith("/") else f"{path}/"
        return super().match(path) or super().match(other)


route = partial(_path, Pattern=SlashOptional)
"""Django's `path()` with an optional trailing slash."""


class Route(NamedTuple):
    """One route in the list that the pages show."""

    path: str
    methods: tuple[str, ...]
    name: str


def listing() -> tuple[Route, ...]:
    """Return every API route that has a name, in the order of the URL configuration."""
    return tuple(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[Route]:
    for pattern in patterns:
        path = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        elif pattern.name and (methods := _methods(pattern.callback)):
            yield Route(f"/{path}", methods, pattern.name)


def _methods(view: Any) -> tuple[str, ...]:
    """Return the methods of a view of DRF. The pages of a sign-in are plain Django views, without any."""
    view_class = getattr(view, "cls", None)
    names = getattr(view_class, "http_method_names", ())
    return tuple(
        name.upper() for name in names if name not in {"options", "head"} and hasattr(view_class, name)
    )
