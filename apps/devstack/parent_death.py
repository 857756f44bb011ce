"""
Runs a program that ends when whoever started it does.

    python -I -S parent_death.py PARENT SIGNAL [--unprivileged FOLDER...] -- PROGRAM ARGUMENT...

Linux sends a process a signal of its choice when its parent dies, however the parent dies. The
wish survives an `exec` but must be uttered by the process itself, after every change of its user;
so this small program utters it and then becomes the other one. It stands alone: nothing of the
project and nothing of Django is imported, since it starts before both.

PostgreSQL refuses to run as root. With `--unprivileged`, root becomes "nobody" inside a user
namespace of its own, which leaves the files on the disk root's; where user namespaces are
switched off it becomes the real "nobody", to whom the folders are given.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

NOBODY = 65534
CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
FAILED = 125


def main(arguments: list[str]) -> None:
    """Leave root behind if asked to, tie this process to its parent, become the program."""
    split = arguments.index("--")
    parent, signal_number, *options = arguments[:split]
    program = arguments[split + 1 :]
    if options and os.geteuid() == 0:
        become_nobody([Path(folder) for folder in options[1:]])
    die_with(int(parent), int(signal_number))
    os.execv(program[0], program)  # noqa: S606 (no shell is what we want)


def become_nobody(folders: list[Path]) -> None:
    """Stop being root, in the way that this machine allows."""
    if _namespaces_work():
        _give(folders, os.geteuid())
        _enter_namespace()
        return
    _give(folders, NOBODY)
    _change_user()


def _namespaces_work() -> bool:
    # Tried in a child: a namespace half entered cannot be left again.
    child = os.fork()
    if child == 0:
        try:
            _enter_namespace()
        except OSError:
            os._exit(FAILED)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def _enter_namespace() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {group} 1", encoding="ascii")


def _change_user() -> None:
    # The one right of root's that is kept is to pass through folders: the programs, or the whole
    # clone, may lie in root's home, which nobody may not enter.
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    right = 1 << CAP_DAC_OVERRIDE
    libc.capset((ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)(right, right, right))
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def _give(folders: list[Path], owner: int) -> None:
    # Both ways may take turns on one folder (a container today, the machine itself tomorrow).
    for folder in folders:
        if folder.stat().st_uid == owner:
            continue
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner, owner, follow_symlinks=False)


def die_with(parent: int, signal_number: int) -> None:
    """
    Ask for the signal when the parent dies, and notice if it already has.

    A job that a script starts in the background inherits SIGINT as ignored. The requested signal
    gets its default action back, or the program would outlive its parent.
    """
    if signal_number != signal.SIGKILL:  # which cannot be ignored
        signal.signal(signal_number, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(FAILED)


if __name__ == "__main__":
    main(sys.argv[1:])
