"""
Reads zappa_settings.json and resolves `extends` as Zappa does, but merges nested tables.

Zappa ignores the settings under `moped`: the stage's stack, the requirements of its package, whether
a deployment migrates, the gateway's rate limits, and more host names. For previews they also have the
lifetime of previews and of their logs, in days.
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
    Return the entries of the file.

    :raises StageError: see `read_json`
    """
    entries: dict[str, Settings] = read_json(path, dict[str, Settings])
    return entries


def read_json(path: str | Path, shape: Any = Settings) -> Any:
    """
    Return the content of a JSON file.

    :param shape: the required type
    :raises StageError: if the file is missing, not JSON or of another type
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


def flatten(document: dict[str, Settings], name: str) -> Settings:
    """
    Return an entry, merged with the entries that it extends.

    :raises StageError: if an entry is missing or extends itself
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
    return merge(flatten(rest, parent), entry)


def merge(below: Settings, above: Settings) -> Settings:
    """Return `below` with the values of `above`. Merge nested tables in the same way."""
    both = dict(below)
    for name, value in above.items():
        inner = both.get(name)
        both[name] = merge(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return both


def function_name(settings: Settings, stage: str) -> str:
    """Return Zappa's name for the function, its stack and its API."""
    return str(slugify(f"{settings['project_name']}-{stage}"))


def hosts(settings: Settings) -> list[str]:
    """Return the host names of a stage: its domain, then the others."""
    names = [settings.get("domain", ""), *settings.get("moped", {}).get("hosts", [])]
    return [host for host in names if host]
