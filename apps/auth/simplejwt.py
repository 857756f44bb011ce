"""
simplejwt's stateless authentication, without the models of `django.contrib.auth`.

simplejwt imports them for the annotations of users in a database, which nobody here is. To have
them, two of Django's apps would have to be installed, with tables that must not be made in the
City's database. And the first model without a `db_table`, be it theirs or that of simplejwt's own
black list, makes Django import psycopg: a fifth of a cold start, before anybody asks the database.
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
