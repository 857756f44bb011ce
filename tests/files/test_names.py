"""Names as they stand in keys, and what a browser may do with a file."""

import re
import unicodedata
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.files import names
from apps.files.errors import UnusableFileNameError

ASCII = st.characters(codec="ascii", exclude_categories=["Cc"])
ANY = st.characters(exclude_categories=["Cs"])

# File names as people have them: from office programs, cameras, CAD, scanners, macOS and abroad.
REAL_NAMES = {
    # office and print
    "Plan Set v1.2 (final).PDF": "plansetv12final.pdf",
    "O’Brien’s letter.pdf": "obriensletter.pdf",
    "under_score-and-dash.docx": "under_score-and-dash.docx",
    "Plans 3/4.pdf": "plans34.pdf",
    "№ 12 permit.pdf": "no12permit.pdf",
    # a digit in the extension
    "visit.mp4": "visit.mp4",
    "drawings.7z": "drawings.7z",
    "backup.tar.bz2": "backuptar.bz2",
    # other signs and digits
    "area 100 m².csv": "area100m2.csv",
    # accents
    "über plan.pdf": "uberplan.pdf",
    "Straße Übersicht.pdf": "strasseubersicht.pdf",
    "Smørrebrød Ærø.png": "smorrebrodaero.png",
    "Łódź.pdf": "lodz.pdf",
    "Đường phố.pdf": "duongpho.pdf",
    "İstanbul.pdf": "istanbul.pdf",
    # other scripts
    "План 2026.pdf": "план2026.pdf",
    "Тротуар й.pdf": "тротуарй.pdf",
    "計画図.PDF": "計画図.pdf",
    "한글 계획.hwp": "한글계획.hwp",
    "خطة.pdf": "خطة.pdf",
    "योजना.pdf": "योजना.pdf",
    "ＰＬＡＮ．ＰＤＦ": "plan.pdf",
    "План é.pdf": "планe.pdf",
}


def as_flask_cleaned(name: str) -> str | None:
    """Clean as contract 1.6.1 describes it, but keep digits in the extension; None for a refusal."""
    if "." not in name or len(name) >= 130:
        return None
    stem, extension = name.lower().rsplit(".", 1)
    suffix = re.sub(r"[^0-9a-z]", "", extension)
    plain = re.sub(r"[^0-9a-z_-]", "", stem[:64])
    return f"{plain}.{suffix}" if plain and re.search("[a-z]", suffix) else None


