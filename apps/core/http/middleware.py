"""What every request passes through: its id, its log line, the headers of its answer."""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.core import context, deadline
from apps.core.http import headers, problems

logger = logging.getLogger("moped.request")


class RequestMiddleware:
    """Stands before all others, so that nothing answers without an id and a log line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.cold = True

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request; exceptions have become answers further in."""
        under_way = context.begin(request.META)
        with deadline.within(settings.REQUEST_SECONDS):
            response = self.get_response(request)
        headers.apply(response)
        response.headers["X-Request-ID"] = under_way.request_id
        self._log(request, response, under_way)
        context.end()
        return response

    def _log(
        self, request: HttpRequest, response: HttpResponseBase, under_way: context.RequestContext
    ) -> None:
        user = getattr(request, "user", None)
        match = request.resolver_match
        logger.info(
            "request",
            extra={
                "request": request,  # for the console of a laptop; JsonFormatter leaves it out
                "method": request.method,
                "route": match.route if match else "",
                "status": response.status_code,
                "code": under_way.code,
                "ms": round((time.perf_counter() - under_way.started) * 1000, 2),
                "client": under_way.client_address,
                "sub": getattr(user, "sub", ""),
                "roles": getattr(user, "roles", ()),
                "cold": self.cold,
            },
        )
        self.cold = False


class HostMiddleware:
    """Stands behind CORS: looks at the address that was called, before a route is looked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Refuse foreign hosts, and serve `//auth/` as `/auth/`: some base URLs end in a slash."""
        try:
            request.get_host()  # where Django compares it with ALLOWED_HOSTS
        except DisallowedHost as error:
            return problems.bad_request(request, error)
        if request.path_info.startswith("//"):
            request.path_info = f"/{request.path_info.lstrip('/')}"
        return self.get_response(request)
