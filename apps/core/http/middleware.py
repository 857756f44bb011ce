"""The middleware of all apps, in the order in which a request passes through it."""

import logging
import time
from collections import Counter
from collections.abc import Callable

from corsheaders.middleware import CorsMiddleware as LibraryCorsMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin

from apps.core import context, deadline
from apps.core.http import headers, negotiation, problems
from apps.core.http.parsers import FORM_CSRF_TOKEN, FORM_METHOD

logger = logging.getLogger("moped.request")

FORM_METHODS = frozenset({"PUT", "DELETE", "OPTIONS"})


class RequestMiddleware:
    """Runs before all others, so that every answer has a request id and a log line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.cold = True

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request. Django has already turned exceptions into answers."""
        current = context.begin(request.META)
        with deadline.limit(settings.REQUEST_SECONDS):
            response = self.get_response(request)
        headers.apply(response)
        response.headers["X-Request-ID"] = current.request_id
        self._log(request, response, current)
        context.end()
        return response

    def _log(self, request: HttpRequest, response: HttpResponseBase, current: context.RequestContext) -> None:
        user = getattr(request, "user", None)
        match = request.resolver_match
        logger.info(
            "request",
            extra={
                "request": request,  # for a laptop's console. JsonFormatter leaves it out.
                "method": request.method,
                "route": match.route if match else "",
                "status": response.status_code,
                "code": current.code,
                "ms": round((time.perf_counter() - current.started) * 1000, 2),
                "client": current.client_address,
                "sub": getattr(user, "sub", ""),
                "roles": getattr(user, "roles", ()),
                "cold": self.cold,
            },
        )
        self.cold = False


class CorsMiddleware(LibraryCorsMiddleware):
    """Answers every OPTIONS request, as the Flask API did. The library answers only preflights."""

    def check_preflight(self, request: HttpRequest) -> HttpResponse | None:
        """Return the answer to OPTIONS. It has no body, and a Content-Type would make it a page."""
        if request.method != "OPTIONS":
            return None
        answer = HttpResponse(headers={"content-length": "0"})
        del answer.headers["Content-Type"]
        return answer

    def add_response_headers(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """
        Add the headers that allow a browser to read the response.

        The library's own method parses all origins and all headers for every response, a fifth of a request.
        """
        if request.method == "OPTIONS":
            return super().add_response_headers(request, response)
        patch_vary_headers(response, ("origin",))
        origin = request.META.get("HTTP_ORIGIN", "")
        if origin and (origin in settings.CORS_ALLOWED_ORIGINS or self.regex_domain_match(origin)):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = ", ".join(settings.CORS_EXPOSE_HEADERS)
        return response


class HostMiddleware(MiddlewareMixin):
    """Checks the host and corrects the path before Django looks for a route. Gives a 405 our error body."""

    def process_request(self, request: HttpRequest) -> None:
        """
        Serve `//auth/` as `/auth/`: some base URLs end in a slash.

        :raises DisallowedHost: for a foreign host (the answer is 400)
        """
        request.get_host()  # Django compares it with ALLOWED_HOSTS
        if request.path_info.startswith("//"):
            request.path_info = f"/{request.path_info.lstrip('/')}"

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Return the answer. Django's own answer to a wrong method gets our error body."""
        if isinstance(response, HttpResponseNotAllowed):
            return problems.method_not_allowed(request, response)
        return response


class FormMethodMiddleware(MiddlewareMixin):
    """Reads the method of a page's form from its field `_method`, because a form cannot send PUT."""

    def process_request(self, request: HttpRequest) -> None:
        """Replace the method."""
        is_form = request.content_type == negotiation.FORM and negotiation.accepts_html(request)
        if request.method == "POST" and is_form:
            if request.POST.get(FORM_METHOD) in FORM_METHODS:
                request.method = request.POST[FORM_METHOD]
            # Django's CSRF check reads the body only of a POST.
            request.META.setdefault("HTTP_X_CSRFTOKEN", request.POST.get(FORM_CSRF_TOKEN, ""))


class StrictCookiesMiddleware(MiddlewareMixin):
    """
    Parses the cookies again, more strictly than Django, before a view or the CSRF check reads them.

    A sibling host can set a cookie for the whole domain. Browsers refuse it a name that begins with
    `__Host-`, but allow a Unicode space before the name. Django strips that space. Of two cookies
    with the same name, it takes the last.
    """

    def process_request(self, request: HttpRequest) -> None:
        """
        Parse the header by RFC 6265, section 4.2.1.

        Whitespace around a name is part of the name. A name that occurs twice is left out: the header
        does not say which of the two cookies is ours. A cookie without a name is left out, too.
        """
        header = request.META.get("HTTP_COOKIE", "")
        pairs = [pair.removeprefix(" ").partition("=") for pair in header.split(";")]
        times = Counter(name for name, _, _ in pairs)
        request.COOKIES = {name: value for name, equals, value in pairs if equals and times[name] == 1}
