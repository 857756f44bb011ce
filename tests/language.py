"""
Checks the language of code and documents: `make lint`, or `python -m tests.language FILE…`.

Prints one line for each problem and exits with 1 if there is one. CONTRIBUTING.md has the rules.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
CHECKED = (".py", ".md", ".html", ".yml", ".yaml", "-tpl")
# Wrong on purpose, or generated.
EXEMPT = ("tests/language.py", "tests/test_language.py", "docs/reference/", "openapi.yaml")

WORDS = {
    "whoever|whomever": "name the agent: the caller, the operator, the other process",
    "(?<![\"'`])nobody(?![\"`]|'(?!s))": "no user, no caller, not",  # in quotes it is the Unix user
    "somebody|anybody": "name the agent: a person, another user, any caller",
    "everybody": "all users, all callers",
    "oneself": "their own account",
    "anew": "again",
    "(?:that|which) (?:is|are) none": "say what it is: `not a token`, `invalid`",
    "led back|lead back|leads back": "rolled back",
    "today's (?:api|hook|message)": "the Flask API",
    "leash|theatre": "the plain term in docs/glossary.md",
}
TERM = re.compile(f"(?<![a-z])(?:{'|'.join(f'({words})' for words in WORDS)})(?![a-z])", re.IGNORECASE)
PARTICIPLES = re.compile(
    "_*(asked|begun|called|caught|denied|described|done|found|given|gone|granted|heard|held|kept|known|left"
    "|listed|made|meant|named|noticed|promised|raised|refused|remembered|said|seen|sent|shown|signed|stored"
    "|taken|told|typed|verified|wanted|written|wrong|it|ours|theirs|others|everyone|one|this|what|who|whose)",
    re.IGNORECASE,
)
PARTICIPLES_PER_1000_LINES = 1
NAME_CHARACTERS = 60
SENTENCE_WORDS = 30
SENTENCE_END = re.compile(r"(?<=[.!?:])[*_)\"]*\s+(?=[*_(\"]*[A-Z0-9])")
CODE = re.compile(r"^ *```.*?^ *```|`[^`]*`|\]\([^)]*\)|&\w+;", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"(?:^[^\n]*\S[^\n]*\n?(?!\s*(?:[-*#|>]|\d+\.) |\|))+", re.MULTILINE)
MARKER = re.compile(r"^\s*(?:[-*#>]+|\d+\.) ")


def main(arguments: list[str]) -> int:
    """Check the given files, or all files in Git; return the exit code."""
    tracked = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True)
    paths = [
        Path(argument).resolve() for argument in arguments or map(PROJECT.joinpath, tracked.stdout.split())
    ]
    checked = [
        path
        for path in paths
        if path.name.endswith(CHECKED) and path.is_file()
        if not _name(path).startswith(EXEMPT)
    ]
    problems = [problem for path in checked for problem in check(path)]
    problems += [] if arguments else check_variables(checked)
    print(*problems, sep="\n", end="\n" if problems else "")  # noqa: T201 - what a linter is for
    return 1 if problems else 0


def check(path: Path) -> Iterator[str]:
    """Yield what is wrong with the words, the sentences and the test names of one file."""
    text = path.read_text(encoding="utf-8")
    for line, content in enumerate(text.split("\n"), 1):
        for match in TERM.finditer(content):
            advice = [*WORDS.values()][(match.lastindex or 1) - 1]
            yield f"{_name(path)}:{line}: “{match[0]}”. Write: {advice}."
    for line, problem in {".md": _sentences, ".py": _test_names}.get(path.suffix, lambda _: ())(text):
        yield f"{_name(path)}:{line}: {problem}"


def check_variables(paths: list[Path]) -> list[str]:
    """Return the variables named by a participle or a pronoun, if there are too many."""
    sources = {path: path.read_text(encoding="utf-8") for path in paths if path.suffix == ".py"}
    problems = [
        f"{_name(path)}:{node.lineno}: the variable `{name}` is no noun. Name what it holds."
        for path, text in sources.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.arg) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
        if PARTICIPLES.fullmatch(name := node.arg if isinstance(node, ast.arg) else node.id)
    ]
    lines = sum(text.count("\n") for text in sources.values())
    return problems if len(problems) * 1000 > PARTICIPLES_PER_1000_LINES * lines else []


def _sentences(text: str) -> Iterator[tuple[int, str]]:
    prose = CODE.sub(lambda code: ("Code" if code[0][0] == "`" else "") + "\n" * code[0].count("\n"), text)
    for block in BLOCK.finditer(prose):
        line = prose.count("\n", 0, block.start()) + 1
        for sentence in re.split(rf"\||{SENTENCE_END.pattern}", MARKER.sub("", block[0])):
            if ";" in sentence:
                yield line, "a semicolon. Write two sentences."
            if (words := len(sentence.split())) > SENTENCE_WORDS:
                yield line, f"a sentence of {words} words (“{sentence[:40]}…”). Write two."


def _test_names(text: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            characters = len(node.name)
            if characters > NAME_CHARACTERS:
                yield node.lineno, f"a test name of {characters} characters. Write at most {NAME_CHARACTERS}."


def _name(path: Path) -> str:
    return os.path.relpath(path, PROJECT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
