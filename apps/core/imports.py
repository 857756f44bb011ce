"""
Setting aside what libraries import and no request needs.

A library that imports a module for one function makes everyone pay for all of it: a cold start
spends half its time so. While such a library is imported, a placeholder stands for that module; it
forwards to the real one, which is imported when somebody first calls into it.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@contextmanager
def setting_aside(modules: Mapping[str, tuple[str, ...] | None]) -> Iterator[None]:
    """
    Let modules look imported for a while; those that really are stay as they are.

    :param modules: the functions and classes that importers take from each; None for one whose
        importers can do without it
    """
    aside = [name for name in modules if name not in sys.modules]
    for name in aside:
        members = modules[name]
        sys.modules[name] = _absent() if members is None else _placeholder(name, members)
    try:
        yield
    finally:
        for name in aside:
            del sys.modules[name]


def _absent() -> Any:
    return None  # what Python itself writes down for a module that must not be found


def _placeholder(name: str, members: tuple[str, ...]) -> ModuleType:
    placeholder = ModuleType(name)
    placeholder.__dict__.update({member: _forwarding(name, member) for member in members})
    return placeholder


def _forwarding(module: str, member: str) -> Callable[..., Any]:
    def forward(*args: Any, **kwargs: Any) -> Any:
        return getattr(import_module(module), member)(*args, **kwargs)

    return forward
