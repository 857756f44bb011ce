"""
Sign-ins on previews, by way of staging (ADR 13).

The pool sends browsers back only to addresses that it knows exactly. So a preview names a page of staging as
its callback, and the state names the preview. The page shows which preview that is, and its link leads there.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings

from apps.auth.browser import cookies, hosted_ui
from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import NotFoundError

STATE = re.compile(rf"pr_([1-9][0-9]{{0,6}})\.({cookies.STATE})")


class PreviewNotFoundError(NotFoundError):
    """The sign-in belongs to no preview that exists."""

    code = "preview_not_found"
    message = "There is no such preview. Open the address of a preview, and sign in from there."


class Preview(NamedTuple):
    """A preview that a sign-in belongs to, and where the browser completes it."""

    number: str
    url: str
    callback: str


def pool_state(state: str) -> str:
    """Return the state that the pool is given. On a preview it names the preview."""
    return f"{settings.STAGE}.{state}" if settings.SIGN_IN_RELAY else state


def preview(answer: Mapping[str, str]) -> Preview:
    """
    Return the preview that a sign-in belongs to, at the address that Lambda has for it.

    :param answer: the query with which the pool sent the browser back (RFC 6749, section 4.1.2)
    :raises SignInRefusedError: if the pool sent an error
    :raises PreviewNotFoundError: if there is no such preview
    :raises UpstreamError: if Lambda cannot be asked
    """
    if "error" in answer:
        raise hosted_ui.refusal(answer.get("error_description", ""))
    match = STATE.fullmatch(answer.get("state", ""))
    if match is None or settings.SIGN_IN_RELAY:
        raise PreviewNotFoundError
    number, state = match.groups()
    with translate_errors(ResourceNotFoundException=PreviewNotFoundError):
        function = clients.lambda_client().get_function_url_config(
            FunctionName=f"moped-api-pr-{number}", Qualifier="live"
        )
    url = function["FunctionUrl"].rstrip("/")
    query = urlencode({"code": answer.get("code", ""), "state": state})
    return Preview(number, url, f"{url}/auth/callback?{query}")
