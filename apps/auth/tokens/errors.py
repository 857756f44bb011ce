"""
Why a token is refused: one class for each reason.

The code and the message are fixed and contain no part of the token, so a response tells an attacker only
which rule was broken. `manage.py explain_token` shows its owner more. `token_missing` is in
apps.core.http.problems.
"""

from typing import ClassVar

from apps.core.errors import UnauthenticatedError, UnavailableError


class TokenError(UnauthenticatedError):
    """The caller's token is not accepted."""

    code = "token_malformed"
    message = "The token is not a signed Cognito token."


class TokenMalformedError(TokenError):
    """The token is not a compact JWS with a header that we accept."""


class KeyUnknownError(TokenError):
    """The header names a key that the pool does not publish."""

    code = "key_unknown"
    message = "The token is signed with a key that the user pool does not publish."


class SignatureInvalidError(TokenError):
    """The named key did not make this signature."""

    code = "signature_invalid"
    message = "The token's signature is wrong."


class TokenExpiredError(TokenError):
    """The token has expired."""

    code = "token_expired"
    message = "The token has expired. Sign in again, or refresh it."


class TokenNotYetValidError(TokenError):
    """The token is not valid yet."""

    code = "token_not_yet_valid"
    message = "The token is not valid yet."


class IssuerWrongError(TokenError):
    """Another pool issued the token, or no pool did."""

    code = "issuer_wrong"
    message = "The token was issued by another user pool."


class AudienceWrongError(TokenError):
    """Our pool issued the token to another application."""

    code = "audience_wrong"
    message = "The token was issued to another application."


class WrongTokenUseError(TokenError):
    """The token is not an ID token. Usually it is an access token."""

    code = "use_wrong"
    message = "The token is not an ID token."


class ClaimsInvalidError(TokenError):
    """The pool signed the token, but its claims are not those of an ID token."""

    code = "claims_invalid"
    message = "The token's claims are incomplete or broken."


class KeysUnavailableError(UnavailableError):
    """The pool's keys are not known, so no token can be verified."""

    code = "keys_unavailable"
    message = "The user pool's keys cannot be fetched. Try again in a moment."
    retry_after: ClassVar[int] = 3


TOKEN_ERRORS = tuple(TokenError.__subclasses__())
