"""The pages of routes, as the server sends them; tests/e2e/test_pages.py uses them in a browser."""

import html
import json
import re
import uuid
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from apps.users import selectors, services
from apps.users.errors import PASSWORD_RULE
from apps.users.models import Event, MopedUser
from tests.conftest import Caller, Impersonate
from tests.files.conftest import make_person
from tests.support.token_factory import Signer
from tests.users.stores import profile

PAGE = {"accept": "text/html"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"
VIEWER = uuid.uuid5(uuid.NAMESPACE_URL, "vera.viewer@austintexas.gov")
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def admin_client(impersonate: Impersonate) -> APIClient:
    return impersonate("admin")


def policy(response: Any) -> str:
    return str(response.headers["Content-Security-Policy"])


def visible(response: Any) -> str:
    """Return the page without the JSON of the answer and without the list of routes."""
    without_json = re.sub(r"<pre.*?</pre>", "", html.unescape(response.text), flags=re.DOTALL)
    return without_json[without_json.index("<main") :]


def send(client: APIClient, path: str, method: str, **fields: Any) -> str:
    """Send a form and return what the page shows."""
    body = urlencode(fields | {"_method": method, "csrfmiddlewaretoken": "x"}, doseq=True)
    return visible(client.post(path, body, content_type=FORM, headers=PAGE))


@pytest.mark.django_db
class TestForms:
    @pytest.fixture
    def forms(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        """What reached the service."""
        forms: list[dict[str, Any]] = []

        def create_user(*, actor: object, **values: Any) -> MopedUser:
            forms.append(values)
            return MopedUser(user_id=77, date_added=None)

        monkeypatch.setattr(services, "create_user", create_user)
        return forms

    def test_send_what_json_sends(self, admin_client: APIClient, forms: list[dict[str, Any]]) -> None:
        body = profile("jane.doe@austintexas.gov", password="Bicycle-Lanes-42") | {
            "is_user_group_member": True
        }
        admin_client.post("/users/", body, format="json")

        pages = (
            send(admin_client, "/users/", "POST", **body | {"is_user_group_member": "true"}),
            send(admin_client, "/users/", "POST", _content=json.dumps(body)),
        )

        assert all("HTTP 201" in page and "Send POST" in page for page in pages)
        assert forms[0] == forms[1] == forms[2]

    def test_are_for_pages_only(self, admin_client: APIClient, forms: list[dict[str, Any]]) -> None:
        assert admin_client.post("/users/", "email=x", content_type=FORM).status_code == 415
        assert not forms

    @pytest.mark.parametrize(("method", "status"), [("PUT", 404), ("DELETE", 404), ("PATCH", 405)])
    def test_name_the_method(self, admin_client: APIClient, method: str, status: int) -> None:
        fields = profile("jane.doe@austintexas.gov") | {"_method": method}

        response = admin_client.post(
            "/users/none", urlencode(fields, doseq=True), content_type=FORM, headers=PAGE
        )

        assert response.status_code == status

    def test_leave_empty_fields_out_of_a_query(self, admin_client: APIClient) -> None:
        page = admin_client.get("/users/?workgroup=&active=", headers=PAGE)
        link = re.search(r'href="([^"]+)">Get as JSON', page.content.decode())

        assert page.status_code == 200
        assert admin_client.get("/users/?workgroup=&active=").status_code == 400
        assert link
        assert admin_client.get(html.unescape(link[1])).status_code == 200


@pytest.mark.django_db
class TestPages:
    @pytest.mark.parametrize("path", ["/users/activate/", "/files/request-signature"])
    def test_open_with_the_form(self, admin_client: APIClient, path: str) -> None:
        response = admin_client.get(path, headers=PAGE)

        assert response.status_code == 200
        assert b'role="alert"' not in response.content

    def test_allow_the_bucket_where_files_are_uploaded(
        self, admin_client: APIClient, impersonate: Impersonate
    ) -> None:
        upload = admin_client.get("/files/request-signature", headers=PAGE)
        origin = settings.AWS_ENDPOINT_URL

        assert f"connect-src 'self' {origin};" in policy(upload)
        for path in ("/users/", "/files/", "/docs/"):
            assert "connect-src 'self';" in policy(admin_client.get(path, headers=PAGE))
        response = impersonate("viewer").get("/files/request-signature", headers=PAGE)
        assert "connect-src 'self';" in policy(response)

    def test_keep_html_out_of_forms_and_tables(self, admin_client: APIClient) -> None:
        name = "<script>alert(1)</script>"
        MopedUser.objects.create(**profile("jane.doe@austintexas.gov", last_name=name))

        response = admin_client.get(f"/users/?{urlencode({'search': name})}", headers=PAGE)

        assert response.status_code == 200
        assert name.encode() not in response.content

    def test_open_at_a_path_with_odd_characters(self, admin_client: APIClient) -> None:
        page = admin_client.get("/files/download/%3Fa%250Ab.pdf", headers=PAGE)

        assert '<a href="/files/">Files</a>' in page.text
        assert "file_unknown" in page.text

    @pytest.mark.parametrize("media_type", ["text/xml", "multipart/form-data"])
    def test_show_that_a_media_type_is_unsupported(self, admin_client: APIClient, media_type: str) -> None:
        response = admin_client.post("/users/", "<user/>", content_type=media_type, headers=PAGE)

        assert response.status_code == 415


@pytest.mark.django_db
class TestMessages:
    def test_of_a_missing_object_stand_once_and_without_forms(self, admin_client: APIClient) -> None:
        for page in (
            visible(admin_client.get("/users/12", headers=PAGE)),
            send(admin_client, "/users/12", "PUT", **profile("jane.doe@austintexas.gov")),
        ):
            assert page.count("There is no such user.") == 1
            assert "Send PUT" not in page
            assert "Send DELETE" not in page

    def test_are_for_people(self, admin_client: APIClient) -> None:
        page = send(admin_client, "/users/", "POST", email="no address", password="Short-1", title="x" * 256)

        errors = re.findall(r'-(\w+)-about">\s*<p class="error">(.*?)</p>\s*(<p class="error">)?', page)
        assert [(name, message) for name, message, _ in errors] == [
            ("email", "must be an email address, such as jane.doe@austintexas.gov"),
            ("first_name", "required field"),
            ("last_name", "required field"),
            ("title", "max length is 255"),
            ("workgroup_id", "required field"),
            ("roles", "required field"),
            ("password", PASSWORD_RULE),
        ]
        assert not any(another for _, _, another in errors)
        assert page.count(PASSWORD_RULE) == 1  # and not again as the help text
        assert page.count('aria-invalid="true"') == 6
        assert 'name="email" value="no address"' in page
        assert "Short-1" not in page

    def test_say_why_a_write_is_refused(self, impersonate: Impersonate, admin_client: APIClient) -> None:
        page = visible(impersonate("viewer").get("/users/", headers=PAGE))
        assert "You cannot do this: You need the role moped-admin" in page
        assert "Send POST" not in page

    def test_refuse_the_own_deletion(self, admin_client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        user = MopedUser(**profile("ada.admin@austintexas.gov", cognito_user_id=UNKNOWN, date_added=None))
        detail = selectors.UserDetail(user, account=None, sso_account=None, claims=None)
        monkeypatch.setattr(selectors, "get_user_detail", lambda _: detail)

        page = visible(admin_client.get(f"/users/{UNKNOWN}", headers=PAGE))

        assert "cannot remove your own account" in page
        assert "Send PUT" in page

    def test_beside_no_field_stand_above(self, admin_client: APIClient) -> None:
        page = send(admin_client, "/users/", "POST", _content='{"colour": 1}')

        assert re.search(r"<li><b>colour</b>: unknown field</li>", page)
        assert page.count("<li><b>") == 1

    @pytest.mark.parametrize("content", ["{", "[]"])
    def test_of_no_field_stand_beside_none(self, admin_client: APIClient, content: str) -> None:
        page = send(admin_client, "/users/", "POST", _content=content)

        assert 'role="alert"' in page
        assert 'class="error"' not in page
        assert f'spellcheck="false">{content}</textarea>' in page


@pytest.mark.django_db
class TestLinks:
    @pytest.fixture(autouse=True)
    def people(self) -> None:
        for name, account, changes in (
            ("jane", UNKNOWN, {"workgroup_id": 19}),
            ("vera.viewer", VIEWER, {}),
            ("former", None, {"is_deleted": True, "roles": ["moped-admin", "moped-viewer"]}),
            ("paula", None, {"roles": ["non-login-user"]}),
        ):
            values = profile(f"{name}@austintexas.gov", cognito_user_id=account, **changes)
            MopedUser.objects.create(**values)

    def links(self, client: APIClient) -> list[str]:
        page = client.get("/users/", headers=PAGE)
        return re.findall(r'<a href="(/users/[^"?]+[^"]*)" aria-label', html.unescape(page.text))

    def test_lead_an_admin_everywhere(self, admin_client: APIClient) -> None:
        links = self.links(admin_client)

        assert {f"/users/{UNKNOWN}", f"/users/{UNKNOWN}/history"} < set(links)
        assert "/users/activate/?email=former%40austintexas.gov&roles=moped-admin&roles=moped-viewer" in links
        assert "/users/activate/?email=paula%40austintexas.gov" in links

    def test_lead_a_viewer_to_the_own_page(self, impersonate: Impersonate) -> None:
        assert self.links(impersonate("viewer")) == [f"/users/{VIEWER}"]

    def test_to_an_activation_tick_the_former_roles(self, admin_client: APIClient) -> None:
        query = "email=former%40austintexas.gov&roles=moped-admin&roles=moped-viewer"
        page = admin_client.get(f"/users/activate/?{query}", headers=PAGE)

        assert re.findall(r'value="([\w-]+)" checked', page.text) == ["moped-viewer", "moped-admin"]
        body = re.search(r"<textarea id=\"raw-PUT\".*?>(.*?)</textarea>", html.unescape(page.text), re.DOTALL)
        assert body
        assert json.loads(body[1])["roles"] == ["moped-admin", "moped-viewer"]

    def test_lead_to_the_next_page_with_the_same_filters(self, admin_client: APIClient) -> None:
        page, count = "/users/?limit=1&active=true", 0
        while link := re.search(r'rel="next" href="(.*?)"', admin_client.get(page, headers=PAGE).text):
            page, count = html.unescape(link[1]), count + 1
        last = admin_client.get(page, headers=PAGE).text

        assert count == 2
        assert "3 to 3 of 3" in last
        assert 'rel="prev" href="/users/?active=true&amp;limit=1&amp;offset=1"' in last
        assert '<option value="true" selected>' in last

    def test_show_a_change_as_people_write_it(self, admin_client: APIClient) -> None:
        changes = {"note": (None, ""), "roles": (["a"], ["a", "b"]), "is_deleted": (False, True)}
        Event.objects.create(
            operation="update",
            user=MopedUser.objects.get(cognito_user_id=UNKNOWN),
            changes={name: {"from": before, "to": after} for name, (before, after) in changes.items()},
        )

        page = admin_client.get(f"/users/{UNKNOWN}/history", headers=PAGE).text

        assert re.findall(r"<li><b>(.*?)</li>", page) == [
            "Note</b>: (empty)",
            "Roles</b>: a → a, b",
            "Is deleted</b>: no → yes",
        ]

    def test_show_state_and_roles_as_they_are(self, admin_client: APIClient) -> None:
        MopedUser.objects.filter(cognito_user_id=UNKNOWN).update(roles=["moped-viewer", None, 1])

        page = admin_client.get("/users/", headers=PAGE).text

        assert 'data-title="Roles">moped-viewer, None, 1<' in page  # as Hasura let them in
        states = re.findall(r'data-title="State">(.*?)<', page)
        assert sorted(states) == ["active", "active", "deactivated", "no sign-in"]

    @pytest.mark.parametrize(("name", "value"), [("role", "non-login-user"), ("workgroup", "19")])
    def test_are_found_by_what_the_list_shows(self, admin_client: APIClient, name: str, value: str) -> None:
        page = admin_client.get(f"/users/?{name}={value}", headers=PAGE)

        assert f'<option value="{value}" selected>' in page.text
        assert "1 to 1 of 1" in page.text

    def test_of_breadcrumbs_have_no_slash_that_the_route_lacks(self, impersonate: Impersonate) -> None:
        for path, expected in (
            (
                f"/users/{UNKNOWN}/history",
                [("/", "Moped API"), ("/users/", "User List"), (f"/users/{UNKNOWN}", "User Detail")],
            ),
            ("/files/request-signature", [("/", "Moped API"), ("/files/", "Files")]),
        ):
            page = impersonate("viewer").get(path, headers=PAGE)
            trail = page.text[page.text.index('aria-label="Breadcrumbs"') :]
            assert re.findall(r'<li><a href="(.*?)">(.*?)</a>', trail) == expected


@pytest.mark.django_db
class TestTools:
    def test_fold_the_filters_until_one_is_set(self, admin_client: APIClient) -> None:
        for query, is_open in (("?limit=1&search=", False), ("?search=x", True), ("?limit=x", True)):
            page = admin_client.get(f"/users/{query}", headers=PAGE).text
            assert ('<details class="filters" open>' in page) == is_open

    @pytest.mark.parametrize("path", ["/users/?search=x", f"/users/{UNKNOWN}", "/users/activate/"])
    def test_describe_a_route_with_its_query(self, admin_client: APIClient, path: str) -> None:
        assert f'action="{path}"' in admin_client.get(path, headers=PAGE).text

        page = send(admin_client, path, "OPTIONS")

        assert "HTTP 200" in page
        assert f"<code>{path}</code>" in page
        assert "200 with an empty body" in page
        assert f'href="{path}">Back to' in page

    def test_offer_no_download_of_what_was_only_signed(self, calling: Caller) -> None:
        make_person()

        page = visible(calling().get("/files/request-signature?file=x.pdf", headers=PAGE))

        assert "HTTP 200" in page
        assert "Download" not in page


class TestOpenRoute:
    def test_leads_to_the_page(self, api_client: APIClient) -> None:
        response = api_client.get("/docs/open?route=user-history&user_id=some one")

        assert (response.status_code, response.headers["Location"]) == (302, "/users/some%20one/history")

    @pytest.mark.parametrize("query", ["", "route=auth-sign-out", "route=user&key=x"])
    def test_knows_no_other_routes(self, api_client: APIClient, query: str) -> None:
        assert api_client.get(f"/docs/open?{query}").status_code == 404


@pytest.mark.django_db
class TestFormsByCookie:
    @pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
    def test_need_the_token_of_the_page(self, signer: Signer, method: str) -> None:
        browser = APIClient(enforce_csrf_checks=True)
        browser.cookies["__Host-moped_id_token"] = signer.token()
        browser.get("/auth/current_user", headers=PAGE)

        for token in (browser.cookies["__Host-csrftoken"].value, "x" * 32):
            fields = urlencode({"_method": method, "csrfmiddlewaretoken": token})
            headers = PAGE | {"origin": "https://testserver"}
            response = browser.post("/users/none", fields, content_type=FORM, secure=True, headers=headers)

            assert (b"csrf_failed" in response.content) == (token == "x" * 32)
