"""infrastructure/moped-api.yaml, as it is written."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from apps.deployment.paths import TEMPLATE


class Loader(yaml.CSafeLoader):
    """Reads `!Ref x` as `x`: the tests look at what stands there, not at what becomes of it."""


def _plain(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


Loader.add_multi_constructor("!", _plain)


def read(path: Path) -> Any:
    return yaml.load(path.read_text(), Loader)  # noqa: S506 (a safe loader, extended)


@cache
def document() -> dict[str, Any]:
    return dict(read(TEMPLATE))


def resources() -> dict[str, Any]:
    return dict(document()["Resources"])


def parameters() -> dict[str, Any]:
    return dict(document()["Parameters"])


def statements(role: str) -> list[dict[str, Any]]:
    (policy,) = resources()[role]["Properties"]["Policies"]
    return list(policy["PolicyDocument"]["Statement"])


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
