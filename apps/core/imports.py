"""
Defer imports that libraries make but no request uses.

Such imports take half the time of a cold start. While the library is imported, a placeholder replaces the
module. It forwards calls to the real module, which is imported at the first call.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

Replacement = tuple[str, ...] | str | None


@contextmanager
def deferred(modules: Mapping[str, Replacement]) -> Iterator[None]:
    """
    Let modules look imported inside of the block. Imported modules stay as they are.

    :param modules: for each module, the functions and classes that importers use, or the name of a smaller
        module that has them too, or None if its importers work without it
    """
    replaced = [name for name in modules if name not in sys.modules]
    for name in replaced:
        sys.modules[name] = _placeholder(name, modules[name])  # type: ignore[assignment] # see _placeholder
    try:
        yield
    finally:
        for name in replaced:
            del sys.modules[name]


def _placeholder(name: str, replacement: Replacement) -> ModuleType | None:
    if replacement is None:
        return None  # `None` in `sys.modules` makes the import fail
    if isinstance(replacement, str):
        return import_module(replacement)
    placeholder = ModuleType(name)
    vars(placeholder).update({member: partial(_forward, name, member) for member in replacement})
    return placeholder


def _forward(module: str, member: str, /, *args: Any, **kwargs: Any) -> Any:
    return getattr(import_module(module), member)(*args, **kwargs)
