"""
Write unchecked-hash bytecode beside every module under the folder that is the first argument.

Run by itself, in an interpreter that has imported nothing else; see apps.stages.archive.
"""

import sys
from importlib.util import cache_from_source
from pathlib import Path
from py_compile import PycInvalidationMode, PyCompileError
from py_compile import compile as compile_file

TASK_ROOT = "/var/task"


def main(folder: Path) -> None:
    """Compile all of it; what no Python can compile is left alone (templates of code)."""
    for source in sorted(folder.rglob("*.py")):
        name = f"{TASK_ROOT}/{source.relative_to(folder)}"
        try:
            compile_file(
                str(source),
                cfile=cache_from_source(str(source)),
                dfile=name,  # what a traceback on Lambda shows
                doraise=True,
                invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
            )
        except PyCompileError as error:
            sys.exit(f"{name}: {error.exc_value}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
