"""Pages that only a laptop has: tracebacks, sign-in as a persona, and recording an uploaded file."""

import sys
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.debug import technical_500_response
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST

from apps.auth.browser import cookies, sign_in
from apps.core.errors import MopedError
from apps.core.http import negotiation, problems
from apps.devstack import persona_tokens, sample_data
from apps.devstack.errors import DevstackError
from apps.devstack.personas import BY_KEY

TOKEN_SECONDS = 3600
# Django's page contains inline style and script.
TRACEBACK_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


class LaptopMiddleware:
    """Serve the laptop's pages. It is the last middleware, so the others apply to these pages too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with a laptop's page, or pass the request on."""
        return PAGES.get(request.path_info, self.get_response)(request)

    def process_exception(self, request: HttpRequest, _exception: Exception) -> HttpResponse:
        """Log a crash as on a stage, but show Django's traceback page to a browser."""
        problem = problems.server_error(request)
        if not negotiation.accepts_html(request):
            return problem
        page = technical_500_response(request, *sys.exc_info())
        page.headers["Content-Security-Policy"] = TRACEBACK_POLICY
        return page


@require_POST
@csrf_protect
def act_as(request: HttpRequest) -> HttpResponse:
    """Sign the browser in as a persona, and send it to the path in `next`."""
    persona = BY_KEY.get(request.POST.get("persona", ""))
    if persona is None:
        return problems.respond(request, HTTPStatus.BAD_REQUEST, "invalid", "There is no such persona.")
    try:
        token = persona_tokens.id_token(persona)
    except DevstackError as error:
        return problems.respond(request, HTTPStatus.FORBIDDEN, "forbidden", str(error))
    target = sign_in.safe_target(request.GET.get("next", ""))
    # After a failed POST, `next` may be one of PAGES, which accept only POST.
    response = HttpResponseRedirect("/" if urlsplit(target).path in PAGES else target)
    cookies.set_token_cookie(response, token, seconds=TOKEN_SECONDS)
    return response


@require_POST
@csrf_protect
def record_file(request: HttpRequest) -> HttpResponse:
    """Record an uploaded file of a project as the editor does, and redirect to its download."""
    key = request.POST.get("key", "")
    try:
        sample_data.record_file(key, sign_in.caller(request).claims.database_id)
    except MopedError as error:
        return problems.respond_error(request, error)
    return HttpResponseRedirect(reverse("file-download", kwargs={"key": key}))


PAGES = {"/act-as": act_as, "/record-file": record_file}
