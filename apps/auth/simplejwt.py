"""
simplejwt's stateless authentication, without the models of `django.contrib.auth`.

simplejwt imports them for annotations. They need two of Django's apps, whose tables must not be created in
the City's database. Also the first model without a `db_table`, theirs or that of simplejwt's black list,
makes Django import psycopg: a fifth of a cold start, before any query.
"""

from apps.core.imports import Replacement, deferred

SET_ASIDE: dict[str, Replacement] = {
    "django.contrib.auth.models": ("AbstractBaseUser", "Group", "Permission"),
    "django.test.signals": "django.core.signals",  # for one signal, with the whole test framework
    "rest_framework_simplejwt.token_blacklist.models": ("BlacklistedToken", "OutstandingToken"),
}

with deferred(SET_ASIDE):
    from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication

__all__ = ["JWTStatelessUserAuthentication"]
