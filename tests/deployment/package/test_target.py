"""What a package is built for."""

import pytest

from apps.deployment.errors import StageError
from apps.deployment.package.target import Target, target_of


class TestTargetOf:
    @pytest.mark.parametrize(
        ("processor", "architecture", "platform"),
        [
            ({}, "x86_64", "x86_64-manylinux_2_34"),  # Zappa's default
            ({"architecture": "arm64"}, "arm64", "aarch64-manylinux_2_34"),
        ],
    )
    def test_takes_wheels_for_the_runtimes_glibc(
        self, processor: dict[str, str], architecture: str, platform: str
    ) -> None:
        target = target_of({"runtime": "python3.14", **processor})

        assert target == Target("python3.14", architecture)
        assert (target.python, target.platform) == ("3.14", platform)

    @pytest.mark.parametrize(
        ("settings", "reason"),
        [
            ({"runtime": "python3.11"}, "'python3.11': packages are built for python3.12 and newer"),
            ({"runtime": "nodejs22.x"}, "'nodejs22.x': packages are built for python3.12 and newer"),
            ({}, "'None': packages are built for"),
            ({"runtime": "python3.13", "architecture": "aarch64"}, "'aarch64': write x86_64 or arm64"),
            ({"runtime": "python3.13", "architecture": ""}, "'': write x86_64 or arm64"),
        ],
    )
    def test_refuses_other_runtimes_and_processors(self, settings: dict[str, str], reason: str) -> None:
        with pytest.raises(StageError, match=reason):
            target_of(settings)
