"""The pages of a browser sign-in. Only a stage that offers it has their routes."""

import time
from http import HTTPStatus
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_GET, require_POST

from apps.auth.browser import cookies, hosted_ui, sign_in
from apps.core.errors import MopedError, UpstreamError
from apps.core.http import problems
from apps.core.http.throttles import SignInThrottle


@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """Send the browser to the hosted UI, to come back to the path in `next`."""
    target = sign_in.safe_target(request.GET.get("next", ""))
    url, state, pending = sign_in.begin(redirect_uri=_callback_url(request), target=target)
    response = HttpResponseRedirect(url)
    cookies.set_pending_cookie(request, response, state, pending)
    return response


@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Take the code that the hosted UI sends back, and sign the browser in."""
    if seconds := SignInThrottle().seconds_until_free(request):
        return _too_many(request, seconds)
    state = request.GET.get("state", "")
    pending = cookies.pending(request, state)
    target = sign_in.safe_target(pending.target if pending else "")
    try:
        text, caller = sign_in.finish(
            pending=pending, answer=request.GET, redirect_uri=_callback_url(request)
        )
    except MopedError as error:
        return _failed(request, error, state if pending else "", target)
    response = HttpResponseRedirect(target)
    cookies.set_token_cookie(response, text, seconds=max(int(caller.exp - time.time()), 0))
    cookies.delete_pending_cookie(response, state)
    return response


@require_GET
def preview(request: HttpRequest) -> HttpResponse:
    """Show which preview a sign-in is for, with the link that completes it there."""
    if seconds := SignInThrottle().seconds_until_free(request):
        return _too_many(request, seconds)
    try:
        context = {"preview": sign_in.preview(request.GET)}
    except MopedError as error:
        return problems.respond_error(request, error)
    return render(request, "auth/preview_sign_in.html", context)


@require_POST
@csrf_protect
def sign_out(request: HttpRequest) -> HttpResponse:
    """Delete the token's cookie, and end the session at the hosted UI, unless this is a preview."""
    root = request.build_absolute_uri(reverse("root"))
    response = HttpResponseRedirect(root if settings.SIGN_IN_RELAY else hosted_ui.logout_url(logout_uri=root))
    cookies.set_token_cookie(response, "", seconds=0)
    return response


def _too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    message = f"Too many sign-ins from your address. Try again in {seconds} seconds."
    response = problems.respond(request, HTTPStatus.TOO_MANY_REQUESTS, "throttled", message)
    response["Retry-After"] = str(seconds)
    return response


def _failed(request: HttpRequest, error: MopedError, state: str, target: str) -> HttpResponse:
    """Show the reason, and delete the pending sign-in with this state, if there is one."""
    response = problems.respond_error(
        request,
        error,
        template="auth/sign_in_failed.html",
        sign_in_target=quote(target),
        ends_session=not settings.SIGN_IN_RELAY,
    )
    # After a fault of the pool the browser may send the same code again.
    if state and not isinstance(error, UpstreamError):
        cookies.delete_pending_cookie(response, state)
    return response


def _callback_url(request: HttpRequest) -> str:
    return settings.SIGN_IN_RELAY or request.build_absolute_uri(reverse("auth-callback"))
