"""Reads environment variables into typed values, and reports all mistakes together."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Environment:
    """
    The environment variables, read once at the start of the process.

    Each method records a mistake and continues. `complete()` then raises one error with all mistakes.
    A variable has a default only if all environments may share it.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._problems: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        """Return the variable's text. Without a default, the variable must not be missing or empty."""
        value = self._variables.get(name, "").strip()
        if value:
            return value
        if default is None:
            self._problems.append(f"{name} is missing")
        return default or ""

    def items(self, name: str, default: str | None = None) -> tuple[str, ...]:
        """Return a comma-separated list without empty items."""
        return tuple(item for item in (part.strip() for part in self.text(name, default).split(",")) if item)

    def folders(self, name: str) -> tuple[str, ...]:
        """Return a list of folders of a bucket, each without a leading and with a closing slash."""
        folders = [item.strip("/") for item in self.items(name, "")]
        if not all(folders):
            self._problems.append(f"{name} may not name the whole bucket")
        return tuple(f"{folder}/" for folder in folders)

    def prefix(self, name: str) -> str:
        """Return the folder of a bucket that contains all our keys, or "" for the whole bucket."""
        folder = self.text(name, "").strip("/")
        if "_" in folder:  # the editor takes the text after a key's third one for the file's name
            self._problems.append(f"{name} may not contain an underscore")
        return f"{folder}/" if folder else ""

    def number(self, name: str, default: int) -> int:
        """Return a whole number that is not negative."""
        value = self.text(name, str(default))
        if value.isascii() and value.isdigit():
            return int(value)
        self._problems.append(f"{name} must be a whole number, not {value!r}")
        return default

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a boolean written `true` or `false`."""
        return self.choice(name, ("true", "false"), str(default).lower()) == "true"

    def choice(self, name: str, choices: Iterable[str], default: str) -> str:
        """Return one of the choices, which are in lower case."""
        value = self.text(name, default).lower()
        if value in choices:
            return value
        self._problems.append(f"{name} must be {' or '.join(choices)}, not {value!r}")
        return default

    def loopback_url(self, name: str) -> str:
        """
        Return an override, which may only name this machine.

        Emulators publish their private signing keys. An override to another host could make the API trust
        foreign keys. On Lambda no server listens on loopback, so the API trusts no keys with an override.
        """
        value = self.text(name, "")
        if value and urlsplit(value).hostname not in LOOPBACK:
            self._problems.append(f"{name} may only name a loopback address, not {value!r}")
        return value

    def loopback_urls(self, prefix: str) -> None:
        """Check every override with this prefix: botocore reads one for each service."""
        for name in sorted(self._variables):
            if name.startswith(prefix):
                self.loopback_url(name)

    def complete(self) -> None:
        """
        Check that there were no mistakes.

        :raises ImproperlyConfigured: with all mistakes, if there are any
        """
        if self._problems:
            lines = "\n".join(f"  - {problem}" for problem in self._problems)
            raise ImproperlyConfigured(f"The Moped API cannot start; its environment is incomplete:\n{lines}")
