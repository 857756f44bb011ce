"""
The package that Lambda runs: production requirements, the project, and nothing else.

A folder gets the libraries that a request needs and the files that we ship. Zappa would copy the whole
project and leave out what patterns name. apps.deployment.package.archive packs the folder.

Wheels are chosen and bytecode is made for the target, Lambda's runtime, and not for the machine that
builds: any Python that runs uv builds the same package.

Nothing in a package names a stage: what is rehearsed, run as staging and promoted to production
is the same file, known by its digest.
"""

import fcntl
import hashlib
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from apps.deployment import subprocesses
from apps.deployment.errors import StageError
from apps.deployment.package import archive, interpreter, shared_objects
from apps.deployment.package.interpreter import UV, Target, target_of, target_of_file
from apps.deployment.paths import BUILD, PROJECT, REQUIREMENTS
from apps.deployment.settings.rendering import Stage

MIB = 1024 * 1024
# What starts fast; the second shows pages to browsers, and carries them.
LARGEST_BYTES = {"production": 15 * MIB, "staging": 17 * MIB}
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
    lock = REQUIREMENTS / f"{requirements}.txt"
    if not lock.is_file():
        raise StageError(f"There is no requirements/{lock.name}: name a set that has a lock.")
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / f"moped-api-{requirements}.zip"
    python = interpreter.find(target.python)
    with (folder / "lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # a second builder waits
        sources = _sources()
        stamp, inputs = output.with_suffix(".made-from"), _ingredients(lock, target, python, sources)
        if not (output.is_file() and stamp.is_file() and stamp.read_text(encoding="ascii") == inputs):
            with tempfile.TemporaryDirectory(prefix="moped-package-") as scratch:
                _fill(Path(scratch), lock, target, sources)
                archive.pack(Path(scratch), output, python)
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


def _fill(folder: Path, lock: Path, target: Target, sources: list[Path]) -> None:
    """Install the locked wheels for the target, whatever machine this is, and copy what is ours."""
    wheels = ("--python-platform", target.platform, "--python-version", target.python, "--only-binary=:all:")
    locked: tuple[str | Path, ...] = ("--no-deps", "--require-hashes", "-r", lock)
    subprocesses.run(
        [*UV, "pip", "install", "--quiet", "--python", sys.executable, "--target", folder, *wheels, *locked],
        doing=f"install requirements/{lock.name} for the package",
    )
    for path in sources:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / path, folder / path)


def _ingredients(lock: Path, target: Target, python: Path, sources: list[Path]) -> str:
    """Return a digest of all that a package is made from, and of the modules that build it."""
    files = [lock, Path(__file__), Path(archive.__file__), *(PROJECT / path for path in sources)]
    digests = (hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    ingredients = [str(target), interpreter.build_of(python), *map(str, sources), *digests]
    return hashlib.sha256("\n".join(ingredients).encode()).hexdigest()


def _sources() -> list[Path]:
    """Return the files of ours that a package holds, by their paths in the project."""
    paths = [path for name in SHIPPED for path in (PROJECT / name).rglob("*") if path.is_file()]
    relative = sorted(path.relative_to(PROJECT) for path in paths if "__pycache__" not in path.parts)
    return [path for path in relative if not any(path.is_relative_to(name) for name in NOT_SHIPPED)]
