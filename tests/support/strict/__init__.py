"""
What strict_emulator.py changes in MiniStack. The emulator's own Python imports these modules.

A function of these modules with `@replaces` stands in for private functions of MiniStack. It takes the
original first, and then the arguments of a call.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from emulator_patches import patch

Function = Callable[..., Any]


def replaces(owner: Any, *names: str) -> Callable[[Function], Function]:
    """Let a function stand in for others, which must exist: in a module, or in a table of handlers."""

    def register(function: Function) -> Function:
        for name in names:
            if isinstance(owner, dict):
                owner[name] = partial(function, owner[name])
            else:
                patch(owner, name, partial(partial, function))
        return function

    return register
