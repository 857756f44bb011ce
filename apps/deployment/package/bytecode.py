"""
Compile every module under the folder that is the first argument; the others name what is ours.

Ours keeps its source, with unchecked-hash bytecode beside it: a traceback shows its lines. Of the
libraries the bytecode alone is left, in the place of the source: they are locked, so file and line
number say as much, and the package is an eighth smaller.

Run by itself, in an interpreter that has imported nothing else; see apps.deployment.package.archive.
"""

import sys
from importlib.util import cache_from_source
from pathlib import Path
from py_compile import PycInvalidationMode, PyCompileError
from py_compile import compile as compile_file

TASK_ROOT = "/var/task"


def main(folder: Path, own_packages: list[str]) -> None:
    """Compile all of it, and name the first that is no Python."""
    for source in sorted(folder.rglob("*.py")):
        name = source.relative_to(folder)
        is_ours = name.parts[0] in own_packages
        compiled = cache_from_source(str(source)) if is_ours else str(source.with_suffix(".pyc"))
        try:
            compile_file(
                str(source),
                cfile=compiled,
                dfile=f"{TASK_ROOT}/{name}",  # what a traceback on Lambda shows
                doraise=True,
                invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
            )
        except PyCompileError as error:
            sys.exit(f"{name}: {error.exc_value}")
        if not is_ours:
            source.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
