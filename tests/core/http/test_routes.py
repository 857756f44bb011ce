import pytest
from django.urls import reverse

from apps.core.http import routes


class TestRoute:
    @pytest.mark.parametrize("declared", ["users/", "users"])
    @pytest.mark.parametrize(
        ("path", "matches"),
        [("users", True), ("users/", True), ("user", False), ("users///", False), ("users/x", False)],
    )
    def test_forgives_a_slash_and_nothing_else(self, declared: str, path: str, *, matches: bool) -> None:
        assert bool(routes.SlashOptional(declared, is_endpoint=True).match(path)) == matches

    def test_keeps_the_slash_of_what_it_captures(self) -> None:
        match = routes.SlashOptional("download/<path:key>", is_endpoint=True).match("download/a/b/")

        assert match
        assert match[2] == {"key": "a/b/"}

    def test_reverses_as_it_was_declared(self) -> None:
        assert (reverse("auth"), reverse("current-user")) == ("/auth/", "/auth/current_user")
