"""What is in the package, and what its start imports."""

import io
import json
import os
import re
import subprocess
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from django.core.management import call_command
from elftools.elf.elffile import ELFFile

from apps.deployment.errors import StageError
from apps.deployment.package import builder, shared_objects
from apps.deployment.package.interpreter import Target, target_of_file
from apps.deployment.paths import REQUIREMENTS
from tests.deployment.conftest import VARIABLES

pytestmark = pytest.mark.slow(cost=20)

NOT_IN_THE_PACKAGE = {
    ".env",
    "apps/core/blueprint",
    "apps/deployment",
    "apps/devstack",
    "boto3",
    "botocore",
    "drf_spectacular",
    "ecdsa",
    "handler.py",
    "infrastructure",
    "pip",
    "pytest",
    "requests",
    "setuptools",
    "tests",
    "troposphere",
    "yaml",
    "zappa",
    "zappa_settings.py",
}
# Bytecode that is missing, or not of this Python, or compared with its source at the start (PEP 552).
LIST_INVALID_BYTECODE = """
import sys
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path

header = MAGIC_NUMBER + (1).to_bytes(4, "little")
task = Path(sys.argv[1])
for source in task.rglob("*.py"):
    compiled = Path(cache_from_source(str(source)))
    if not compiled.is_file() or compiled.read_bytes()[:16] != header + source_hash(source.read_bytes()):
        print(source)
for library in task.rglob("*.pyc"):
    if library.read_bytes()[:8] != header:
        print(library)
"""
# Top-level modules that are neither Python's own nor the runtime client's. Measure the cost before
# you add one (docs/benchmarks.md).
IMPORTED_AT_START = {
    "_cffi_backend",
    "apps",
    "asgiref",
    "corsheaders",
    "cryptography",
    "dj_database_url",
    "django",
    "jose",
    "jwt",
    "moped_api",
    "msgspec",
    "rest_framework",
    "rest_framework_simplejwt",
    "six",
    "sqlparse",
    "typing_extensions",
}
TOO_DEAR_AT_START = {
    "boto3",
    "cryptography.x509",
    "django.contrib.admin",
    "django.contrib.auth.models",
    "django.test",
    "http.server",
    "psycopg",
    "unittest",
}
LIST_MODULES = """
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
import moped_api.lambda_handler
import json
print(json.dumps(sorted(name for name in set(sys.modules) - before if sys.modules[name] is not None)))
"""


@pytest.fixture(scope="module")
def modules(task: Path, lambda_python: Path) -> set[str]:
    run = subprocess.run(
        [lambda_python, "-P", "-c", LIST_MODULES, task],
        env={**VARIABLES, "AWS_DEFAULT_REGION": "us-east-1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout.splitlines()[-1]))


class TestPackage:
    def test_has_valid_bytecode_and_only_our_sources(self, task: Path, runtime_python: Path) -> None:
        command: list[str | Path] = [runtime_python, "-c", LIST_INVALID_BYTECODE, task]

        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == ""
        assert {path.relative_to(task).parts[0] for path in task.rglob("*.py")} == set(builder.SHIPPED)
        assert (task / "django" / "__init__.pyc").is_file()

    def test_holds_nothing_that_a_request_does_not_need(self, task: Path) -> None:
        assert {name for name in NOT_IN_THE_PACKAGE if (task / name).exists()} == set()

    def test_is_not_built_again_from_the_same_sources(self, built: builder.Package) -> None:
        modified_at, out = built.path.stat().st_mtime_ns, io.StringIO()

        call_command("package", "production", stdout=out)

        assert out.getvalue().endswith(f"sha256 {built.digest}\n")
        assert built.path.stat().st_mtime_ns == modified_at

    def test_for_arm64_holds_shared_objects_for_arm64_only(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # One library of the lock is enough, and packed in a second.
        lock = (REQUIREMENTS / "production.txt").read_text()
        (tmp_path / "production.txt").write_text(
            re.findall(r"^msgspec==.*(?:\n +.*)*", lock, re.MULTILINE)[0]
        )
        monkeypatch.setattr(builder, "REQUIREMENTS", tmp_path)
        monkeypatch.setattr(builder, "SHIPPED", ("moped_api",))

        arm64 = builder.build("production", tmp_path / "build", Target("python3.13", "arm64"))

        with zipfile.ZipFile(arm64.path) as zipped:
            objects = [
                zipped.read(name) for name in zipped.namelist() if shared_objects.is_shared_object(name)
            ]
        assert {ELFFile(BytesIO(content))["e_machine"] for content in objects} == {"EM_AARCH64"}

    def test_of_an_unknown_set_is_refused_by_name(self) -> None:
        with pytest.raises(StageError, match=r"requirements/laptop\.txt"):
            builder.build("laptop")

    def test_that_was_never_built_says_how_to(self, tmp_path: Path) -> None:
        with pytest.raises(StageError, match=r"manage\.py package"):
            builder.describe(tmp_path / "nothing.zip", target_of_file())

    def test_that_grew_too_large_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(builder.LARGEST_BYTES, "staging", builder.MIB)
        (tmp_path / "large.zip").write_bytes(bytes(2**20 + 1))

        with pytest.raises(StageError, match="more than 1 MiB"):
            builder.describe(tmp_path / "large.zip", target_of_file())


class TestPack:
    def test_gives_the_same_bytes_whatever_order_and_dates_came_in(
        self, tmp_path: Path, runtime_python: Path
    ) -> None:
        files = {"a/__init__.py": "", "a/b.py": "NAMES = {'x', 'y', 'z'}\n", "data.txt": "text"}
        for number, order in enumerate((sorted(files), sorted(files, reverse=True))):
            for name in order:
                path = tmp_path / f"in{number}" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(files[name])
                os.utime(path, (10**9 + number, 10**9 + number))
            builder.pack(tmp_path / f"in{number}", tmp_path / f"out{number}.zip", runtime_python)

        first, second = ((tmp_path / f"out{number}.zip").read_bytes() for number in (0, 1))
        assert first == second

    def test_leaves_out_bytecode_that_came_with_a_library(self, tmp_path: Path, runtime_python: Path) -> None:
        cached = tmp_path / "in" / "a" / "__pycache__" / "b.cpython-311.pyc"
        cached.parent.mkdir(parents=True)
        cached.write_bytes(b"of the Python that builds, with a date")
        (tmp_path / "in" / "a" / "b.py").write_text("")

        builder.pack(tmp_path / "in", tmp_path / "out.zip", runtime_python)

        with zipfile.ZipFile(tmp_path / "out.zip") as zipped:
            assert zipped.namelist() == ["a/b.pyc"]

    def test_names_the_module_that_is_no_python(self, tmp_path: Path, runtime_python: Path) -> None:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "broken.py").write_text("def (:\n")

        with pytest.raises(StageError, match="compile the package"):
            builder.pack(tmp_path / "in", tmp_path / "out.zip", runtime_python)


class TestStart:
    def test_imports_only_what_was_weighed(self, modules: set[str], task: Path) -> None:
        shipped = {path.name.partition(".")[0] for path in task.iterdir()}
        imported = {name.partition(".")[0] for name in modules} & shipped

        assert imported <= IMPORTED_AT_START, "weigh it first: docs/benchmarks.md"

    def test_imports_nothing_that_only_some_requests_need(self, modules: set[str]) -> None:
        assert not modules & TOO_DEAR_AT_START
