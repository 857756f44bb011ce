"""
The last part of a key: the file's own name, cleaned.

ASCII names are cleaned as the Flask API did, except that extensions keep their digits. Accented
Latin letters become plain ones. Other scripts keep their letters.
"""

import re
import unicodedata
from typing import Final

from apps.files.errors import UnusableFileNameError

MAX_LENGTH: Final = 129
STEM_LENGTH: Final = 64

UNUSABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")
PARENT_FOLDER = re.compile(r"(?:^|[\\/])\.\.(?:$|[\\/])")
# Letters and marks without a shape: Hangul and Khmer fillers, joiners, variation selectors.
INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# What follows an ASCII character and is neither ASCII nor a letter: the accent of a decomposed letter.
ACCENTS = re.compile(r"(^|[\x00-\x7f])[^\w\x00-\x7f]+")
# Latin letters that Unicode does not decompose into a plain letter and an accent.
PLAIN_LETTERS: Final = str.maketrans(
    dict(zip("ðđħ\u0131łŋøŧ", "ddhilnot", strict=True))  # \u0131 has no dot
    | {"æ": "ae", "œ": "oe", "ß": "ss", "þ": "th"}
)


def clean(name: str) -> str:
    """
    Return the name in lower case, without blanks or dots; NFC and NFD give the same name.

    :raises UnusableFileNameError: with the reason, if the name is refused
    """
    composed = unicodedata.normalize("NFC", name)
    _refuse_suspicious(composed)
    stem, dot, extension = unicodedata.normalize("NFKC", composed).lower().rpartition(".")
    if not dot:
        raise UnusableFileNameError("A file name needs an extension, such as .pdf.")
    suffix = re.sub("[^0-9a-z]", "", _plain(extension))
    if not re.search("[a-z]", suffix):
        raise UnusableFileNameError("The extension of a file name needs a letter from A to Z.")
    return f"{_clean_stem(stem)}.{suffix}"


def _refuse_suspicious(name: str) -> None:
    if len(name) > MAX_LENGTH:
        raise UnusableFileNameError(
            f"A file name may have {MAX_LENGTH} characters at most; this one has {len(name)}."
        )
    if UNUSABLE.search(name):
        raise UnusableFileNameError("A file name may not contain control characters or broken text.")
    if PARENT_FOLDER.search(name):
        raise UnusableFileNameError("A file name may not lead to another folder.")


def _clean_stem(stem: str) -> str:
    cleaned = "".join(filter(_is_kept, _plain(stem[:STEM_LENGTH])))[:STEM_LENGTH]
    if not re.search(r"[\w-]", cleaned):
        raise UnusableFileNameError("A file name needs a letter or a digit before its extension.")
    return cleaned


def _plain(text: str) -> str:
    """Replace accented Latin letters by plain ones; leave other scripts as they are."""
    decomposed = unicodedata.normalize("NFKD", INVISIBLE.sub("", text))
    without_accents = ACCENTS.sub(r"\1", decomposed.translate(PLAIN_LETTERS))
    return unicodedata.normalize("NFC", without_accents)


def _is_kept(character: str) -> bool:
    """Keep letters, their marks and digits of every script."""
    return character in "_-" or unicodedata.category(character)[0] in "LMN"
