"""The pages of routes, as the server sends them; tests/e2e/test_pages.py uses them in a browser."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from apps.users import services
from apps.users.models import MopedUser
from tests.users.stores import profile

if TYPE_CHECKING:
    from tests.conftest import Impersonate
    from tests.support.token_factory import Signer

PAGE = {"accept": "text/html"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def admin_client(impersonate: Impersonate) -> APIClient:
    return impersonate("admin")


def policy(response: Any) -> str:
    return str(response.headers["Content-Security-Policy"])


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
        fields = body | {"csrfmiddlewaretoken": "x", "is_user_group_member": "true"}

        response = admin_client.post(
            "/users/", urlencode(fields, doseq=True), content_type=FORM, headers=PAGE
        )

        assert response.status_code == 201
        assert forms[0] == forms[1]

    def test_are_for_pages_only(self, admin_client: APIClient, forms: list[dict[str, Any]]) -> None:
        assert admin_client.post("/users/", "email=x", content_type=FORM).status_code == 415
        assert not forms

    @pytest.mark.parametrize("path", ["/users/", f"/users/{UNKNOWN}", "/users/activate/"])
    def test_describe_a_route(self, admin_client: APIClient, path: str) -> None:
        response = admin_client.post(path, "_method=OPTIONS", content_type=FORM, headers=PAGE)

        assert response.status_code == 200
        assert "application/json" in response.text

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

    def test_link_to_routes_under_the_prefix_of_the_stage(self, api_client: APIClient) -> None:
        page = api_client.get("/health/live", headers=PAGE, SCRIPT_NAME="/staging").content.decode()

        assert '<a href="/staging/users/">' in page
        assert '<a href="/staging/health/live" aria-current="page">' in page

    def test_keep_html_out_of_forms_and_tables(self, admin_client: APIClient) -> None:
        name = "<script>alert(1)</script>"
        MopedUser.objects.create(**profile("jane.doe@austintexas.gov", last_name=name))

        response = admin_client.get(f"/users/?{urlencode({'search': name})}", headers=PAGE)

        assert response.status_code == 200
        assert name.encode() not in response.content


class TestOpenRoute:
    def test_leads_to_the_page(self, api_client: APIClient) -> None:
        response = api_client.get("/docs/open?route=user-history&user_id=some one")

        assert (response.status_code, response.headers["Location"]) == (302, "/users/some%20one/history")

    @pytest.mark.parametrize(
        "query", ["", "route=nothing", "route=user", "route=auth-sign-out", "route=user&key=x"]
    )
    def test_knows_no_other_routes(self, api_client: APIClient, query: str) -> None:
        assert api_client.get(f"/docs/open?{query}").status_code == 404


@pytest.mark.django_db
class TestFormsByCookie:
    ORIGIN = "https://testserver"

    def send(self, signer: Signer, method: str, origin: str, token: str | None) -> Any:
        """Send a form as a signed-in browser; without `token`, with the one that the page brought."""
        browser = APIClient(enforce_csrf_checks=True)
        browser.cookies["__Host-moped_id_token"] = signer.token()
        browser.get("/auth/current_user", headers=PAGE)
        fields = {
            "_method": method,
            "csrfmiddlewaretoken": token or browser.cookies["__Host-csrftoken"].value,
        }
        return browser.post(
            "/users/none",
            urlencode(fields),
            content_type=FORM,
            secure=True,
            headers=PAGE | {"origin": origin},
        )

    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    def test_pass_with_the_token_of_the_page(self, signer: Signer, method: str) -> None:
        assert b"csrf_failed" not in self.send(signer, method, self.ORIGIN, None).content

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
    @pytest.mark.parametrize(("origin", "token"), [(ORIGIN, "x" * 32), ("https://evil.example", None)])
    def test_are_refused_from_elsewhere(
        self, signer: Signer, method: str, origin: str, token: str | None
    ) -> None:
        response = self.send(signer, method, origin, token)

        assert response.status_code == 403
        assert b"csrf_failed" in response.content
