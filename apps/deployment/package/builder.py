"""
Builds the package that Lambda runs, with only the libraries and project files that a request needs.

Zappa would copy the whole project, except files that match its patterns.

uv selects the wheels for Lambda's runtime, and that runtime's Python compiles the bytecode. So every
machine builds the same package.

/var/task cannot be written. Without valid bytecode, Python would compile every module at every cold
start, which takes 1.3 seconds of CPU. So the bytecode has an "unchecked hash" (PEP 552): Python does
not compare it with the source, and it is valid for any file date.

A package contains no name of a stage. The same file, identified by its digest, is rehearsed, runs as
staging and is promoted to production.
"""

import fcntl
import hashlib
import shutil
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from apps.deployment import subprocesses
from apps.deployment.errors import StageError
from apps.deployment.package import interpreter, shared_objects
from apps.deployment.package.interpreter import UV, Target, target_of, target_of_file
from apps.deployment.paths import BUILD, PROJECT, REQUIREMENTS
from apps.deployment.settings.rendering import Stage

MIB = 1024 * 1024
# Larger packages start too slowly. Staging's contains pages for browsers.
LARGEST_BYTES = {"production": 15 * MIB, "staging": 17 * MIB}
SHIPPED = ("moped_api", "apps")
# Relative to the project: tools, and the template of a new app.
NOT_SHIPPED = ("apps/deployment", "apps/devstack", "apps/core/blueprint")
TASK_ROOT = "/var/task"  # the folder in tracebacks on Lambda
EPOCH = (1980, 1, 1, 0, 0, 0)
MODE = 0o100644

# Files that no request needs. Each pattern saves at least 50 kB of the zip or has the reason beside it.
# Patterns match the whole path in the zip, and `*` crosses slashes.
PRUNED = (
    "*.pyc",  # uv makes these if the shell sets UV_COMPILE_BYTECODE. `_compile` makes others
    ".lock",  # a file of uv
    "bin/*",  # commands of libraries, which contain the path of the building Python
    "*.dist-info/*",
    "*.map",
    "*/LC_MESSAGES/*",  # USE_I18N is off
    "*/tests/*",
    # unused parts of /docs/: ReDoc, the faster YAML parser, the schema validator
    "drf_spectacular_sidecar/static/drf_spectacular_sidecar/redoc/*",
    "yaml/*.so",
    "jsonschema/*",
    "rpds/*",
    "django/contrib/admin/static/*",
    "django/contrib/auth/common-passwords.txt.gz",  # Cognito checks the passwords
    "django/contrib/gis/*",
    "rest_framework/static/*",
    # python-jose uses these only if cryptography is missing. One has a known flaw.
    "ecdsa/*",
    "pyasn1/*",
    "rsa/*",
    # only for builds. cryptography needs just the compiled _cffi_backend.
    "cffi/*",
    "pycparser/*",
)
REQUIRED = "*.dist-info/METADATA"  # importlib.metadata reads versions from these


@dataclass(frozen=True, slots=True)
class Package:
    """A package file, with its SHA-256 digest and its size in bytes."""

    path: Path
    digest: str
    size: int


def build(requirements: str, folder: Path = BUILD, target: Target | None = None) -> Package:
    """
    Build the package. The same sources give the same bytes.

    :param requirements: "production", or "staging" for stages that show pages to browsers
    :param target: the runtime and processor, by default those of `base` in zappa_settings.json
    :raises StageError: if a step fails, the package is too large, or the target cannot load it
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
        stamp, inputs = output.with_suffix(".made-from"), _input_digest(lock, target, python, sources)
        if not (output.is_file() and stamp.is_file() and stamp.read_text(encoding="ascii") == inputs):
            with tempfile.TemporaryDirectory(prefix="moped-package-") as scratch:
                _fill(Path(scratch), lock, target, sources)
                pack(Path(scratch), output, python)
            stamp.write_text(inputs, encoding="ascii")
    return describe(output, target, requirements)


def package_for(stage: Stage, built_before: Path | None = None) -> Package:
    """
    Return the package for a stage.

    :param built_before: an existing package file to use instead of a new build
    :raises StageError: see `build` and `describe`
    """
    target = target_of(stage.settings)
    return describe(built_before, target) if built_before else build(stage.own["requirements"], target=target)


def describe(path: Path, target: Target, requirements: str = "staging") -> Package:
    """
    Check a package file, and return its digest and size.

    :param requirements: its set of libraries, which decides the largest size
    :raises StageError: if it is missing, too large, or the target cannot load it
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


def pack(folder: Path, output: Path, python: Path) -> None:
    """
    Prune and compile a folder, and write it as a zip in a fixed order.

    :param python: the interpreter to compile for
    """
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not fnmatch(name, REQUIRED) and any(fnmatch(name, each) for each in PRUNED):
            path.unlink()
    _compile(folder, python)
    _write(folder, output)


def _fill(folder: Path, lock: Path, target: Target, sources: list[Path]) -> None:
    """Install the locked wheels for the target, and copy the project's files."""
    wheels = ("--python-platform", target.platform, "--python-version", target.python, "--only-binary=:all:")
    locked: tuple[str | Path, ...] = ("--no-deps", "--require-hashes", "-r", lock)
    subprocesses.run(
        [*UV, "pip", "install", "--quiet", "--python", sys.executable, "--target", folder, *wheels, *locked],
        action=f"install requirements/{lock.name} for the package",
    )
    for path in sources:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / path, folder / path)


def _input_digest(lock: Path, target: Target, python: Path, sources: list[Path]) -> str:
    """Return a digest of all inputs of a package and of this module."""
    files = [lock, Path(__file__), *(PROJECT / path for path in sources)]
    digests = (hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    inputs = [str(target), interpreter.build_of(python), *map(str, sources), *digests]
    return hashlib.sha256("\n".join(inputs).encode()).hexdigest()


def _sources() -> list[Path]:
    """Return the project's files for a package, by their paths in the project."""
    paths = [path for name in SHIPPED for path in (PROJECT / name).rglob("*") if path.is_file()]
    relative = sorted(path.relative_to(PROJECT) for path in paths if "__pycache__" not in path.parts)
    return [path for path in relative if not any(path.is_relative_to(name) for name in NOT_SHIPPED)]


def _compile(folder: Path, python: Path) -> None:
    """
    Compile every module.

    The project keeps its source, because tracebacks show its lines. For libraries the bytecode replaces the
    source: the lock fixes their versions, and the package is an eighth smaller.
    """
    names = sorted(folder.iterdir())
    own = [path for path in names if path.name in SHIPPED]
    libraries = [path for path in names if path.name not in SHIPPED]
    options = ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", TASK_ROOT, "-q"]
    for paths, in_place in ((own, ()), (libraries, ("-b",))):
        # Interned strings and the order of constant sets change the bytecode. So use a new interpreter
        # with a fixed hash seed.
        subprocesses.run(
            [python, "-s", "-S", "-P", "-m", "compileall", *in_place, *options, *paths],
            action="compile the package",
            environment={"PYTHONHASHSEED": "0"},
        )
    for library in libraries:
        for source in (library, *library.rglob("*.py")):
            if source.suffix == ".py":
                source.unlink()


def _write(folder: Path, output: Path) -> None:
    unfinished = output.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w") as zipped:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            entry.create_system = 3  # Unix, so that unzip honours the mode
            entry.external_attr = MODE << 16
            zipped.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    unfinished.replace(output)
