"""The pages of a browser sign-in; only a stage that offers it has their routes."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_protect

from apps.auth import cookies, hosted_ui, sign_in
from apps.core import problems
from apps.core.errors import MopedError
from apps.core.throttles import SignIns

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@problems.answering("GET")
def start(request: HttpRequest) -> HttpResponse:
    """Send the browser to the hosted UI, to come back to the path in `next`."""
    target = sign_in.safe_target(request.GET.get("next", ""))
    url, flow = sign_in.begin(redirect_uri=_callback_url(request), target=target)
    response = HttpResponseRedirect(url)
    cookies.keep_flow(response, flow)
    return response


@problems.answering("GET")
def callback(request: HttpRequest) -> HttpResponse:
    """Take the code that the hosted UI sends back, and sign the browser in."""
    flow = cookies.flow(request)
    if seconds := SignIns().seconds_until_free(request):
        return _too_many(request, seconds)
    try:
        text, token = sign_in.finish(
            flow=flow,
            state=request.GET.get("state", ""),
            code=request.GET.get("code", ""),
            redirect_uri=_callback_url(request),
        )
    except MopedError as error:
        return _refused(request, error)
    response = HttpResponseRedirect(sign_in.safe_target(flow.target if flow else ""))
    cookies.keep_token(response, text, seconds=max(int(token.exp - time.time()), 0))
    cookies.forget(response, cookies.flow_name())
    return response


@problems.answering("POST")
@csrf_protect
def sign_out(request: HttpRequest) -> HttpResponse:
    """Forget the cookie here and the session at the hosted UI."""
    response = HttpResponseRedirect(
        hosted_ui.logout_url(logout_uri=request.build_absolute_uri(reverse("root")))
    )
    cookies.forget(response, cookies.token_name(), cookies.flow_name())
    return response


def _too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    message = f"Too many sign-ins from your address. Try again in {seconds} seconds."
    response = problems.respond(request, HTTPStatus.TOO_MANY_REQUESTS, "throttled", message)
    response["Retry-After"] = str(seconds)
    return response


def _refused(request: HttpRequest, error: MopedError) -> HttpResponse:
    response = problems.respond(request, problems.status_of(error), error.code, str(error))
    cookies.forget(response, cookies.flow_name())
    return response


def _callback_url(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("auth-callback"))
