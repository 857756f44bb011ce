"""Code and settings of a function: what Zappa's update keeps, and a function that Zappa does not know."""

from typing import Any

from apps.core.aws import clients
from apps.deployment.aws import functions
from apps.deployment.package.builder import Package
from apps.deployment.settings.rendering import Stage


def create_or_update(stage: Stage, package: Package) -> None:
    """
    Give a function a package and the settings of its stage. Traffic stays.

    :raises BusyError: if another process is changing it too
    """
    name, client = stage.function, clients.lambda_client_long_timeout()
    code, checksum = package.path.read_bytes(), functions.checksum_of(package.digest)
    architectures: Any = [stage.settings["architecture"]]
    settings = function_settings(stage)
    with functions.busy_on_conflict(
        f"Another process is changing {name}. The previous version still answers. Run this again."
    ):
        if not functions.exists(name):
            client.create_function(
                FunctionName=name,
                Code={"ZipFile": code},
                Architectures=architectures,
                Tags=stage.settings["tags"],
                **settings,
            )
        present = functions.settled(name)
        if (present["CodeSha256"], present["Architectures"]) != (checksum, architectures):
            client.update_function_code(
                FunctionName=name,
                ZipFile=code,
                Architectures=architectures,
                RevisionId=present["RevisionId"],
            )
            present = functions.settled(name)
        client.update_function_configuration(FunctionName=name, RevisionId=present["RevisionId"], **settings)
        client.put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=stage.settings["lambda_concurrency"]
        )


def function_settings(stage: Stage) -> dict[str, Any]:
    """Return what Lambda's API and CloudFormation call the settings of a function."""
    settings = stage.settings
    network = {"VpcConfig": settings["vpc_config"]} if "vpc_config" in settings else {}
    return {
        "Role": settings["role_arn"],
        "Handler": settings["lambda_handler"],
        "Runtime": settings["runtime"],
        "Timeout": settings["timeout_seconds"],
        "MemorySize": settings["memory_size"],
        "Description": settings["lambda_description"],
        "Environment": {"Variables": settings["aws_environment_variables"]},
        **network,
    }
