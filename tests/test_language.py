"""The language check finds each fault, and only faults."""

from pathlib import Path

import pytest

from tests import language

LONG_SENTENCE = "The caller " + "really " * 28 + "calls."
LONG_NAME = "test_" + "x" * 56


class TestCheck:
    @pytest.mark.parametrize(
        ("name", "text", "problem"),
        [
            ("a.py", "x = 1\n# Whoever calls first.\n", "a.py:2: “Whoever”. Write: name the agent"),
            ("a.py", "def lets_nobody_in(): ...\n", "a.py:1: “nobody”"),
            ("a.py", f"def {LONG_NAME}(): ...\n", "a.py:1: a test name of 61 characters"),
            ("a.md", "# Title\n\nOne thing;\nanother.\n", "a.md:3: a semicolon"),
            ("a.md", f"Short.\n\n- {LONG_SENTENCE} Short.\n", "a.md:3: a sentence of 31 words"),
            ("a.md", f"| cell | {LONG_SENTENCE} |\n", "a.md:1: a sentence of 31 words"),
            ("a.html", "<p>It is read anew.</p>\n", "a.html:1: “anew”. Write: again."),
        ],
    )
    def test_names_line_and_remedy(self, tmp_path: Path, name: str, text: str, problem: str) -> None:
        path = tmp_path / name
        path.write_text(text)

        problems = list(language.check(path))

        assert len(problems) == 1
        assert problem in problems[0]

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("a.py", 'USER = "nobody"\n'),
            ("a.py", f"def {LONG_NAME[:-1]}(): ...\n"),
            ("a.md", "Write `a; b`.\n\n```sh\na; b\n```\n"),
            ("a.md", f"{LONG_SENTENCE[:-7]}. And {LONG_SENTENCE.removeprefix('The caller really ')}\n"),
            ("a.md", "- " + "\n- ".join(["One item of ten words that is no sentence alone"] * 4) + "\n"),
        ],
    )
    def test_accepts_plain_language(self, tmp_path: Path, name: str, text: str) -> None:
        path = tmp_path / name
        path.write_text(text)

        assert list(language.check(path)) == []


class TestCheckVariables:
    def test_lists_participles_when_there_are_too_many(self, tmp_path: Path) -> None:
        path = tmp_path / "a.py"
        path.write_text("found = 1\n\n\ndef save(_made, rows): ...\n" + "\n" * 1000)

        first, second = language.check_variables([path])

        assert "a.py:1: the variable `found` is no noun" in first
        assert "a.py:4: the variable `_made` is no noun" in second

    def test_accepts_a_few(self, tmp_path: Path) -> None:
        path = tmp_path / "a.py"
        path.write_text("found = 1\n" + "\n" * 1000)

        assert language.check_variables([path]) == []


class TestMain:
    def test_fails_with_the_problems_of_the_given_files(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "a.md").write_text("Nobody reads this.\n")

        assert language.main([str(tmp_path / "a.md")]) == 1
        assert "a.md:1: “Nobody”" in capsys.readouterr().out
