"""
Packs a folder as a zip: pruned, with bytecode that is valid on Lambda, the same bytes every time.

/var/task cannot be written. Without valid bytecode Python compiles every module at every cold start,
which takes 1.3 seconds of CPU. Bytecode that is not compared with its source (PEP 552, "unchecked
hash") is valid whatever date a file has.
"""

from __future__ import annotations

import zipfile
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from apps.deployment import subprocesses

TASK_ROOT = "/var/task"  # what a traceback on Lambda shows
# What keeps its source, by the first part of its path.
OWN_PATHS = ("apps", "moped_api")
EPOCH = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644
SHARED_OBJECT_MODE = 0o100755

# Patterns over the whole path in the zip; `*` crosses slashes. The reason stands beside each.
PRUNED = (
    "*.pyc",  # ours replace them
    ".lock",  # uv's
    "bin/*",  # the libraries' commands, which name the Python that built the package
    "*.pth",
    "*.pyi",
    "*.pyx",
    "*.pxd",
    "*.c",
    "*.h",
    "*/py.typed",
    "*.dist-info/*",
    "*/LC_MESSAGES/*",  # USE_I18N is off
    "*/tests/*",
    "*/testing/*",
    "*/test_*.py",
    "*.map",
    # of /docs/: the reader that is not used, a faster parser of YAML, a validator of schemas
    "drf_spectacular_sidecar/static/drf_spectacular_sidecar/redoc/*",
    "yaml/*.so",
    "attr/*",
    "attrs/*",
    "jsonschema/*",
    "jsonschema_specifications/*",
    "referencing/*",
    "rpds/*",
    # parts of Django that are not among our apps, or belong to other databases
    "django/contrib/admin/locale/*",
    "django/contrib/admin/static/*",
    "django/contrib/admin/templates/*",
    "django/contrib/admindocs/templates/*",
    "django/contrib/flatpages/*",
    "django/contrib/gis/*",
    "django/contrib/humanize/*",
    "django/contrib/postgres/jinja2/*",
    "django/contrib/redirects/*",
    "django/contrib/sitemaps/*",
    "django/contrib/sites/*",
    "django/contrib/syndication/*",
    "django/contrib/auth/common-passwords.txt.gz",  # Cognito keeps the passwords
    "django/conf/app_template/*",
    "django/conf/project_template/*",
    "django/conf/locale/[a-df-z]*/*",
    "django/db/backends/mysql/*",
    "django/db/backends/oracle/*",
    "django/db/backends/sqlite3/*",
    # the look of DRF's own pages; ours have their own
    "rest_framework/locale/*",
    "rest_framework/static/*",
    "rest_framework_simplejwt/locale/*",
    # python-jose prefers cryptography; without it it would use these (one of them with a known flaw)
    "ecdsa/*",
    "pyasn1/*",
    "rsa/*",
    # building bindings; cryptography needs the compiled _cffi_backend alone
    "cffi/*",
    "pycparser/*",
)
# Where no page is shown, DRF's schemas are not made, which ask the admin's documentation for a
# function: see SET_ASIDE in moped_api/lambda_handler.py.
PRUNED_WITHOUT_PAGES = (
    "django/contrib/admin/*",
    "django/contrib/admindocs/*",
    "django/contrib/messages/*",
    "django/contrib/sessions/*",
    "django/test/*",
)
# Kept although a pattern names them; importlib.metadata answers from METADATA.
KEEP = ("*.dist-info/METADATA",)


def pack(folder: Path, output: Path, python: Path, pruned: tuple[str, ...] = PRUNED) -> None:
    """
    Prune and compile a folder, and write it as a zip in a fixed order.

    :param python: the interpreter to compile for
    """
    for path in folder.rglob("*"):
        if path.is_file() and is_pruned(path.relative_to(folder).as_posix(), pruned):
            path.unlink()
    _compile(folder, python)
    _write(folder, output)


def is_pruned(name: str, patterns: tuple[str, ...] = PRUNED) -> bool:
    """Return whether an entry stays behind."""
    if any(fnmatch(name, pattern) for pattern in KEEP):
        return False
    return any(fnmatch(name, pattern) for pattern in patterns)


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
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
        for path in files:
            zipped.writestr(
                _entry(path.relative_to(folder).as_posix()), path.read_bytes(), zipfile.ZIP_DEFLATED, 9
            )
    unfinished.replace(output)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.create_system = 3  # Unix, so that unzip honours the modes below
    shared = ".so" in PurePosixPath(name).suffixes
    entry.external_attr = (SHARED_OBJECT_MODE if shared else FILE_MODE) << 16
    return entry
