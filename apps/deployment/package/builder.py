"""
The package that Lambda runs: production requirements, the project, and nothing else.

A folder gets the libraries that a request needs and the files that we ship. Zappa would copy the whole
project and leave out what patterns name. apps.deployment.package.archive packs the folder.

Wheels are chosen and bytecode is made for the target, Lambda's runtime, and not for the machine that
builds: any Python that runs uv builds the same package.

Nothing in a package names a stage: what is rehearsed, run as staging and promoted to production
is the same file, known by its digest.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from apps.deployment import subprocesses
from apps.deployment.errors import StageError
from apps.deployment.package import archive, interpreter, shared_objects
from apps.deployment.package.interpreter import UV
from apps.deployment.package.target import target_of, target_of_file
from apps.deployment.paths import BUILD, PROJECT, REQUIREMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apps.deployment.package.target import Target
    from apps.deployment.settings.rendering import Stage

MIB = 1024 * 1024
# What starts fast; the second shows pages to browsers, and carries them.
LARGEST_BYTES = {"production": 15 * MIB, "staging": 17 * MIB}
WITH_PAGES = {"staging"}
SHIPPED = ("moped_api", "apps")
# Relative to the project: tools, and the template of a new app.
NOT_SHIPPED = ("apps/deployment", "apps/devstack", "apps/core/blueprint")


@dataclass(frozen=True, slots=True)
class Package:
    """A package on disk."""

    path: Path
    digest: str
    size: int


def build(requirements: str, folder: Path = BUILD, target: Target | None = None) -> Package:
    """
    Build the package, byte for byte the same from the same sources.

    :param requirements: "production", or "staging" for stages that show pages to browsers
    :param target: the runtime and processor; by default those of all stages in zappa_settings.json
    :raises StageError: if a step fails, the package is larger than it may be, or the target cannot load it
    """
    target = target or target_of_file()
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / f"moped-api-{requirements}.zip"
    python = interpreter.find(target.python)
    with _alone(folder):
        sources = _sources()
        stamp, inputs = output.with_suffix(".made-from"), _ingredients(requirements, target, python, sources)
        if not (output.is_file() and stamp.is_file() and stamp.read_text(encoding="ascii") == inputs):
            with tempfile.TemporaryDirectory(prefix="moped-package-") as scratch:
                contents = Path(scratch)
                _install(requirements, target, contents)
                _copy(sources, contents)
                archive.pack(contents, output, python, pruned(requirements))
            stamp.write_text(inputs, encoding="ascii")
    return describe(output, target, requirements)


def of_stage(stage: Stage, built_before: Path | None = None) -> Package:
    """
    Return the package for a stage.

    :param built_before: the file of a package that was built before
    :raises StageError: as `build` and `describe`
    """
    target = target_of(stage.settings)
    return describe(built_before, target) if built_before else build(stage.own["requirements"], target=target)


def pruned(requirements: str) -> tuple[str, ...]:
    """Return the patterns of files that the package lacks."""
    return archive.PRUNED + (() if requirements in WITH_PAGES else archive.PRUNED_WITHOUT_PAGES)


def describe(path: Path, target: Target, requirements: str = "staging") -> Package:
    """
    Check a package that was built, and return its digest and size.

    :param requirements: its set of libraries, which decides how large it may be
    :raises StageError: if there is none, it is larger than it may be, or the target cannot load it
    """
    if not path.is_file():
        raise StageError(f"There is no package {path}. Run `python manage.py package` first.")
    content = path.read_bytes()
    package = Package(path, hashlib.sha256(content).hexdigest(), len(content))
    largest = LARGEST_BYTES[requirements]
    if package.size > largest:
        raise StageError(
            f"The package has {package.size / MIB:.1f} MiB; more than {largest // MIB} MiB"
            " start too slowly. See what came in with `unzip -lv`."
        )
    shared_objects.require_loadable(path, target)
    return package


def _install(requirements: str, target: Target, folder: Path) -> None:
    """Install the locked wheels for the target, whatever machine this is."""
    wheels = ("--python-platform", target.platform, "--python-version", target.python, "--only-binary=:all:")
    locked: tuple[str | Path, ...] = ("--no-deps", "--require-hashes", "-r", _lock(requirements))
    subprocesses.run(
        [*UV, "pip", "install", "--quiet", "--python", sys.executable, "--target", folder, *wheels, *locked],
        doing=f"install requirements/{requirements}.txt for the package",
    )


def _ingredients(requirements: str, target: Target, python: Path, sources: list[Path]) -> str:
    """Return a digest of all that a package is made from, and of the modules that build it."""
    files = [
        _lock(requirements),
        Path(__file__),
        Path(archive.__file__),
        *(PROJECT / path for path in sources),
    ]
    digests = (hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    ingredients = [str(target), interpreter.build_of(python), *map(str, sources), *digests]
    return hashlib.sha256("\n".join(ingredients).encode()).hexdigest()


def _lock(requirements: str) -> Path:
    lock = REQUIREMENTS / f"{requirements}.txt"
    if not lock.is_file():
        raise StageError(f"There is no requirements/{lock.name}: name a set that has a lock.")
    return lock


def _sources() -> list[Path]:
    """Return the files of ours that a package holds, by their paths in the project."""
    paths = [path for name in SHIPPED for path in (PROJECT / name).rglob("*") if path.is_file()]
    relative = sorted(path.relative_to(PROJECT) for path in paths if "__pycache__" not in path.parts)
    return [path for path in relative if not any(path.is_relative_to(name) for name in NOT_SHIPPED)]


def _copy(sources: list[Path], folder: Path) -> None:
    for path in sources:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / path, folder / path)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Build one package at a time in a folder: a second builder waits."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
