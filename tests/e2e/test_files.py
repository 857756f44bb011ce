"""An upload and a download by a real browser, on a page of the editor's own origin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.waiting import LIMIT_MILLISECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.support.laptop import Laptop

pytestmark = pytest.mark.slow(cost=10, group="laptop")

EDITORS_ORIGIN = "https://localhost:3000"
BODY = list(range(256)) * 100

# What the editor does, with its own headers and in its own order (contract 3.2).
EDITOR = """
const headers = token => ({
  "Content-Type": "text/plain;charset=UTF-8",
  Authorization: `Bearer ${token}`,
});

async function requestSignature({ api, token, file, projectId }) {
  const query = new URLSearchParams({ file: file.replace("&", "_"), project_id: projectId });
  const response = await fetch(`${api}/files/request-signature?${query}`, { headers: headers(token) });
  return response.status === 200 ? (await response.json()).credentials : response.status;
}

function postFile({ url, fields, bytes, changes }) {
  const form = new FormData();
  for (const name of Object.keys(fields)) form.append(name, (changes || {})[name] ?? fields[name]);
  form.append("file", new Blob([new Uint8Array(bytes)]), fields.key);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.onload = () => resolve(request.status);
    request.onerror = () => reject(new Error("the browser let nothing through"));
    request.send(form);
  });
}

async function openFile({ api, token, key }) {
  const response = await fetch(`${api}/files/download/${key}`, { headers: headers(token) });
  if (response.status === 200) window.location = (await response.json()).download_url;
  return response.status;
}
"""

MAKE_PROJECT = """
from apps.files.models import Project
print(Project.objects.create(project_name='Barton Springs Road').pk)
"""
INSERT_ROW = """
from apps.files.models import ProjectFile
ProjectFile.objects.create(project_id={project_id}, file_key={key!r}, file_name='Plan', file_size=25600,
    file_type_id=2, created_by_user_id=2)
"""


@pytest.fixture(scope="module")
def project_id(laptop: Laptop) -> str:
    return laptop.manage("shell", "--no-imports", "-c", MAKE_PROJECT).splitlines()[-1]


@pytest.fixture(scope="module")
def token(laptop: Laptop) -> str:
    return laptop.manage("token", "--as", "editor")


@pytest.fixture
def editor(chromium: Browser) -> Iterator[Page]:
    """A page on the editor's origin; only the page itself is made up, all it calls is real."""
    context = chromium.new_context(accept_downloads=True)
    context.set_default_timeout(LIMIT_MILLISECONDS)
    # The page comes from no server, so chromium cannot know that it is as local as what it calls.
    context.grant_permissions(["local-network-access"], origin=EDITORS_ORIGIN)
    page = context.new_page()
    page.route(
        f"{EDITORS_ORIGIN}/**",
        lambda route: route.fulfill(content_type="text/html", body=f"<script>{EDITOR}</script>"),
    )
    page.goto(f"{EDITORS_ORIGIN}/moped/")
    yield page
    context.close()


@pytest.fixture
def api(laptop: Laptop, token: str, project_id: str) -> dict[str, str]:
    return {"api": laptop.url, "token": token, "projectId": project_id}


def signed(editor: Page, api: dict[str, str], file: str) -> dict[str, Any]:
    credentials = editor.evaluate("arguments_ => requestSignature(arguments_)", {**api, "file": file})
    assert isinstance(credentials, dict), credentials
    return credentials


class TestEditor:
    def test_uploads_a_file_and_gets_it_back(
        self, editor: Page, api: dict[str, str], laptop: Laptop, project_id: str
    ) -> None:
        form = signed(editor, api, "Plan & Profile v1.2.docx")
        key = form["fields"]["key"]
        assert key.startswith(f"private/project/{project_id}/2_")

        status = editor.evaluate("form => postFile(form)", {**form, "bytes": BODY})
        assert 200 <= status < 300
        laptop.manage("shell", "--no-imports", "-c", INSERT_ROW.format(project_id=project_id, key=key))
        with editor.expect_download() as downloading:
            assert editor.evaluate("what => openFile(what)", {**api, "key": key}) == 200

        download = downloading.value
        assert Path(download.path()).read_bytes() == bytes(BODY)
        assert download.suggested_filename == "plan_profilev12.docx"

    def test_cannot_upload_under_another_key(self, editor: Page, api: dict[str, str]) -> None:
        form = signed(editor, api, "plan.pdf")
        changes = {"key": form["fields"]["key"].replace("plan", "another")}

        assert editor.evaluate("form => postFile(form)", {**form, "bytes": BODY, "changes": changes}) == 403

    def test_never_shows_a_page_that_was_uploaded(
        self, editor: Page, api: dict[str, str], laptop: Laptop, project_id: str
    ) -> None:
        form = signed(editor, api, "page.html")
        script = list(b"<script>document.title = 'run'</script>")
        editor.evaluate("form => postFile(form)", {**form, "bytes": script})
        key = form["fields"]["key"]
        laptop.manage("shell", "--no-imports", "-c", INSERT_ROW.format(project_id=project_id, key=key))

        with editor.expect_download() as downloading:
            editor.evaluate("what => openFile(what)", {**api, "key": key})

        assert downloading.value.suggested_filename == "page.html"
        assert editor.url.startswith(EDITORS_ORIGIN)

    def test_cannot_open_what_no_row_names(self, editor: Page, api: dict[str, str]) -> None:
        key = signed(editor, api, "plan.pdf")["fields"]["key"]

        assert editor.evaluate("what => openFile(what)", {**api, "key": key}) == 404
        assert editor.url.startswith(EDITORS_ORIGIN)
