"""
The package that Lambda runs: production requirements, the project, and nothing else.

Zappa packs the virtual environment that VIRTUAL_ENV names and the folder it stands in. So it is
given an environment that holds what a request needs and a folder that holds what we ship, rather
than a list of what to leave out: what is not put in cannot slip through. Its zip is then packed
again by apps.deployment.package.archive, since Zappa's dates make every bytecode file stale.

Wheels are chosen and bytecode is made for the target, Lambda's runtime, and not for the machine that
builds: any Python that runs Zappa builds the same package.

Nothing in a package names a stage: what is rehearsed, run as staging and promoted to production
is the same file, known by its digest.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
# What Zappa asks for before it packs; nothing of it is in the package.
ZAPPA_SETTINGS: dict[str, Any] = {
    "project_name": "moped-api",
    "app_function": "moped_api.wsgi.application",
    "use_precompiled_packages": False,
    "manage_roles": False,
}


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
    :param target: what it is for; by default what zappa_settings.json says for all stages
    :raises StageError: if a step fails, the package is larger than it may be, or the target cannot load it
    """
    target = target or target_of_file()
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / f"moped-api-{requirements}.zip"
    python = interpreter.find(target.python)
    with _alone(folder):
        sources = _sources(folder)
        stamp, inputs = output.with_suffix(".made-from"), _ingredients(requirements, target, python, sources)
        if not (output.is_file() and stamp.is_file() and stamp.read_text(encoding="ascii") == inputs):
            environment = _install(requirements, target, folder)
            archive.repack(_pack(sources, environment), output, python, pruned(requirements))
            stamp.write_text(inputs, encoding="ascii")
    return describe(output, target, requirements)


def of_stage(stage: Stage, built_before: Path | None = None) -> Package:
    """
    Return the package for a stage.

    :param built_before: one to take, rather than to build it
    :raises StageError: as `build` and `describe`
    """
    target = target_of(stage.settings)
    return describe(built_before, target) if built_before else build(stage.own["requirements"], target=target)


def pruned(requirements: str) -> tuple[str, ...]:
    """Return the patterns of what stays behind."""
    return archive.PRUNED + (() if requirements in WITH_PAGES else archive.PRUNED_WITHOUT_PAGES)


def describe(path: Path, target: Target, requirements: str = "staging") -> Package:
    """
    Return what is known of a package that was built before.

    :param requirements: what is in it, which says how large it may be
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


def _install(requirements: str, target: Target, folder: Path) -> Path:
    """Install the locked wheels for the target, whatever machine this is, and return their environment."""
    environment = folder / f"runtime-{requirements}"
    shutil.rmtree(environment, ignore_errors=True)
    # Zappa looks where the Python that it runs in would have its libraries.
    libraries = environment / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    wheels = ("--python-platform", target.platform, "--python-version", target.python, "--only-binary=:all:")
    locked: tuple[str | Path, ...] = ("--no-deps", "--require-hashes", "-r", _lock(requirements))
    subprocesses.run(
        [
            *UV,
            "pip",
            "install",
            "--quiet",
            "--python",
            sys.executable,
            "--target",
            libraries,
            *wheels,
            *locked,
        ],
        doing=f"install requirements/{requirements}.txt for the package",
    )
    return environment


def _ingredients(requirements: str, target: Target, python: Path, sources: Path) -> str:
    """Return a digest of all that a package is made from, those who make it included."""
    makers = [Path(__file__), Path(archive.__file__)]
    shipped = sorted(path for path in sources.rglob("*") if path.is_file())
    names = [str(path.relative_to(sources)) for path in shipped]
    also = "\n".join([str(target), interpreter.build_of(python), *names])
    return _fingerprint(_lock(requirements), *makers, *shipped, also=also)


def _lock(requirements: str) -> Path:
    lock = REQUIREMENTS / f"{requirements}.txt"
    if not lock.is_file():
        raise StageError(f"There is no requirements/{lock.name}: name a set that has a lock.")
    return lock


def _fingerprint(*files: Path, also: str = "") -> str:
    digests = "".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    return hashlib.sha256(f"{digests}{also}".encode()).hexdigest()


def _sources(folder: Path) -> Path:
    """Copy what is shipped into a folder of its own."""
    sources = folder / "sources"
    shutil.rmtree(sources, ignore_errors=True)
    left_out = {PROJECT / name for name in NOT_SHIPPED}

    def ignore(parent: str, names: list[str]) -> list[str]:
        return [name for name in names if name == "__pycache__" or PROJECT / parent / name in left_out]

    for name in SHIPPED:
        shutil.copytree(PROJECT / name, sources / name, ignore=ignore)
    return sources


def _pack(sources: Path, environment: Path) -> Path:
    """Let Zappa make its zip, in the folder that holds the sources."""
    settings = sources / "settings.json"
    settings.write_text(json.dumps({"package": ZAPPA_SETTINGS}), encoding="utf-8")
    variables = {
        "PATH": os.defpath,
        "HOME": str(sources),
        "VIRTUAL_ENV": str(environment),
        "AWS_DEFAULT_REGION": "us-east-1",  # required but not used: packing makes no call
    }
    subprocesses.run(
        [sys.executable, "-m", "zappa.cli", "package", "package", "-s", settings.name, "-o", "zappa.zip"],
        doing="pack the project with Zappa",
        folder=sources,
        environment=variables,
    )
    return sources / "zappa.zip"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Build one package at a time in a folder: a second builder waits."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
