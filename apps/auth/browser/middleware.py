"""A new sign-in for browsers whose token has expired."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from apps.auth.browser import cookies, sign_in
from apps.core.http import negotiation


class ReauthenticationMiddleware:
    """
    Turn a page that an expired cookie may no longer see into a fresh sign-in.

    There is no redirect loop: the callback keeps only a valid token, and a caller with a valid token
    gets the error page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request, or send its browser to sign in."""
        response = self.get_response(request)
        if response.status_code != HTTPStatus.UNAUTHORIZED or not _may_sign_in_afresh(request):
            return response
        query = urlencode({"next": request.get_full_path()})
        fresh = HttpResponseRedirect(f"{reverse('auth-sign-in')}?{query}")
        cookies.delete_token_cookie(fresh)
        return fresh


def _may_sign_in_afresh(request: HttpRequest) -> bool:
    return (
        request.method == "GET"
        and not sign_in.is_sign_in_page(request.path)  # it says why the sign-in failed
        and cookies.token_name() in request.COOKIES
        and "HTTP_AUTHORIZATION" not in request.META
        and negotiation.accepts_html(request)
        and not sign_in.caller(request).is_authenticated
    )
