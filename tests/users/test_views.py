"""What callers of `/users/` meet: shapes, statuses and messages; the services are replaced."""

import json
import re
import uuid
from typing import Any
from unittest.mock import ANY, Mock

import pytest
from django.db import InterfaceError, OperationalError
from django.urls import resolve
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from apps.core.errors import MopedError, UnavailableError, UpstreamError
from apps.users import errors, services
from apps.users.models import Event, MopedUser, MopedWorkgroup
from apps.users.reference import OPERATIONS
from tests.conftest import Caller, Impersonate
from tests.support.token_factory import hasura_claim
from tests.users.fields import INVALID_VALUES, VALID_VALUES
from tests.users.stores import PASSWORD, profile

ACCOUNT_ID = "22222222-2222-4222-8222-222222222222"
OWN_ID = "abcdef22-2222-4222-8222-222222222222"
JSON = "application/json"
BODY = profile("jane.doe@austintexas.gov", password=PASSWORD)
VISIBLE_FIELDS = {"email", "first_name", "last_name", "title", "password"}
# All that a service may raise.
ERRORS: list[Exception] = [
    *(
        error()
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, MopedError) and error.code != MopedError.code
    ),
    *(UpstreamError(), UnavailableError(), OperationalError("gone"), InterfaceError("closed")),
]
# Every write, as the editor sends it.
WRITES: dict[str, tuple[str, str, dict[str, Any] | None]] = {
    "create": ("POST", "/users/", BODY),
    "update": ("PUT", f"/users/{ACCOUNT_ID}", BODY),
    "activate": (
        "PUT",
        "/users/activate/",
        {"email": BODY["email"], "password": PASSWORD, "roles": ["moped-editor"]},
    ),
    "deactivate": ("DELETE", f"/users/{ACCOUNT_ID}", None),
}


