"""
The part of a key that people read: the file's own name, cleaned.

Names that the Flask API could clean are cleaned exactly as it did, since keys of both stand side
by side. It lost every letter that is not plain Latin; names in other scripts stay readable here.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from apps.files.errors import UnusableFileNameError

MAX_LENGTH: Final = 129
STEM_LENGTH: Final = 64

UNUSABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")
PARENT_FOLDER = re.compile(r"(?:^|[\\/])\.\.(?:$|[\\/])")
NOT_COMMON = re.compile(r"[^0-9a-z_-]")
NOT_LETTERS = re.compile(r"[^a-z]")


def clean(name: str) -> str:
    """
    Return the name as it stands at the end of a key: lower case, without blanks or dots.

    :raises UnusableFileNameError: with the reason, if nothing sensible can be made of it
    """
    _refuse_suspicious(name)
    stem, dot, extension = name.rpartition(".")
    if not dot:
        raise UnusableFileNameError("A file name needs an extension, such as .pdf.")
    letters = NOT_LETTERS.sub("", extension.lower())
    if not letters:
        raise UnusableFileNameError("The extension of a file name needs a letter from A to Z.")
    return f"{_clean_stem(stem)}.{letters}"


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
    lowered = stem.lower()[:STEM_LENGTH]
    plain = NOT_COMMON.sub("", lowered)
    if not plain or _has_other_script(lowered):
        plain = _readable(stem)
    if not plain:
        raise UnusableFileNameError("A file name needs a letter or a digit before its extension.")
    return plain


def _has_other_script(text: str) -> bool:
    """Tell whether letters stand in it that are not Latin, with or without accents."""
    return any(
        letter.isalpha() and not unicodedata.name(letter, "").startswith("LATIN")
        for letter in text
        if not letter.isascii()
    )


def _readable(stem: str) -> str:
    """Keep letters, their marks and digits of every script; drop what hides or reverses text."""
    kept = (
        character
        for character in unicodedata.normalize("NFKC", stem).lower()
        if character in "_-" or unicodedata.category(character)[0] in "LMN"
    )
    readable = "".join(kept)[:STEM_LENGTH]
    return readable if any(character.isalnum() for character in readable) else ""
