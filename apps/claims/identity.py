"""City addresses and user names of single sign-on accounts, in one spelling for the whole project."""

import string

from django.conf import settings

_ASCII_LOWER_CASE = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def normalize(address: str) -> str:
    """
    Return an address with its ASCII letters in lower case.

    `str.lower` maps other letters to ASCII ones, for example the Kelvin sign (U+212A) to "k". Two
    accounts would then share one claims item.
    """
    return address.translate(_ASCII_LOWER_CASE)


def is_city_address(address: str) -> bool:
    """Return whether an address is in the City's own domain. Sub-domains do not count."""
    return normalize(address).endswith(f"@{settings.STAFF_EMAIL_DOMAIN}")


def sso_username(address: str) -> str:
    """Return the user name that the single sign-on account of an address has in the pool."""
    return f"{settings.SSO_USERNAME_PREFIX}{normalize(address)}"


def sso_address(username: str) -> str:
    """Return the address in the user name of a single sign-on account, "" for other user names."""
    name = normalize(username)
    prefix = settings.SSO_USERNAME_PREFIX
    return name.removeprefix(prefix) if name.startswith(prefix) else ""


def is_city_sso(username: str) -> bool:
    """Return whether a user name is a single sign-on account of a City address, which proves the address."""
    return is_city_address(sso_address(username))


def claims_address(*, username: str, email: str) -> str:
    """Return the address under which the claims table has the item of an account."""
    return sso_address(username) or normalize(email)