@pytest.fixture
def admin_client(impersonate: Impersonate) -> APIClient:
    return impersonate("admin")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Stands for the services; each succeeds."""
    row = {**profile("jane.doe@austintexas.gov"), "workgroup": MopedWorkgroup(3, "Data"), "user_id": 77}
    del row["workgroup_id"]
    person = MopedUser(cognito_user_id=uuid.UUID(ACCOUNT_ID), date_added=None, **row)
    service = Mock(**{f"{name}.return_value": person for name in WRITES})
    for name in WRITES:
        monkeypatch.setattr(services, f"{name}_user", getattr(service, name))
    return service


def send(client: APIClient, write: str, **changes: Any) -> Any:
    method, path, body = WRITES[write]
    body_fields = {name: value for name, value in ((body or {}) | changes).items() if value is not ...}
    return client.generic(method, path, json.dumps(body_fields), JSON)


class TestWrites:
    @pytest.mark.parametrize(
        ("write", "status"), [("create", 201), ("update", 200), ("activate", 200), ("deactivate", 204)]
    )
    def test_succeed_with_and_without_a_slash_at_the_end(
        self, admin_client: APIClient, service: Mock, write: str, status: int
    ) -> None:
        method, path, body = WRITES[write]

        for spelling in (path.rstrip("/"), f"{path.rstrip('/')}/"):
            assert admin_client.generic(method, spelling, json.dumps(body or {}), JSON).status_code == status
        assert [name for name, _, _ in service.method_calls] == [write] * 2

    @pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
    def test_show_every_failure_beside_a_field(
        self, admin_client: APIClient, service: Mock, error: Exception
    ) -> None:
        for write in WRITES:
            getattr(service, write).side_effect = error

            response = send(admin_client, write)

            fields = response.json()["error"]
            assert response.status_code in {400, 403, 404, 409, 502, 503}
            assert VISIBLE_FIELDS & fields.keys()
            assert all(isinstance(messages, list) and messages for messages in fields.values())
            assert all(isinstance(message, str) for messages in fields.values() for message in messages)

    @pytest.mark.parametrize(
        ("caller", "read_only", "code"),
        [("editor", False, "permission_denied"), ("admin", True, "read_only_stage")],
    )
    @pytest.mark.parametrize("write", WRITES)
    def test_show_a_missing_role_and_a_read_only_stage(  # noqa: PLR0913, PLR0917 (fixtures)
        self,
        impersonate: Impersonate,
        service: Mock,
        settings: Settings,
        write: str,
        caller: str,
        read_only: bool,  # noqa: FBT001 (a case)
        code: str,
    ) -> None:
        settings.READ_ONLY = read_only

        response = send(impersonate(caller), write)

        assert (response.status_code, response.json()["code"]) == (403, code)
        assert response.json()["error"]["email"] == [response.json()["detail"]]
        assert not service.method_calls

    @pytest.mark.django_db
    def test_say_that_an_account_is_unknown(self, admin_client: APIClient) -> None:
        for name in ("null", "0", "undefined", "{" + ACCOUNT_ID + "}", f"urn:uuid:{ACCOUNT_ID}", "%00", "é"):
            for method in ("GET", "PUT", "DELETE"):
                response = admin_client.generic(method, f"/users/{name}", json.dumps(BODY), JSON)
                assert (response.status_code, response.json()["code"]) == (404, "user_not_found"), name


class TestReference:
    @pytest.mark.parametrize("write", WRITES)
    def test_names_every_refusal_of_the_service(self, write: str) -> None:
        method, path, _ = WRITES[write]
        view: Any = resolve(path).func
        documented = OPERATIONS[view.view_class][method.lower()].errors

        raised = re.findall(r":raises (\w+):", getattr(services, f"{write}_user").__doc__)

        assert raised
        assert [name for name in raised if getattr(errors, name) not in documented] == []


class TestFields:
    @pytest.mark.parametrize(
        ("field", "value"), [(field, value) for field, values in VALID_VALUES.items() for value in values]
    )
    def test_take_what_people_and_the_pool_use(
        self, admin_client: APIClient, service: Mock, field: str, value: str
    ) -> None:
        assert send(admin_client, "create", **{field: value}).status_code == 201

    @pytest.mark.parametrize(
        ("field", "message", "value"),
        [
            (field, message, value)
            for field, messages in INVALID_VALUES.items()
            for message, values in messages.items()
            for value in values
        ],
    )
    def test_say_what_is_wrong_where_the_form_shows_it(
        self, admin_client: APIClient, service: Mock, field: str, message: str, value: Any
    ) -> None:
        response = send(admin_client, "create", **{field: value})

        fields = response.json()["error"]
        assert response.status_code == 400
        assert message in fields[field]
        assert field in VISIBLE_FIELDS or fields["email"] == [f"{field}: {message}"]
        assert not service.method_calls

    def test_are_reported_together(self, admin_client: APIClient) -> None:
        response = send(admin_client, "create", email="x", first_name=..., roles=[], extra=1)

        assert {"email", "first_name", "roles", "extra"} <= response.json()["error"].keys()

    @pytest.mark.parametrize("password", [..., "", None])
    def test_keep_the_password_only_in_an_update(
        self, admin_client: APIClient, service: Mock, password: Any
    ) -> None:
        assert send(admin_client, "update", password=password).status_code == 200
        assert "password" in send(admin_client, "activate", password=password).json()["error"]
        assert [bool(arguments.get("password")) for _, _, arguments in service.method_calls] == [False]

    def test_reach_the_service_in_lower_case_without_what_is_ignored(
        self, admin_client: APIClient, service: Mock
    ) -> None:
        ignored = {"is_coa_staff": True, "cognito_user_id": None, "date_added": None, "is_deleted": False}
        send(admin_client, "create", email="Jane.DOE@AustinTexas.gov", **ignored)

        service.create.assert_called_once_with(actor=ANY, **BODY)


@pytest.mark.django_db
class TestUserList:
    @pytest.fixture(autouse=True)
    def _users(self) -> None:
        for first, last, changes in (
            ("Zoë", "Adams", {"roles": ["moped-admin"], "workgroup_id": 7}),
            ("Ann", "Adams", {}),
            ("Bob", "100%", {"is_deleted": True}),
            ("Cid", "O'Neill", {"roles": ["non-login-user"]}),
        ):
            values = profile(f"{first}.{last}@austintexas.gov", first_name=first, last_name=last)
            MopedUser.objects.create(**values | changes)

    @pytest.mark.parametrize(
        ("query", "count", "names"),
        [
            ("", 4, ["Bob", "Ann", "Zoë", "Cid"]),
            ("limit=2&offset=1", 4, ["Ann", "Zoë"]),
            ("limit=2&offset=9", 4, []),
            ("search=zoë adams", 1, ["Zoë"]),
            ("search=ANN.ADAMS@", 1, ["Ann"]),
            ("search=%25", 1, ["Bob"]),
            ("search=_", 0, []),
            ("search=o'n", 1, ["Cid"]),
            ("role=moped-admin", 1, ["Zoë"]),
            ("role=nonsense", 0, []),
            ("workgroup=7", 1, ["Zoë"]),
            ("active=true&limit=1", 3, ["Ann"]),
            ("active=false", 1, ["Bob"]),
            ("search=adams&role=moped-editor&workgroup=3", 1, ["Ann"]),
            pytest.param("unknown=1&limit=1", 4, ["Bob"], id="an unknown parameter is ignored"),
        ],
    )
    def test_pages_and_filters(
        self, impersonate: Impersonate, query: str, count: int, names: list[str]
    ) -> None:
        body = impersonate("viewer").get(f"/users/?{query}").json()

        assert body.keys() == {"count", "results"}
        assert (body["count"], [user["first_name"] for user in body["results"]]) == (count, names)

    @pytest.mark.parametrize(
        "query",
        [
            *["limit=0", "limit=201", "limit=x", "offset=-1", "active=perhaps", "active="],
            *["workgroup=x", "workgroup="],
        ],
    )
    def test_refuses_what_it_cannot_understand(self, impersonate: Impersonate, query: str) -> None:
        assert impersonate("viewer").get(f"/users/?{query}").status_code == 400


@pytest.mark.django_db
class TestUserDetail:
    def test_is_for_the_user_too(self, impersonate: Impersonate, calling: Caller) -> None:
        own = hasura_claim("moped-viewer", user_id=OWN_ID)
        own_client = calling(
            **{"https://hasura.io/jwt/claims": own, "cognito:username": "azuread_jane.doe@austintexas.gov"}
        )

        assert own_client.get(f"/users/{OWN_ID}").json()["code"] == "user_not_found"  # here are no rows
        assert own_client.get(f"/users/{OWN_ID.upper()}").status_code == 404
        assert impersonate("viewer").get(f"/users/{OWN_ID}").status_code == 403
        assert own_client.put(f"/users/{OWN_ID}", BODY, format="json").status_code == 403


@pytest.mark.django_db
class TestUserHistory:
    def test_outlives_the_account(self, admin_client: APIClient) -> None:
        user = MopedUser.objects.create(**profile("jane.doe@austintexas.gov", is_deleted=True))
        changes = {"title": {"from": "a", "to": "b"}}
        Event.objects.create(
            operation="update", user=user, cognito_user_id=ACCOUNT_ID, actor_email="ada", changes=changes
        )

        (event,) = admin_client.get(f"/users/{ACCOUNT_ID}/history").json()["results"]

        assert (event["operation"], event["actor_email"], event["changes"]) == ("update", "ada", changes)

    def test_is_not_found_for_an_unknown_account(self, admin_client: APIClient) -> None:
        assert admin_client.get(f"/users/{OWN_ID}/history").json()["code"] == "user_not_found"
