"""An upload and a download by a real browser, on a page of the editor's own origin."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import window
from tests.support.laptop import Laptop

pytestmark = pytest.mark.slow(cost=10, group="laptop")

EDITORS_ORIGIN = "https://localhost:3000"
BODY = b"<script>document.title = 'run'</script>" + bytes(range(256)) * 100

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

async function postFile({ url, fields, bytes }) {
  const form = new FormData();
  for (const name of Object.keys(fields)) form.append(name, fields[name]);
  form.append("file", new Blob([new Uint8Array(bytes)]), fields.key);
  return (await fetch(url, { method: "POST", body: form })).status;
}

async function openFile({ api, token, key }) {
  const response = await fetch(`${api}/files/download/${key}`, { headers: headers(token) });
  if (response.status === 200) window.location = (await response.json()).download_url;
  return response.status;
}
"""

RECORD = "from apps.devstack import sample_data; sample_data.record_file({key!r}, '2')"


@pytest.fixture
def editor(chromium: Browser) -> Iterator[Page]:
    """A page on the editor's origin; only the page itself is made up, all it calls is real."""
    with window(chromium) as page:
        # The page comes from no server, so chromium cannot know that it is as local as what it calls.
        page.context.grant_permissions(["local-network-access"], origin=EDITORS_ORIGIN)
        page.route(
            f"{EDITORS_ORIGIN}/**",
            lambda route: route.fulfill(content_type="text/html", body=f"<script>{EDITOR}</script>"),
        )
        page.goto(f"{EDITORS_ORIGIN}/moped/")
        yield page


class TestEditor:
    def test_uploads_a_page_and_saves_it_without_running_it(self, editor: Page, laptop: Laptop) -> None:
        call = {"api": laptop.url, "token": laptop.manage("token", "--as", "editor")}
        name = "Plan & Profile v1.2.html"
        form = editor.evaluate("call => requestSignature(call)", {**call, "file": name, "projectId": "1"})
        assert isinstance(form, dict), form
        key = form["fields"]["key"]
        assert key.startswith("private/project/1/2_")

        status = editor.evaluate("form => postFile(form)", {**form, "bytes": list(BODY)})
        assert 200 <= status < 300
        laptop.manage("shell", "--no-imports", "-c", RECORD.format(key=key))
        with editor.expect_download() as downloading:
            assert editor.evaluate("call => openFile(call)", {**call, "key": key}) == 200

        download = downloading.value
        assert Path(download.path()).read_bytes() == BODY
        assert download.suggested_filename == "plan_profilev12.html"
        assert editor.url.startswith(EDITORS_ORIGIN)
