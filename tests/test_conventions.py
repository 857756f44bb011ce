"""Rules of this project that no linter can see."""

import ast
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import get_resolver

from apps.core import errors
from apps.core.errors import MopedError

ROOT = Path(settings.BASE_DIR)
SOURCES = sorted(
    path
    for folder in ("apps", "moped_api")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts
)
# Who may read or write the environment: the settings, and what supplies a laptop's.
ENVIRONMENT_READERS = {"apps/deployment/environment.py", "moped_api/settings.py", "moped_api/wsgi.py"}
NAMELESS = {"utils.py", "helpers.py", "common.py", "misc.py"}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


TREES = {path: ast.parse(path.read_text()) for path in SOURCES}


def attributes(tree: ast.Module) -> set[str]:
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def patched_modules(tree: ast.Module) -> set[str]:
    """Return the modules of which the source sets an attribute."""
    imports = [alias for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    patched = {
        ast.unparse(node.value).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    return patched & {alias.asname or alias.name.partition(".")[0] for alias in imports}


def subclasses(kind: type[MopedError]) -> set[type[MopedError]]:
    return {subclass for child in kind.__subclasses__() for subclass in {child, *subclasses(child)}}


class TestSource:
    def test_has_no_file_without_a_subject(self) -> None:
        assert not [relative(path) for path in SOURCES if path.name in NAMELESS]

    def test_is_split_before_it_grows_long(self) -> None:
        assert not [relative(path) for path in SOURCES if len(path.read_text().splitlines()) > 300]

    def test_reads_the_environment_in_one_place(self) -> None:
        readers = {
            relative(path)
            for path, tree in TREES.items()
            if "devstack" not in path.parts and {"environ", "getenv"} & attributes(tree)
        }

        assert readers == ENVIRONMENT_READERS

    def test_patches_no_library(self) -> None:
        assert not [
            relative(path)
            for path, tree in TREES.items()
            if not {"devstack", "deployment"}.intersection(path.parts) and patched_modules(tree)
        ]

    def test_spells_hasuras_claims_in_one_place(self) -> None:
        spellers = {relative(path) for path in SOURCES if "x-hasura-" in path.read_text()}

        assert spellers == {"apps/claims/hasura.py"}


TESTS = sorted((ROOT / "tests").rglob("*.py"))


def literal_limits(call: ast.Call) -> list[int]:
    """Return the lines where a call is given a number of seconds to wait."""
    if isinstance(call.func, ast.Name) and call.func.id == "timedelta":
        return []
    waits = isinstance(call.func, ast.Attribute) and call.func.attr in {"wait", "join"}
    limits = [keyword.value for keyword in call.keywords if keyword.arg in {"timeout", "seconds"}]
    return [
        value.lineno
        for value in [*limits, *(call.args if waits else [])]
        if isinstance(value, ast.Constant) and isinstance(value.value, int | float) and value.value >= 1
    ]


class TestTests:
    """Tests wait for events with one limit: tests/support/waiting.py."""

    def test_have_no_limit_of_their_own(self) -> None:
        calls = [
            (path, node)
            for path in TESTS
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call)
        ]

        assert [f"{relative(path)}:{line}" for path, call in calls for line in literal_limits(call)] == []


class TestErrors:
    def test_have_a_code_of_their_own(self) -> None:
        for route in get_resolver().url_patterns:  # imports every view, and with them every error
            assert route
        kinds = {kind for kind in subclasses(MopedError) if kind.__module__.startswith("apps.")}

        codes = [kind.code for kind in kinds if kind.__module__ != errors.__name__ and "code" in vars(kind)]
        assert len(codes) == len(set(codes))
        assert all(kind.message.endswith(".") for kind in kinds)


def anchors(document: Path) -> set[str]:
    """Return the names that GitHub gives to the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_nowhere(document: Path, path: str, anchor: str) -> bool:
    """Return whether there is no such file, or no such heading in it."""
    target = document.parent / path if path else document
    return not target.exists() or (bool(anchor) and anchor not in anchors(target))


def broken_links(document: Path) -> list[str]:
    """Return the relative links of a document that lead to no file, or to no heading of it."""
    prose = re.sub(r"```.*?```|`[^`]*`", "", document.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", prose)
    return [f"{relative(document)}: {link}" for link in links if leads_nowhere(document, *link)]


class TestDocuments:
    def test_link_to_files_and_headings_that_exist(self) -> None:
        documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "tests" / "README.md"]

        assert [link for document in documents for link in broken_links(document)] == []


def locked(requirements: str) -> set[str]:
    """Return the `name==version` pins of a requirement set, without extras."""
    lines = (ROOT / "requirements" / f"{requirements}.txt").read_text().splitlines()
    pins = (re.sub(r"\[.*\]", "", line) for line in lines)
    return {pin.partition(";")[0].strip(" \\") for pin in pins if "==" in pin}


def packages_outside(requirements: str) -> set[str]:
    """Return the import names that only distributions outside a requirement set bring."""
    inside = {normalized(pin.partition("==")[0]) for pin in locked(requirements)}
    return {
        package
        for package, distributions in packages_distributions().items()
        if inside.isdisjoint(map(normalized, distributions))
    }


def normalized(distribution: str) -> str:
    return distribution.lower().replace("_", "-").replace(".", "-")


def imported_packages(tree: ast.Module) -> set[str]:
    """Return the packages that the source imports at any time, without those of type checkers alone."""
    nodes = list(ast.walk(tree))
    modules = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {module.partition(".")[0] for module in modules if not module.startswith("mypy_boto3")}


class TestRequirements:
    """`make rehearse` and tests/deployment/package run what they install."""

    def test_of_production_are_all_that_requests_import(self) -> None:
        outside = packages_outside("production") - {"botocore"}  # Lambda's own

        assert outside >= {"boto3", "pytest", "requests", "yaml", "zappa"}
        assert not [
            (relative(path), package)
            for path, tree in TREES.items()
            if not {"devstack", "deployment", "reference"}.intersection(path.parts)
            for package in imported_packages(tree) & outside
        ]

    @pytest.mark.parametrize(("lower", "upper"), [("production", "staging"), ("staging", "development")])
    def test_extend_each_other(self, lower: str, upper: str) -> None:
        assert locked(lower) < locked(upper)
