"""What a browser may do with a file."""

import pytest

from apps.files import content_types


class TestPresentation:
    @pytest.mark.parametrize(
        "name", ["plan.pdf", "photo.JPG", "photo.jpeg", "scan.tiff", "map.png", "a.webp"]
    )
    def test_shows_documents_and_raster_images(self, name: str) -> None:
        headers = content_types.presentation(name)
        assert headers.content_type in {
            "application/pdf",
            "image/jpeg",
            "image/tiff",
            "image/png",
            "image/webp",
        }
        assert headers.content_disposition.startswith("inline")

    @pytest.mark.parametrize(
        "name",
        ["page.HTM", "drawing.svg", "x.xml", "a.pdf.html", "noextension"],
    )
    def test_only_hands_over_everything_else(self, name: str) -> None:
        assert content_types.presentation(name) == (
            "application/octet-stream",
            f'attachment; filename="{name}"',
        )

    @pytest.mark.parametrize("unseen", ["\u202e", "\u2066", "\u200f", "\u2028", "\x85", "\r\n"], ids=ascii)
    def test_leaves_out_what_makes_a_name_look_like_another(self, unseen: str) -> None:
        assert content_types.presentation(f"plan{unseen}fdp.exe").content_disposition == (
            'attachment; filename="planfdp.exe"'
        )

    def test_keeps_what_joins_letters_of_other_scripts(self) -> None:
        disposition = content_types.presentation("\u0645\u06cc\u200c\u062e.pdf").content_disposition
        assert "%E2%80%8C" in disposition

    def test_keeps_quotes_from_ending_the_name(self) -> None:
        disposition = content_types.presentation('a"; filename="evil.html').content_disposition
        assert disposition == r'attachment; filename="a\"; filename=\"evil.html"'
