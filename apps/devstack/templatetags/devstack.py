"""`{% personas as people %}`: whom the form "Act as …" of a laptop's pages offers."""

from django import template

from apps.devstack.personas import PERSONAS, Persona

register = template.Library()


@register.simple_tag
def personas() -> tuple[Persona, ...]:
    """Return every persona."""
    return PERSONAS
