"""What Lambda's runtime could not load, made out of a shared object that it can load."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.deployment.errors import StageError
from apps.deployment.package import builder
from apps.deployment.package.interpreter import Target, target_of_file

Pack = Callable[[bytes, str], Path]


pytestmark = pytest.mark.slow(cost=5)

TARGET = target_of_file()


@pytest.fixture(scope="module")
def loadable(built: builder.Package) -> bytes:
    """Return an extension of a package that was built for the target."""
    with zipfile.ZipFile(built.path) as zipped:
        name = next(name for name in zipped.namelist() if name.startswith("msgspec/_core.cpython-"))
        return zipped.read(name)


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Return a maker of packages that hold one file."""

    def make(content: bytes, name: str) -> Path:
        with zipfile.ZipFile(tmp_path / "package.zip", "w") as zipped:
            zipped.writestr(f"msgspec/{name}", content)
        return tmp_path / "package.zip"

    return make


class TestRequireLoadable:
    @pytest.mark.parametrize(
        ("present", "absent", "name", "reason"),
        [
            (
                b"\0GLIBC_2.14\0",
                b"\0GLIBC_2.35\0",
                "x.so",
                r"needs GLIBC_2\.35, and the runtime has glibc 2\.34",
            ),
            (b"\0GLIBC_2.14\0", b"\0GLIBC_ABI_\0", "x.so", "it needs GLIBC_ABI_, and the runtime has glibc"),
            (b"\0libc.so.6\0", b"\0libc.musl\0", "x.so", r"it needs libc\.musl, and the runtime has glibc"),
            (b"\x7fELF", b"MZ\x90\0", "x.dll", "it is not an ELF file"),
            (b"", b"", "x.cpython-311-darwin.so", "it is an extension of another Python"),
            (b"", b"", "x.cp311-win_amd64.pyd", "it is an extension of another Python"),
        ],
    )
    def test_refuses_what_the_target_cannot_load(
        self, loadable: bytes, pack: Pack, present: bytes, absent: bytes, name: str, reason: str
    ) -> None:
        assert present in loadable

        with pytest.raises(StageError, match=reason):
            builder.describe(pack(loadable.replace(present, absent), name), TARGET)

    def test_refuses_another_processor(self, loadable: bytes, pack: Pack) -> None:
        other = {"x86_64": "arm64", "arm64": "x86_64"}[TARGET.architecture]

        with pytest.raises(StageError, match=rf"on {other} cannot load msgspec/x\.so .* processor EM_"):
            builder.describe(pack(loadable, "x.so"), Target(TARGET.runtime, other))

    def test_refuses_what_is_no_zip_file(self, tmp_path: Path) -> None:
        (tmp_path / "cut-off.zip").write_bytes(b"PK\x03\x04")

        with pytest.raises(StageError, match=r"cut-off\.zip is not a zip file"):
            builder.describe(tmp_path / "cut-off.zip", TARGET)
