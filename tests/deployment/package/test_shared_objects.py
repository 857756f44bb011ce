"""What Lambda's runtime could not load, made out of a shared object that it can load."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from apps.deployment.errors import StageError
from apps.deployment.package import builder, shared_objects
from apps.deployment.package.target import Target, target_of_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow(cost=5)

TARGET = target_of_file()
TAG = f"cpython-{TARGET.python.replace('.', '')}"


@pytest.fixture(scope="module")
def loadable(built: builder.Package) -> bytes:
    """Return an extension of a package that was built for the target."""
    with zipfile.ZipFile(built.path) as zipped:
        name = next(name for name in zipped.namelist() if name.startswith("msgspec/_core.cpython-"))
        return zipped.read(name)


@pytest.fixture
def packed(tmp_path: Path) -> Callable[..., Path]:
    """Return a maker of packages that hold one file."""

    def pack(content: bytes, name: str = "library.so") -> Path:
        with zipfile.ZipFile(tmp_path / "package.zip", "w") as zipped:
            zipped.writestr(f"msgspec/{name}", content)
        return tmp_path / "package.zip"

    return pack


class TestRequireLoadable:
    def test_accepts_what_the_target_loads(self, loadable: bytes, packed: Callable[..., Path]) -> None:
        shared_objects.require_loadable(packed(loadable, f"msgspec.{TAG}-x86_64-linux-gnu.so"), TARGET)

    @pytest.mark.parametrize(
        ("present", "absent", "reason"),
        [
            (b"\0GLIBC_2.14\0", b"\0GLIBC_2.35\0", r"it needs GLIBC_2\.35, and the runtime has glibc 2\.34"),
            (b"\0GLIBC_2.14\0", b"\0GLIBC_ABI_\0", "it needs GLIBC_ABI_, and the runtime has glibc"),
            (b"\0libc.so.6\0", b"\0libx.so.6\0", r"it needs libx\.so\.6, which neither"),
            (b"\x7fELF", b"MZ\x90\0", "it is not an ELF file"),
        ],
        ids=["newer glibc", "newer ABI of glibc", "library of another system", "not ELF"],
    )
    def test_refuses(
        self, present: bytes, absent: bytes, reason: str, loadable: bytes, packed: Callable[..., Path]
    ) -> None:
        assert present in loadable

        with pytest.raises(StageError, match=reason):
            shared_objects.require_loadable(packed(loadable.replace(present, absent)), TARGET)

    def test_refuses_another_processor(self, loadable: bytes, packed: Callable[..., Path]) -> None:
        other = {"x86_64": "arm64", "arm64": "x86_64"}[TARGET.architecture]

        with pytest.raises(StageError, match=rf"on {other} cannot load msgspec/library\.so .* processor EM_"):
            shared_objects.require_loadable(packed(loadable), Target(TARGET.runtime, other))

    @pytest.mark.parametrize("name", ["msgspec.cpython-311-darwin.so", "msgspec.cp311-win_amd64.pyd"])
    def test_refuses_an_extension_of_another_python(
        self, name: str, loadable: bytes, packed: Callable[..., Path]
    ) -> None:
        with pytest.raises(StageError, match="it is an extension of another Python"):
            shared_objects.require_loadable(packed(loadable, name), TARGET)

    def test_refuses_what_is_no_zip_file(self, tmp_path: Path) -> None:
        (tmp_path / "cut-off.zip").write_bytes(b"PK\x03\x04")

        with pytest.raises(StageError, match=r"cut-off\.zip is not a zip file"):
            shared_objects.require_loadable(tmp_path / "cut-off.zip", TARGET)

    def test_refuses_a_package_that_was_built_before(
        self, loadable: bytes, packed: Callable[..., Path]
    ) -> None:
        path = packed(loadable.replace(b"\0GLIBC_2.14\0", b"\0GLIBC_2.35\0"))

        with pytest.raises(StageError, match=r"GLIBC_2\.35"):
            builder.describe(path, TARGET)
