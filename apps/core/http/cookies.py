"""Strict parsing of the Cookie header."""

from collections import Counter
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase


class StrictCookiesMiddleware:
    """
    Replace Django's cookies by those of `parse`, before a view or the CSRF check reads one.

    A sibling host can set a cookie for the whole domain. Browsers keep it from a name that begins
    with `__Host-`, but not from one with a Unicode space before it. Django strips that space, and
    the last of two cookies with one name wins.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        request.COOKIES = parse(request.META.get("HTTP_COOKIE", ""))
        return self.get_response(request)


def parse(header: str) -> dict[str, str]:
    """
    Return the cookies of a Cookie header (RFC 6265, section 4.2.1).

    Whitespace around a name is part of the name. A name that occurs twice is left out: the header
    does not say which of the two cookies is ours. A cookie without a name is left out, too.
    """
    pairs = [pair.removeprefix(" ").partition("=") for pair in header.split(";")]
    times = Counter(name for name, _, _ in pairs)
    return {name: value for name, equals, value in pairs if equals and times[name] == 1}
