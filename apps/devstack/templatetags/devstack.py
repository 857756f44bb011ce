"""`{% persona_switch %}`: the form "Act as …" of the laptop's pages."""

from typing import Any

from django import template
from django.template.context import Context

from apps.devstack import environment, pages
from apps.devstack.personas import PERSONAS

register = template.Library()


@register.inclusion_tag("devstack/persona_switch.html", takes_context=True)
def persona_switch(context: Context) -> dict[str, Any]:
    """Offer every persona; the tests' pages are a stage's and have no such form."""
    request = getattr(context, "request", None)
    return {
        "action": pages.ACT_AS,
        "caller": context["caller"],
        "csrf_token": context.get("csrf_token"),
        "personas": PERSONAS if context["stage"] == environment.LAPTOP else (),
        "target": request.get_full_path() if request and request.method == "GET" else "/",
    }
