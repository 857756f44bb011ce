"""Typed clients that openapi-python-client and openapi-typescript generate call a running API."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from tests.support import node_programs

if TYPE_CHECKING:
    from tests.e2e.conftest import Laptop

pytestmark = [pytest.mark.slow(cost=20, group="laptop"), pytest.mark.no_cover]

PROGRAMS: Path = settings.BASE_DIR / ".build/linters/bin"

CALLS = """
import sys
import httpx
from moped_client import AuthenticatedClient, models
from moped_client.api.files import get_files_download_key, get_files_request_signature
from moped_client.api.users import post_users

client = AuthenticatedClient(sys.argv[1], sys.argv[2])
person = models.NewUser.from_dict({
    "email": "generated.client@austintexas.gov", "first_name": "Jane", "last_name": "Doe", "title": "Planner",
    "workgroup_id": 1, "roles": ["moped-editor"], "password": "Correct-Horse-7",
})

created = post_users.sync(client=client, body=person)
assert isinstance(created, models.User), created
assert created.email == person.email

person.password = "Another-Horse-7"
refused = post_users.sync(client=client, body=person)
assert isinstance(refused, models.PostUsersResponse409), refused
assert refused.code is models.PostUsersResponse409Code.USER_EXISTS
assert refused.error["email"]

form = get_files_request_signature.sync(client=client, file="plan.pdf")
assert isinstance(form, models.UploadForm), form
fields = form.credentials.fields.to_dict()
posted = httpx.post(form.credentials.url, data=fields, files={"file": ("plan.pdf", b"a plan")}, timeout=None)
assert posted.is_success, posted.text

link = get_files_download_key.sync(form.filename, client=client)
assert isinstance(link, models.DownloadLink), link
assert httpx.get(link.download_url, timeout=None).content == b"a plan"
"""


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    """The folder of a generated client; without a generator the test fails and names the command."""
    generator = PROGRAMS / "openapi-python-client"
    if not generator.exists():
        pytest.fail("openapi-python-client is missing. Run `make infrastructure`.")
    (tmp_path / "config.yaml").write_text("post_hooks: []\npackage_name_override: moped_client\n")
    generation = subprocess.run(
        [
            *(generator, "generate", "--meta", "none", "--fail-on-warning", "--config", "config.yaml"),
            *("--path", settings.BASE_DIR / "openapi.yaml", "--output-path", "moped_client"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert generation.returncode == 0, generation.stdout
    return tmp_path


class TestPythonClient:
    def test_creates_a_user_and_moves_a_file(self, generated: Path, laptop: Laptop) -> None:
        token = laptop.manage("token", "--as", "admin")
        calls = subprocess.run(
            [PROGRAMS / "python", "-c", CALLS, laptop.url, token],
            cwd=generated,
            capture_output=True,
            text=True,
            check=False,
        )

        assert calls.returncode == 0, calls.stderr


class TestTypeScriptClient:
    def test_creates_a_user_and_moves_a_file(self, tmp_path: Path, laptop: Laptop) -> None:
        (tmp_path / "node_modules").symlink_to(node_programs.MODULES)
        shutil.copy(Path(__file__).with_name("typed_client.mts"), tmp_path)
        for program, *arguments in (
            ("openapi-typescript", settings.BASE_DIR / "openapi.yaml", "--output", "reference.d.ts"),
            (
                "tsc",
                "--strict",
                *("--module", "nodenext"),
                *("--lib", "es2022,dom,dom.iterable"),
                "typed_client.mts",
            ),
        ):
            build = node_programs.run(tmp_path, program, *arguments)
            assert build.returncode == 0, build.stdout + build.stderr

        token = laptop.manage("token", "--as", "admin")
        calls = subprocess.run(
            ["node", "typed_client.mjs", laptop.url, token],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

        assert calls.returncode == 0, calls.stderr
