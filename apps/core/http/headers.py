"""Headers of every answer, also of those that Django's SecurityMiddleware does not see."""

from django.conf import settings
from django.http.response import HttpResponseBase

DEFAULT_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'{connect}; form-action 'self' {sign_in}; base-uri 'none'; frame-ancestors 'none'"
)


def apply(response: HttpResponseBase) -> None:
    """Add the headers that the response does not have (static files have their own Cache-Control)."""
    headers = response.headers
    for name, value in DEFAULT_HEADERS.items():
        headers.setdefault(name, value)
    is_page = headers.get("Content-Type", "").startswith("text/html")
    headers.setdefault("Content-Security-Policy", page_policy() if is_page else DATA_POLICY)


def page_policy(*, connect: str = "") -> str:
    """
    Return the Content-Security-Policy of a page.

    :param connect: an origin that the page's script may call, in addition to ours
    """
    return PAGE_POLICY.format(sign_in=settings.COGNITO_DOMAIN_URL, connect=f" {connect}" if connect else "")
