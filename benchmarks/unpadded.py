"""Base64url without padding."""

import base64


def decode(text: bytes) -> bytes:
    """Return the octets."""
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
