"""
Makes `.venv` from the locks, or leaves it alone: `python3 apps/devstack/install.py`.

The first program of a bare clone, so it stands alone and any Python 3 can read it. The mark that it
leaves behind is a hash of the locks and is written last: an installation cut short, or older than
its locks, is finished by the next call.
"""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DEVELOPMENT = PROJECT / "requirements" / "development.txt"
EMULATOR = PROJECT / "requirements" / "emulator.txt"
VENV = PROJECT / ".venv"
EMULATOR_VENV = VENV / "emulator"  # its own: it pins an older botocore than ours
MARK = VENV / "installed"
OLDEST = (3, 11)


def main() -> str:
    """Install what is missing, and return what went wrong."""
    if sys.version_info < OLDEST:
        return (
            f"Python {sys.version.split()[0]} is too old, 3.11 or newer is needed: make PYTHON=python3.12 …"
        )
    if _is_complete():
        return ""
    sys.stdout.write("Installing the locked requirements into .venv: about a minute, once.\n")
    sys.stdout.flush()
    return _install()


def _install() -> str:
    # Without its mark an environment was cut short: what it claims to hold may be half there.
    whole = MARK.exists() and _runs(VENV)
    MARK.unlink(missing_ok=True)
    if not whole and not _make_venv(VENV, "--clear"):
        return f"{sys.executable} cannot make virtual environments. On Debian: apt install python3-venv"
    if not (_fill(VENV, DEVELOPMENT) and _make_venv(EMULATOR_VENV, "--without-pip", "--clear")):
        return "The development requirements could not be installed; what pip said stands above."
    if not _fill(EMULATOR_VENV, EMULATOR):
        return "The embedded AWS could not be installed; what pip said stands above."
    MARK.write_text(_digest(), encoding="ascii")
    return ""


def _is_complete() -> bool:
    return (
        MARK.exists()
        and MARK.read_text(encoding="ascii") == _digest()
        and _runs(VENV)
        and _runs(EMULATOR_VENV)
    )


def _digest() -> str:
    lines = [line for lock in (DEVELOPMENT, EMULATOR) for line in lock.read_bytes().splitlines(keepends=True)]
    return hashlib.sha256(b"".join(line for line in lines if not line.startswith(b"#"))).hexdigest()


def _runs(venv: Path) -> bool:
    # A virtual environment dies with the Python it was made from.
    try:
        return subprocess.run([_python(venv), "-c", ""], check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def _make_venv(venv: Path, *options: str) -> bool:
    return _call(sys.executable, "-m", "venv", *options, str(venv))


def _fill(venv: Path, lock: Path) -> bool:
    """Bring an environment to what the lock says: with uv, ten times as fast, else with pip."""
    uv = str(VENV / "bin" / "uv")
    if not Path(uv).exists():
        _install_uv()
    if _call(uv, "pip", "sync", "--quiet", "--require-hashes", "--python", _python(venv), str(lock)):
        return True
    pip = (_python(VENV), "-m", "pip", "--python", _python(venv), "--disable-pip-version-check", "--quiet")
    return _call(*pip, "install", "--require-hashes", "--no-deps", "--requirement", str(lock))


def _install_uv() -> None:
    # The very uv that the lock names, its hashes included.
    text = DEVELOPMENT.read_text(encoding="utf-8")
    pin = text[text.index("\nuv==") + 1 :]
    lines = pin.split("\n")
    last = next(number for number, line in enumerate(lines) if not line.endswith("\\"))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as lock:
        lock.write("\n".join(lines[: last + 1]) + "\n")
        lock.flush()
        pip = (_python(VENV), "-m", "pip", "--disable-pip-version-check", "--quiet")
        _call(*pip, "install", "--require-hashes", "--requirement", lock.name)


def _call(*command: str) -> bool:
    try:
        return subprocess.run(command, check=False).returncode == 0  # noqa: S603 (our own, by its path)
    except OSError:
        return False


def _python(venv: Path) -> str:
    return str(venv / "bin" / "python")


if __name__ == "__main__":
    sys.exit(main() or 0)
