"""
File names: cleaning for a key, and the response headers of a file with this name.

ASCII names are cleaned as the Flask API did, except that extensions keep their digits. Accented
Latin letters become plain ones. Other scripts keep their letters.

Browsers show PDF files and raster images. All other files, above all HTML and SVG, could run
scripts in the bucket's origin. So browsers get them as attachments without a particular type.
"""

import re
import unicodedata
from typing import Final, NamedTuple

from django.utils.http import content_disposition_header

from apps.files.errors import UnusableFileNameError

MAX_LENGTH: Final = 129
STEM_LENGTH: Final = 64

PARENT_FOLDER = re.compile(r"(?:^|[\\/])\.\.(?:$|[\\/])")
REFUSALS: Final = {
    re.compile(f".{{{MAX_LENGTH + 1}}}", re.DOTALL): f"A file name may have {MAX_LENGTH} characters at most.",
    re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]"): (
        "A file name may not contain control characters or broken text."
    ),
    PARENT_FOLDER: "A file name may not lead to another folder.",
}
# Invisible letters and marks: Hangul and Khmer fillers, joiners, variation selectors.
INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# The accents of a decomposed letter: they follow an ASCII character, and are not ASCII or letters.
ACCENTS = re.compile(r"(^|[\x00-\x7f])[^\w\x00-\x7f]+")
# Latin letters that Unicode does not decompose into a plain letter and an accent.
PLAIN_LETTERS: Final = str.maketrans(
    dict(zip("ðđħ\u0131łŋøŧ", "ddhilnot", strict=True))  # \u0131 has no dot
    | {"æ": "ae", "œ": "oe", "ß": "ss", "þ": "th"}
)
# Controls, line ends, and marks that reverse the direction of text: "gpj.exe" could read "exe.jpg".
DECEPTIVE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

BINARY_TYPE: Final = "application/octet-stream"
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


def clean(name: str) -> str:
    """
    Return the name in lower case, without blanks or dots. NFC and NFD give the same name.

    :raises UnusableFileNameError: with the reason, if the name is refused
    """
    composed = unicodedata.normalize("NFC", name)
    for pattern, reason in REFUSALS.items():
        if pattern.search(composed):
            raise UnusableFileNameError(reason)
    stem, dot, extension = unicodedata.normalize("NFKC", composed).lower().rpartition(".")
    if not dot:
        raise UnusableFileNameError("A file name needs an extension, such as .pdf.")
    suffix = re.sub("[^0-9a-z]", "", _plain(extension))
    if not re.search("[a-z]", suffix):
        raise UnusableFileNameError("The extension of a file name needs a letter from A to Z.")
    return f"{_clean_stem(stem)}.{suffix}"


def _clean_stem(stem: str) -> str:
    cleaned = "".join(filter(_is_kept, _plain(stem[:STEM_LENGTH])))[:STEM_LENGTH]
    if not re.search(r"[\w-]", cleaned):
        raise UnusableFileNameError("A file name needs a letter or a digit before its extension.")
    return cleaned


def _plain(text: str) -> str:
    """Replace accented Latin letters by plain ones. Keep all other letters."""
    decomposed = unicodedata.normalize("NFKD", INVISIBLE.sub("", text))
    without_accents = ACCENTS.sub(r"\1", decomposed.translate(PLAIN_LETTERS))
    return unicodedata.normalize("NFC", without_accents)


def _is_kept(character: str) -> bool:
    """Return whether the character is "_", "-", or a letter, mark or number of any script."""
    return character in "_-" or unicodedata.category(character)[0] in "LMN"


def type_of(name: str) -> str:
    """Return the media type under which a file of this name is stored and served."""
    return INLINE_TYPES.get(name.rpartition(".")[2].lower(), BINARY_TYPE)


def presentation(name: str) -> ResponseHeaders:
    """
    Return the headers for a file of this name. A browser saves the file under this name.

    `clean` has not checked the names in old keys, or in rows that editors wrote.
    """
    visible_name = DECEPTIVE.sub("", name)
    media_type = type_of(visible_name)
    disposition = content_disposition_header(as_attachment=media_type == BINARY_TYPE, filename=visible_name)
    return ResponseHeaders(media_type, disposition or "inline")
