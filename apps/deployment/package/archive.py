"""
Packs a folder as a zip: pruned, with bytecode that is valid on Lambda, the same bytes every time.

/var/task cannot be written. Without valid bytecode Python compiles every module at every cold start,
which takes 1.3 seconds of CPU. Bytecode that is not compared with its source (PEP 552, "unchecked
hash") is valid whatever date a file has.
"""

import zipfile
from fnmatch import fnmatch
from pathlib import Path

from apps.deployment import subprocesses

TASK_ROOT = "/var/task"  # what a traceback on Lambda shows
# What keeps its source, by the first part of its path.
OWN_PATHS = ("apps", "moped_api")
EPOCH = (1980, 1, 1, 0, 0, 0)
MODE = 0o100644

# What no request needs and is worth a line: each pattern saves 50 kB of the zip, or has another reason.
# Patterns match the whole path in the zip, and `*` crosses slashes.
PRUNED = (
    "*.pyc",  # of the Python that builds, where the shell sets UV_COMPILE_BYTECODE. Ours follow.
    ".lock",  # uv's
    "bin/*",  # the libraries' commands, which name the Python that built the package
    "*.dist-info/*",
    "*.map",
    "*/LC_MESSAGES/*",  # USE_I18N is off
    "*/tests/*",
    # of /docs/: the reader that is not used, a faster parser of YAML, a validator of schemas
    "drf_spectacular_sidecar/static/drf_spectacular_sidecar/redoc/*",
    "yaml/*.so",
    "jsonschema/*",
    "rpds/*",
    "django/contrib/admin/static/*",
    "django/contrib/auth/common-passwords.txt.gz",  # Cognito keeps the passwords
    "django/contrib/gis/*",
    "rest_framework/static/*",
    # python-jose prefers cryptography; without it it would use these (one of them with a known flaw)
    "ecdsa/*",
    "pyasn1/*",
    "rsa/*",
    # building bindings; cryptography needs the compiled _cffi_backend alone
    "cffi/*",
    "pycparser/*",
)
KEPT = "*.dist-info/METADATA"  # importlib.metadata reads the versions of libraries there


def pack(folder: Path, output: Path, python: Path) -> None:
    """
    Prune and compile a folder, and write it as a zip in a fixed order.

    :param python: the interpreter to compile for
    """
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not fnmatch(name, KEPT) and any(fnmatch(name, each) for each in PRUNED):
            path.unlink()
    _compile(folder, python)
    _write(folder, output)


def _compile(folder: Path, python: Path) -> None:
    """
    Compile every module.

    Ours keep their source, since a traceback shows its lines. Of the libraries the bytecode alone is left, in
    the place of the source: they are locked, and the package is an eighth smaller.
    """
    names = sorted(folder.iterdir())
    own = [path for path in names if path.name in OWN_PATHS]
    libraries = [path for path in names if path.name not in OWN_PATHS]
    options = ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", TASK_ROOT, "-q"]
    for paths, in_place in ((own, ()), (libraries, ("-b",))):
        # A fresh interpreter with a fixed hash seed: what was interned before, and the order of a set
        # of constants, show in the bytes.
        subprocesses.run(
            [python, "-s", "-S", "-P", "-m", "compileall", *in_place, *options, *paths],
            doing="compile the package",
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
