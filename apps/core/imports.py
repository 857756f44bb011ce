"""
Defer imports that libraries make but no request uses.

Such imports take half the time of a cold start. While the library is imported, a placeholder stands for the
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
    Let modules look imported for a while; those that really are stay as they are.

    :param modules: the functions and classes that importers take from each; or the name of a lighter
        module that has them too; or None for one that its importers can do without
    """
    aside = [name for name in modules if name not in sys.modules]
    for name in aside:
        sys.modules[name] = _standing_in(name, modules[name])  # type: ignore[assignment] # None: see there
    try:
        yield
    finally:
        for name in aside:
            del sys.modules[name]


def _standing_in(name: str, stand: Replacement) -> ModuleType | None:
    if stand is None:
        return None  # `None` in `sys.modules` makes the import fail
    if isinstance(stand, str):
        return import_module(stand)
    placeholder = ModuleType(name)
    vars(placeholder).update({member: partial(_forward, name, member) for member in stand})
    return placeholder


def _forward(module: str, member: str, /, *args: Any, **kwargs: Any) -> Any:
    return getattr(import_module(module), member)(*args, **kwargs)
