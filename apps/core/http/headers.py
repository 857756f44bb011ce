"""Headers that every answer carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_STORED = {name.lower(): (name, value) for name, value in ALWAYS.items()}
POLICY_OF_DATA = "default-src 'none'; frame-ancestors 'none'"
POLICY_OF_PAGES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'{connect}; form-action 'self' {sign_in}; base-uri 'none'; frame-ancestors 'none'"
)
ONE_YEAR = "max-age=31536000; includeSubDomains"


def apply(response: HttpResponseBase) -> None:
    """Add what the answer does not say itself (static files have their own Cache-Control)."""
    # Straight into what lies under `headers`: these are constants, and that each of them is ASCII
    # on one line need not be found out for every answer. It is a twentieth of a lean request.
    stored = response.headers._store  # noqa: SLF001
    for name, header in _STORED.items():
        stored.setdefault(name, header)
    if settings.SECURE_COOKIES:
        stored.setdefault("strict-transport-security", ("Strict-Transport-Security", ONE_YEAR))
    policy = _policy(response.headers.get("Content-Type", ""))
    stored.setdefault("content-security-policy", ("Content-Security-Policy", policy))


def page_policy(*, connect: str = "") -> str:
    """
    Return the policy of a page.

    :param connect: an origin that its script may call, beside our own
    """
    return POLICY_OF_PAGES.format(
        sign_in=settings.COGNITO_DOMAIN_URL, connect=f" {connect}" if connect else ""
    )


def _policy(content_type: str) -> str:
    return page_policy() if content_type.startswith("text/html") else POLICY_OF_DATA
