"""What the emulator ignores must be read in the template itself."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from apps.devstack.stack import TEMPLATE

HOLDS_DATA = ("UserPool", "ClaimsTable", "UploadsBucket", "ConfigurationSecret")


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short functions as plain values."""


_Loader.add_multi_constructor("!", lambda loader, _suffix, node: _plain(loader, node))


def _plain(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    template: dict[str, Any] = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (a SafeLoader)
    resources: dict[str, Any] = template["Resources"]
    return resources


class TestTemplate:
    @pytest.mark.parametrize("name", HOLDS_DATA)
    def test_keeps_what_holds_data(self, resources: dict[str, Any], name: str) -> None:
        assert resources[name]["DeletionPolicy"] == "Retain"
        assert resources[name]["UpdateReplacePolicy"] == "Retain"

    def test_can_bring_back_the_claims_of_any_moment(self, resources: dict[str, Any]) -> None:
        table = resources["ClaimsTable"]["Properties"]
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert table["SSESpecification"]["SSEEnabled"] is True
        assert table["DeletionProtectionEnabled"] is True

    def test_shows_no_file_to_the_public(self, resources: dict[str, Any]) -> None:
        bucket = resources["UploadsBucket"]["Properties"]
        assert all(bucket["PublicAccessBlockConfiguration"].values())
        assert len(bucket["PublicAccessBlockConfiguration"]) == 4
        assert bucket["BucketEncryption"]

    def test_lets_nobody_register_themselves(self, resources: dict[str, Any]) -> None:
        assert (
            resources["UserPool"]["Properties"]["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
        )

    def test_gives_the_function_no_wildcard_action(self, resources: dict[str, Any]) -> None:
        policies = resources["FunctionRole"]["Properties"]["Policies"]
        statements = [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]
        assert not [one["Sid"] for one in statements for action in one["Action"] if "*" in action]
        assert not [one["Sid"] for one in statements if one["Resource"] == "*"]
