"""
simplejwt's stateless authentication, without the models of `django.contrib.auth`.

simplejwt imports them for the annotations of users in a database, which this API does not have. They
would need two of Django's apps, with tables that must not be created in the City's database. Also, the
first model without a `db_table`, such as simplejwt's own black list, makes Django import psycopg: a
fifth of a cold start, before any request needs the database.
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
