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
_HEADERS = {name.lower(): (name, value) for name, value in ALWAYS.items()}
POLICY_OF_DATA = "default-src 'none'; frame-ancestors 'none'"
POLICY_OF_PAGES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self' {sign_in}; base-uri 'none'; frame-ancestors 'none'"
)
ONE_YEAR = "max-age=31536000; includeSubDomains"


def apply(response: HttpResponseBase) -> None:
    """Add what the answer does not say itself (static files have their own Cache-Control)."""
    # Straight into what lies under `headers`: these are constants, and that each of them is ASCII
    # on one line need not be found out for every answer. It is a twentieth of a lean request.
    store = response.headers._store  # noqa: SLF001
    for name, header in _HEADERS.items():
        store.setdefault(name, header)
    if settings.SECURE_COOKIES:
        store.setdefault("strict-transport-security", ("Strict-Transport-Security", ONE_YEAR))
    policy = _policy(response.headers.get("Content-Type", ""))
    store.setdefault("content-security-policy", ("Content-Security-Policy", policy))


def _policy(content_type: str) -> str:
    if content_type.startswith("text/html"):
        return POLICY_OF_PAGES.format(sign_in=settings.COGNITO_DOMAIN_URL)
    return POLICY_OF_DATA
