"""`{% personas as people %}`: the choices of the form "Act as …" on a laptop's pages."""

from django import template

from apps.devstack.personas import PERSONAS, Persona

register = template.Library()


@register.simple_tag
def personas() -> tuple[Persona, ...]:
    """Return all personas."""
    return PERSONAS
