"""Typed clients that openapi-python-client and openapi-typescript generate call a running API."""

import shutil
from pathlib import Path

import pytest
from django.conf import settings

from tests.support import node_programs, processes
from tests.support.laptop import Laptop

pytestmark = [pytest.mark.slow(cost=15, group="laptop"), pytest.mark.no_cover]

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


def check(folder: Path, *command: str | Path) -> None:
    run = processes.run(*command, folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr


class TestPythonClient:
    def test_creates_a_user_and_moves_a_file(self, tmp_path: Path, laptop: Laptop) -> None:
        generator = PROGRAMS / "openapi-python-client"
        if not generator.exists():
            pytest.fail("openapi-python-client is missing. Run `make infrastructure`.")
        (tmp_path / "config.yaml").write_text("post_hooks: []\npackage_name_override: moped_client\n")
        options = ("--meta", "none", "--fail-on-warning", "--config", "config.yaml")
        reference = ("--url", f"{laptop.url}/docs/openapi.json")
        check(tmp_path, generator, "generate", *options, *reference, "--output-path", "moped_client")

        check(tmp_path, PROGRAMS / "python", "-c", CALLS, laptop.url, laptop.token("admin"))


class TestTypeScriptClient:
    def test_creates_a_user_and_moves_a_file(self, tmp_path: Path, laptop: Laptop) -> None:
        (tmp_path / "node_modules").symlink_to(node_programs.MODULES)
        shutil.copy(Path(__file__).with_name("typed_client.mts"), tmp_path)
        options = ("--strict", "--skipLibCheck", "--module", "nodenext", "--lib", "es2022,dom,dom.iterable")
        for program, *arguments in (
            ("openapi-typescript", f"{laptop.url}/docs/openapi.json", "--output", "reference.ts"),
            ("tsc", *options, "typed_client.mts"),
        ):
            build = node_programs.run(tmp_path, program, *arguments)
            assert build.returncode == 0, build.stdout + build.stderr

        check(tmp_path, "node", "typed_client.mjs", laptop.url, laptop.token("admin"))
