from __future__ import annotations

import pytest
from django.urls import reverse

from apps.core.http import routes


class TestRoute:
    @pytest.mark.parametrize(
        ("declared", "path"),
        [
            ("users/", "users"),
            ("users/", "users/"),
            ("current_user", "current_user"),
            ("current_user", "current_user/"),
        ],
    )
    def test_forgives_a_slash(self, declared: str, path: str) -> None:
        assert routes.SlashOptional(declared, is_endpoint=True).match(path)

    @pytest.mark.parametrize("path", ["user", "users///", "usersx", "users/x"])
    def test_forgives_nothing_else(self, path: str) -> None:
        assert not routes.SlashOptional("users/", is_endpoint=True).match(path)

    def test_keeps_the_slash_of_what_it_captures(self) -> None:
        match = routes.SlashOptional("download/<path:key>", is_endpoint=True).match("download/a/b/")

        assert match
        assert match[2] == {"key": "a/b/"}

    def test_reverses_as_it_was_declared(self) -> None:
        assert (reverse("auth"), reverse("current-user")) == ("/auth/", "/auth/current_user")


class TestListing:
    def test_has_what_callers_may_call(self) -> None:
        assert routes.Route("/auth/current_user", ("GET",), "current-user") in routes.listing()

    def test_leaves_out_the_pages_of_a_sign_in(self) -> None:
        assert not [route for route in routes.listing() if "callback" in route.path]
