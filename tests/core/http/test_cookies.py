import pytest
from django.http import HttpRequest, HttpResponse

from apps.core.http.middleware import StrictCookiesMiddleware

# Unicode spaces that str.strip() removes and that a browser keeps in a cookie's name.
SPACES = [
    chr(code) for code in (0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
]


def as_sent(text: str) -> str:
    """Return the header as WSGI hands it over: its UTF-8 octets, decoded as Latin-1."""
    return text.encode().decode("latin-1")


def cookies(header: str) -> dict[str, str]:
    """Return the cookies that a view finds."""
    request = HttpRequest()
    request.META["HTTP_COOKIE"] = header
    StrictCookiesMiddleware(lambda _request: HttpResponse())(request)
    return request.COOKIES


class TestStrictCookiesMiddleware:
    @pytest.mark.parametrize(
        ("header", "expected"),
        [
            ("", {}),
            ("a=1", {"a": "1"}),
            ("a=1=2", {"a": "1=2"}),
            ("a=", {"a": ""}),
            ('a="1"', {"a": '"1"'}),
            # A cookie without a name.
            ("a", {}),
            ("; ;b=1", {"b": "1"}),
            # A name that comes twice.
            ("a=1; b=2; a=3; a=4", {"b": "2"}),
            (as_sent("a=1; \u2000a=2"), {"a": "1", as_sent("\u2000a"): "2"}),
        ],
    )
    def test_gives_views_each_unambiguous_cookie(self, header: str, expected: dict[str, str]) -> None:
        assert cookies(header) == expected

    @pytest.mark.parametrize("space", ["\t", "  ", "\v", "\f", *map(as_sent, SPACES)], ids=ascii)
    def test_keeps_whitespace_around_a_name(self, space: str) -> None:
        names = {"b", space.removeprefix(" ") + "a", f"a{space}"}

        assert cookies(f"b=1;{space}a=2; a{space}=3").keys() == names
