"""
How a browser may treat a file: shown, or only saved.

PDF and raster images are shown. Everything else, HTML and SVG above all, could run script in
the bucket's origin and is handed over as an attachment of no particular type.
"""

import re
from typing import Final, NamedTuple

from django.utils.http import content_disposition_header

# Controls, line ends, and what reverses the direction of text: "gpj.exe" could read "exe.jpg".
INVISIBLE_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

ANYTHING: Final = "application/octet-stream"

INLINE_TYPES: Final = {
    "avif": "image/avif",
    "bmp": "image/bmp",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "pdf": "application/pdf",
    "png": "image/png",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "webp": "image/webp",
}


class ResponseHeaders(NamedTuple):
    """The two headers that decide what a browser does with a file."""

    content_type: str
    content_disposition: str


def type_of(name: str) -> str:
    """Return the media type under which a file of this name is stored and served."""
    return INLINE_TYPES.get(name.rpartition(".")[2].lower(), ANYTHING)


def presentation(name: str) -> ResponseHeaders:
    """
    Return how a file of this name is served; the name is what a person saves it under.

    Old keys, and rows that editors wrote, name files that `names.clean` never saw.
    """
    visible_name = INVISIBLE_CHARACTERS.sub("", name)
    media_type = type_of(visible_name)
    disposition = content_disposition_header(as_attachment=media_type == ANYTHING, filename=visible_name)
    return ResponseHeaders(media_type, disposition or "inline")
