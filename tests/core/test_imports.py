"""Setting modules aside."""

from __future__ import annotations

import importlib
import sys

import pytest

from apps.core.imports import deferred


@pytest.fixture(autouse=True)
def not_imported() -> None:
    sys.modules.pop("colorsys", None)


class TestSettingAside:
    def test_imports_nothing(self) -> None:
        with deferred({"colorsys": ("rgb_to_hsv",)}):
            from colorsys import rgb_to_hsv  # noqa: F401, PLC0415

        assert "colorsys" not in sys.modules

    def test_forwards_to_the_real_one_when_called(self) -> None:
        with deferred({"colorsys": ("rgb_to_hsv",)}):
            from colorsys import rgb_to_hsv  # noqa: PLC0415

        assert rgb_to_hsv(1, 0, 0) == (0.0, 1.0, 1)
        assert "colorsys" in sys.modules

    def test_makes_a_module_look_absent_if_it_is_optional(self) -> None:
        with deferred({"colorsys": None}), pytest.raises(ModuleNotFoundError):
            importlib.import_module("colorsys")

        assert importlib.import_module("colorsys")

    def test_lets_a_lighter_module_stand_for_it(self) -> None:
        with deferred({"colorsys": "keyword"}):
            from colorsys import iskeyword  # type: ignore[attr-defined] # noqa: PLC0415

        assert iskeyword("if")
        assert "colorsys" not in sys.modules

    def test_leaves_alone_what_is_imported_already(self) -> None:
        real = importlib.import_module("colorsys")

        with deferred({"colorsys": ("rgb_to_hsv",)}):
            assert importlib.import_module("colorsys") is real

        assert sys.modules["colorsys"] is real

    def test_is_over_when_an_import_fails(self) -> None:
        with pytest.raises(ModuleNotFoundError), deferred({"colorsys": ()}):
            importlib.import_module("there_is_no_such_module")

        assert "colorsys" not in sys.modules
