"""Names as they stand in keys."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.files import names
from apps.files.errors import UnusableFileNameError

PLAIN = st.characters(codec="ascii", exclude_categories=["Cc"])
ANY = st.characters(exclude_categories=["Cs"])


def as_flask_cleaned(name: str) -> str | None:
    """Clean as contract 1.6.1 describes it; None where the old API refused."""
    if "." not in name or len(name) >= 130:
        return None
    stem, extension = name.rsplit(".", 1)
    letters = re.sub(r"[^a-z]", "", extension.lower())
    plain = re.sub(r"[^0-9a-z_-]", "", stem.lower()[:64])
    return f"{plain}.{letters}" if plain and letters else None


class TestClean:
    @pytest.mark.parametrize(
        ("name", "cleaned"),
        [
            ("Plan Set v1.2 (final).PDF", "plansetv12final.pdf"),
            ("My File.tar.gz", "myfiletar.gz"),
            ("a.p1d2f", "a.pdf"),
            ("under_score-and-dash.docx", "under_score-and-dash.docx"),
            ("Plans 3/4.pdf", "plans34.pdf"),
            ("Café plan.pdf", "cafplan.pdf"),
            ("R_D.pdf", "r_d.pdf"),
            (f"{'a' * 125}.pdf", f"{'a' * 64}.pdf"),
        ],
        ids=str,
    )
    def test_cleans_as_the_editor_has_always_seen_it(self, name: str, cleaned: str) -> None:
        assert names.clean(name) == cleaned

    @pytest.mark.parametrize(
        ("name", "cleaned"),
        [
            ("План 2026.pdf", "план2026.pdf"),
            ("計画図.PDF", "計画図.pdf"),
            ("خطة.pdf", "خطة.pdf"),
            ("योजना.pdf", "योजना.pdf"),
            ("É.pdf", "é.pdf"),
            ("ＰＬＡＮ.pdf", "plan.pdf"),
            ("safe\u202efdp.план.pdf", "safefdpплан.pdf"),
            ("план" * 30 + ".pdf", "план" * 16 + ".pdf"),
        ],
        ids=ascii,
    )
    def test_keeps_other_scripts_readable(self, name: str, cleaned: str) -> None:
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
            ("...", "needs a letter"),
            (f"{'a' * 126}.pdf", "130"),
            ("a" * 10_000, "10000"),
            ("a\x00b.pdf", "control characters"),
            ("a\r\nb.pdf", "control characters"),
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
        with pytest.raises(UnusableFileNameError, match=reason) as caught:
            names.clean(name)
        assert caught.value.fields == {"file": [str(caught.value)]}

    @given(st.text(PLAIN, max_size=140))
    @settings(max_examples=150, deadline=None)
    def test_agrees_with_the_old_api_on_every_plain_name(self, name: str) -> None:
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
        assert re.fullmatch("[a-z]+", extension)
