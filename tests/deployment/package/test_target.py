"""What a package is built for."""

from __future__ import annotations

import pytest

from apps.deployment.errors import StageError
from apps.deployment.package.target import Target, target_of, target_of_file


class TestTarget:
    @pytest.mark.parametrize(
        ("architecture", "platform"),
        [("x86_64", "x86_64-manylinux_2_34"), ("arm64", "aarch64-manylinux_2_34")],
    )
    def test_takes_wheels_for_the_runtimes_glibc(self, architecture: str, platform: str) -> None:
        target = Target("python3.13", architecture)

        assert (target.python, target.platform) == ("3.13", platform)

    @pytest.mark.parametrize("runtime", ["python3.11", "python3", "nodejs22.x", "None"])
    def test_refuses_runtimes_of_another_system(self, runtime: str) -> None:
        with pytest.raises(StageError, match=f"'{runtime}': packages are built for python3.12 and newer"):
            Target(runtime, "x86_64")

    @pytest.mark.parametrize("architecture", ["x86", "aarch64", ""])
    def test_refuses_unknown_processors(self, architecture: str) -> None:
        with pytest.raises(StageError, match=f"'{architecture}': write x86_64 or arm64"):
            Target("python3.13", architecture)


class TestTargetOf:
    def test_reads_both_from_the_settings_of_a_stage(self) -> None:
        stage = {"runtime": "python3.14", "architecture": "arm64"}

        assert target_of(stage) == Target("python3.14", "arm64")

    def test_takes_zappas_processor_where_none_is_named(self) -> None:
        assert target_of({"runtime": "python3.13"}).architecture == "x86_64"


class TestTargetOfFile:
    def test_is_what_zappa_settings_says(self) -> None:
        assert target_of_file().runtime == "python3.13"
