"""
Starts moto's server, completed where `make prove-aws` could not go on. Run by the Python of its environment.

| moto | here |
|---|---|
| runs functions in Docker | in a process of the Python that FUNCTION_PYTHON names |
| functions have no revision, and their URLs cannot be listed | they have one, and can |
| CloudFormation has no aliases and URLs of functions | it creates and changes moto's own |
| CloudFormation adds resources before it changes others | after it |
| CloudFormation adds no resource whose condition has become true | adds it |

Besides, its CloudFormation leaves the API of a deleted stack, and forgets an API's tags and binary types.
It keeps no default of a parameter. The accounts of tests/deployment/prove_moto.py avoid these faults.
"""

import io
import json
import os
import subprocess
import tempfile
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from moto import server
from moto.awslambda import models, responses, urls
from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel

WORKER = """
import importlib, json, os, sys
sys.path.insert(0, "")
answer = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
module, _, name = os.environ["_HANDLER"].rpartition(".")
code = 0
try:
    result = getattr(importlib.import_module(module), name)(json.load(sys.stdin), None)
except Exception as error:
    result, code = {"errorMessage": str(error), "errorType": type(error).__name__}, 1
json.dump(result, answer)
answer.close()
sys.exit(code)
"""
URLS = r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/urls/?$"
FOLDERS = Path(tempfile.mkdtemp(prefix="moto-functions-"))


def main() -> None:
    """Complete moto and serve."""
    models.LambdaFunction._invoke_lambda = run_function
    models.LambdaFunction.get_configuration = with_revision(models.LambdaFunction.get_configuration)
    models.LambdaVersion.get_cfn_attribute = lambda self, _name: str(self.version)
    parsing.ResourceMap.update = in_the_order_of_cloudformation(parsing.ResourceMap.update)
    urls.url_paths[URLS] = responses.LambdaResponse.dispatch
    responses.LambdaResponse.list_function_url_configs = list_urls
    server.main()


def run_function(function: Any, event: Any = None) -> tuple[str, bool, str]:
    """Return a function's answer, whether it failed, and its log, as moto's Docker does."""
    folder = FOLDERS / function.code_digest.replace("/", "_")
    if not folder.exists():
        with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as zipped:
            zipped.extractall(folder)
    run = subprocess.run(
        [os.environ["FUNCTION_PYTHON"], "-c", WORKER],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "_HANDLER": function.handler, **function.environment_vars},
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=False,
    )
    function.logs_backend.ensure_log_group(function.logs_group_name)
    function.save_logs(run.stderr)
    return run.stdout, run.returncode != 0, run.stderr


def with_revision(get_configuration: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Let a function's configuration have a revision, which changes with it."""

    def get(function: Any, *arguments: Any, **more: Any) -> dict[str, Any]:
        configuration = get_configuration(function, *arguments, **more)
        text = json.dumps(configuration, sort_keys=True, default=str)
        return {**configuration, "RevisionId": str(uuid.uuid5(uuid.NAMESPACE_OID, text))}

    return get


def list_urls(response: Any) -> str:
    """Return the URLs of a function: moto keeps one at most."""
    function = response.backend.get_function(unquote(response.path.split("/")[-2]))
    return json.dumps({"FunctionUrlConfigs": [function.url_config.to_dict()] if function.url_config else []})


def in_the_order_of_cloudformation(update: Callable[..., None]) -> Callable[..., None]:
    """Let a stack's update change what there is, then add what the template or a condition adds."""

    def change_then_add(
        stack: Any, template: dict[str, Any], parameters: dict[str, Any] | None = None
    ) -> None:
        resources = template["Resources"]
        present = {name: resources[name] for name in resources if name in stack._resource_json_map}
        update(stack, {**template, "Resources": present}, parameters)
        update(stack, template, parameters)
        for name in resources:
            stack[name]

    return change_then_add


class OfFunction:
    """What a stack creates for a function. It goes with its function."""

    def __init__(self, entity: Any, arn: str) -> None:
        self.entity = entity
        self.physical_resource_id = arn

    @classmethod
    def cloudformation_type(cls) -> str:
        return f"AWS::Lambda::{cls.__name__}"

    def delete(self, _account_id: str, _region: str) -> None:
        """Leave it to the function."""


class Alias(OfFunction, CloudFormationModel):  # type: ignore[misc] # moto is not installed here
    __module__ = models.__name__  # moto asks it for the service

    @classmethod
    def create_from_cloudformation_json(
        cls, _name: str, resource: Any, account_id: str, region: str, **_: Any
    ) -> "Alias":
        names = [resource["Properties"][name] for name in ("Name", "FunctionName", "FunctionVersion")]
        alias = models.lambda_backends[account_id][region].create_alias(*names, "", "")
        return cls(alias, alias.arn)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: "Alias", cloudformation_json: Any, **_: Any
    ) -> "Alias":
        original_resource.entity.update(None, cloudformation_json["Properties"]["FunctionVersion"], None)
        return original_resource


class Url(OfFunction, CloudFormationModel):  # type: ignore[misc] # moto is not installed here
    __module__ = models.__name__

    @classmethod
    def create_from_cloudformation_json(
        cls, _name: str, resource: Any, account_id: str, region: str, **_: Any
    ) -> "Url":
        function, properties = resource["Properties"]["TargetFunctionArn"], resource["Properties"]
        url = models.lambda_backends[account_id][region].create_function_url_config(function, properties)
        return cls(url, url.function.function_arn)

    def get_cfn_attribute(self, _name: str) -> str:
        return str(self.entity.url)


if __name__ == "__main__":
    main()
