import importlib
import sys

import pytest

from apps.core.imports import deferred


@pytest.fixture(autouse=True)
def not_imported() -> None:
    sys.modules.pop("colorsys", None)


class TestDeferred:
    def test_imports_a_module_at_the_first_call(self) -> None:
        with deferred({"colorsys": ("rgb_to_hsv",)}):
            from colorsys import rgb_to_hsv  # noqa: PLC0415

        assert "colorsys" not in sys.modules
        assert rgb_to_hsv(1, 0, 0) == (0.0, 1.0, 1)
        assert "colorsys" in sys.modules

    def test_makes_an_optional_module_look_absent(self) -> None:
        with pytest.raises(ModuleNotFoundError), deferred({"colorsys": None}):
            importlib.import_module("colorsys")

    def test_lets_a_lighter_module_stand_for_it(self) -> None:
        with deferred({"colorsys": "keyword"}):
            assert importlib.import_module("colorsys") is importlib.import_module("keyword")

        assert "colorsys" not in sys.modules

    def test_leaves_alone_what_is_imported_already(self) -> None:
        real = importlib.import_module("colorsys")

        with deferred({"colorsys": ("rgb_to_hsv",)}):
            assert importlib.import_module("colorsys") is real