class TestClean:
    @pytest.mark.parametrize("form", ["NFC", "NFD"])
    @pytest.mark.parametrize("name", REAL_NAMES, ids=ascii)
    def test_keeps_what_people_read_in_a_name(self, name: str, form: Literal["NFC", "NFD"]) -> None:
        assert names.clean(unicodedata.normalize(form, name)) == REAL_NAMES[name]

    @pytest.mark.parametrize(
        ("name", "cleaned"),
        [
            (f"{'a' * 125}.pdf", f"{'a' * 64}.pdf"),
            ("æ" * 64 + ".pdf", "ae" * 32 + ".pdf"),
            (unicodedata.normalize("NFD", "é" * 125) + ".pdf", "e" * 64 + ".pdf"),
            ("safe\u202efdp.план.pdf", "safefdpплан.pdf"),
            ("plan\u200b.pdf", "plan.pdf"),
            ("plan \u2764\ufe0f.pdf", "plan.pdf"),
            ("план \u2764\ufe0f.pdf", "план.pdf"),
            ("\u0301plan.pdf", "plan.pdf"),
            ("plan\u3164\u115f.pdf", "plan.pdf"),
        ],
        ids=ascii,
    )
    def test_cuts_a_long_name_and_drops_what_cannot_be_seen(self, name: str, cleaned: str) -> None:
        assert names.clean(name) == cleaned

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("", "needs an extension"),
            ("plan", "needs an extension"),
            ("plan.", "needs a letter"),
            ("a.123", "needs a letter"),
            ("план.пдф", "needs a letter"),
            (".png", "a letter or a digit"),
            ("€.pdf", "a letter or a digit"),
            ("\u0301.pdf", "a letter or a digit"),
            ("\u3164.pdf", "a letter or a digit"),
            (f"{'a' * 126}.pdf", "129 characters"),
            ("a\x00b.pdf", "control characters"),
            ("a\x85b.pdf", "control characters"),
            ("broken\ufffd.pdf", "broken text"),
            ("lone\ud800.pdf", "broken text"),
            ("../../etc/passwd.pdf", "another folder"),
            ("..\\boot.pdf", "another folder"),
            ("a/../b.pdf", "another folder"),
        ],
        ids=lambda value: ascii(value)[:30],
    )
    def test_refuses_with_the_reason(self, name: str, reason: str) -> None:
        with pytest.raises(UnusableFileNameError, match=reason) as error:
            names.clean(name)
        assert error.value.fields == {"file": [str(error.value)]}

    @given(st.text(ASCII, max_size=140))
    @settings(max_examples=150, deadline=None)
    def test_agrees_with_the_old_api_on_every_ascii_name(self, name: str) -> None:
        expected = as_flask_cleaned(name)
        if expected is None or names.PARENT_FOLDER.search(name):
            with pytest.raises(UnusableFileNameError):
                names.clean(name)
        else:
            assert names.clean(name) == expected

    @given(st.text(ANY, max_size=140))
    @settings(max_examples=150, deadline=None)
    def test_makes_a_harmless_name_of_anything_or_refuses(self, name: str) -> None:
        try:
            stem, _, extension = names.clean(name).rpartition(".")
        except UnusableFileNameError:
            return
        assert 0 < len(stem) <= names.STEM_LENGTH
        assert not set(stem) & set("./\\%?#&\"' ")
        assert stem.isprintable()
        assert re.fullmatch("[0-9a-z]*[a-z][0-9a-z]*", extension)

    @given(st.text(ANY, max_size=140))
    @settings(max_examples=150, deadline=None)
    def test_makes_one_name_of_both_unicode_forms(self, name: str) -> None:
        composed, decomposed = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
        assert self.cleaned_or_refused(composed) == self.cleaned_or_refused(decomposed)

    def cleaned_or_refused(self, name: str) -> str:
        try:
            return names.clean(name)
        except UnusableFileNameError as refusal:
            return str(refusal)


class TestPresentation:
    @pytest.mark.parametrize(
        ("name", "content_type"), [("plan.pdf", "application/pdf"), ("photo.JPG", "image/jpeg")]
    )
    def test_shows_documents_and_raster_images(self, name: str, content_type: str) -> None:
        assert names.presentation(name) == (content_type, f'inline; filename="{name}"')

    @pytest.mark.parametrize(
        ("name", "quoted_name"),
        [
            *((name, f'"{name}"') for name in ("page.HTM", "drawing.svg", "a.pdf.html", "noextension")),
            *((f"plan{unseen}fdp.exe", '"planfdp.exe"') for unseen in "\u202e\u2066\u200f\u2028\x85\r\n"),
            ('a"; filename="evil.html', r'"a\"; filename=\"evil.html"'),
        ],
        ids=ascii,
    )
    def test_only_hands_over_everything_else_under_its_name(self, name: str, quoted_name: str) -> None:
        assert names.presentation(name) == ("application/octet-stream", f"attachment; filename={quoted_name}")

    def test_keeps_what_joins_letters_of_other_scripts(self) -> None:
        disposition = names.presentation("\u0645\u06cc\u200c\u062e.pdf").content_disposition
        assert "%E2%80%8C" in disposition

    @given(st.text(ANY))
    @settings(max_examples=150, deadline=None)
    def test_makes_headers_of_any_name(self, name: str) -> None:
        media_type, disposition = names.presentation(name)
        assert (media_type == names.BINARY_TYPE) == disposition.startswith("attachment")
        assert disposition.isascii()
        assert disposition.isprintable()
