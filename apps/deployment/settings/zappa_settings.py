"""
zappa_settings.json: read, and flattened as Zappa does it, save that tables are merged.

Under `moped` are our own settings, which Zappa ignores: the stack of the stage, the requirements of
its package, whether a deployment migrates, how many requests the gateway lets through, and further
host names. Previews have the days for which they and their logs are kept.
"""

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

import msgspec
from slugify import slugify

from apps.deployment.errors import StageError
from apps.deployment.paths import PROJECT

PATH = PROJECT / "zappa_settings.json"
BASE = "base"

Settings = dict[str, Any]


def read(path: Path = PATH) -> dict[str, Settings]:
    """
    Return every entry as it is written.

    :raises StageError: as `read_json`
    """
    entries: dict[str, Settings] = read_json(path, dict[str, Settings])
    return entries


def read_json(path: str | Path, shape: Any = Settings) -> Any:
    """
    Return the content of a file.

    :param shape: the type that it must have
    :raises StageError: if the file is not there, not JSON or of another shape
    """
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=shape)
    except OSError as error:
        raise StageError(f"{path} cannot be read: {error.strerror}.") from error
    except msgspec.DecodeError as error:
        raise StageError(f"{path} is not as it must be: {error}.") from error


def read_argument(path: str, shape: Any = Settings) -> Any:
    """
    Return the content of a file that an argument of a command names.

    :raises ArgumentTypeError: where `read_json` raises, since a parser catches no other error
    """
    try:
        return read_json(path, shape)
    except StageError as error:
        raise ArgumentTypeError(error) from error


def flattened(document: dict[str, Settings], name: str) -> Settings:
    """
    Return an entry together with what it extends.

    :raises StageError: if there is no such entry, or it extends itself
    """
    if name not in document:
        stages = ", ".join(sorted(set(document) - {BASE}))
        raise StageError(f"There is no stage {name!r} in zappa_settings.json; it has {stages}.")
    entry = dict(document[name])
    parent = entry.pop("extends", None)
    if parent is None:
        return entry
    rest = {other: settings for other, settings in document.items() if other != name}
    if parent not in rest:
        raise StageError(f"{name!r} extends {parent!r}, which zappa_settings.json does not have.")
    return merged(flattened(rest, parent), entry)


def merged(below: Settings, above: Settings) -> Settings:
    """Return one entry over another; tables within are merged in the same way."""
    both = dict(below)
    for name, value in above.items():
        inner = both.get(name)
        both[name] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return both


def function_name(settings: Settings, stage: str) -> str:
    """Return the name that Zappa gives the function, its stack and its API."""
    return str(slugify(f"{settings['project_name']}-{stage}"))


def hosts(settings: Settings) -> list[str]:
    """Return the host names of a stage: its own, and others that it answers under."""
    names = [settings.get("domain", ""), *settings.get("moped", {}).get("hosts", [])]
    return [host for host in names if host]
