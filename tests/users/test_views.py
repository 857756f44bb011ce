"""What callers of `/users/` meet: shapes, statuses and messages; the services are replaced."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError

from apps.claims.hasura import ROLES
from apps.core.errors import ConflictError, ForbiddenError, MopedError, UnavailableError, UpstreamError
from apps.users import errors, selectors, services
from apps.users.adapters.cognito import Account
from apps.users.models import Event, MopedUser, MopedWorkgroup
from apps.users.selectors import UserDetail
from tests.support.token_factory import hasura_claim
from tests.users.stores import PASSWORD, profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django.fixtures import Settings
    from rest_framework.test import APIClient

    from tests.conftest import Caller, Impersonate

ACCOUNT_ID = "22222222-2222-4222-8222-222222222222"
OWN_ID = "abcdef22-2222-4222-8222-222222222222"
BODY = profile("jane.doe@austintexas.gov", password=PASSWORD)
VISIBLE_FIELDS = {"email", "first_name", "last_name", "title", "password"}
MIN_LENGTH = "min length is 8"
REGEX = "value does not match regex '^(?=.*?[A-Z])(?=.*?[a-z])(?=.*?[0-9])(?=.*?[#?!@$%^&*-]).{12,}$'"
PASSWORD_RULE = (
    "A password has 12 to 256 characters in one line, among them a letter A to Z, a letter a to z, "
    "a digit and a symbol, and no space at either end."
)
ADDRESS = "must be an email address, such as jane.doe@austintexas.gov"
SSO_ADDRESS = "is the name of a single sign-on account: leave out 'azuread_'"
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
def person() -> MopedUser:
    row = {
        **profile("jane.doe@austintexas.gov"),
        "workgroup": MopedWorkgroup(3, "Data"),
        "user_id": 77,
        "date_added": None,
    }
    del row["workgroup_id"]
    return MopedUser(cognito_user_id=uuid.UUID(ACCOUNT_ID), **row)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, person: MopedUser) -> list[tuple[str, dict[str, Any]]]:
    """The calls that reached a service; each succeeds."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def service(name: str) -> Callable[..., MopedUser]:
        def called(*, actor: Any, **arguments: Any) -> MopedUser:
            calls.append((name, arguments))
            return person

        return called

    for name in WRITES:
        monkeypatch.setattr(services, f"{name}_user", service(name))
    return calls


def send(client: APIClient, write: str, **changes: Any) -> Any:
    method, path, body = WRITES[write]
    body_fields = {name: value for name, value in ((body or {}) | changes).items() if value is not ...}
    return client.generic(method, path, json.dumps(body_fields), content_type="application/json")


class TestWrites:
    @pytest.mark.parametrize(
        ("write", "status"), [("create", 201), ("update", 200), ("activate", 200), ("deactivate", 204)]
    )
    def test_succeed_as_the_editor_sends_them(
        self, admin_client: APIClient, calls: list[Any], write: str, status: int
    ) -> None:
        response = send(admin_client, write)

        assert response.status_code == status
        assert [name for name, _ in calls] == [write]

    @pytest.mark.parametrize("write", WRITES)
    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (errors.UserExistsError(), 409),
            (errors.WeakPasswordError(), 400),
            (errors.WorkgroupUnknownError(), 400),
            (errors.UserNotFoundError(), 404),
            (errors.OwnAccountError(), 403),
            (errors.LastAdminError(), 409),
            (errors.BusyError(), 409),
            (ConflictError(), 409),
            (ForbiddenError(), 403),
            (UpstreamError(), 502),
            (UnavailableError(), 503),
            (OperationalError("gone"), 503),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
    )
    def test_show_every_failure_beside_a_field(
        self,
        admin_client: APIClient,
        monkeypatch: pytest.MonkeyPatch,
        write: str,
        error: Exception,
        status: int,
    ) -> None:
        def fail(**_arguments: Any) -> None:
            raise error

        monkeypatch.setattr(services, f"{write}_user", fail)

        response = send(admin_client, write)

        fields = response.json()["error"]
        assert response.status_code == status
        assert VISIBLE_FIELDS & fields.keys()
        assert all(isinstance(messages, list) and messages for messages in fields.values())
        assert all(isinstance(message, str) for messages in fields.values() for message in messages)

    @pytest.mark.parametrize("write", WRITES)
    def test_show_a_refusal_for_want_of_the_role(self, impersonate: Impersonate, write: str) -> None:
        response = send(impersonate("editor"), write)

        assert response.status_code == 403
        assert response.json()["error"]["email"] == [response.json()["detail"]]

    @pytest.mark.parametrize("write", WRITES)
    def test_are_refused_to_an_admin_on_a_read_only_stage(
        self, admin_client: APIClient, calls: list[Any], settings: Settings, write: str
    ) -> None:
        settings.READ_ONLY = True

        response = send(admin_client, write)

        assert (response.status_code, response.json()["code"]) == (403, "read_only_stage")
        assert response.json()["error"]["email"] == [response.json()["detail"]]
        assert not calls

    @pytest.mark.parametrize("write", WRITES)
    def test_serve_both_spellings_of_the_path(
        self, admin_client: APIClient, calls: list[Any], write: str
    ) -> None:
        method, path, body = WRITES[write]
        other = path[:-1] if path.endswith("/") else f"{path}/"

        assert (
            admin_client.generic(
                method, other, json.dumps(body or {}), content_type="application/json"
            ).status_code
            < 300
        )

    @pytest.mark.django_db
    def test_say_that_an_account_is_unknown(self, admin_client: APIClient) -> None:
        for name in ("null", "0", "undefined", "{" + ACCOUNT_ID + "}", f"urn:uuid:{ACCOUNT_ID}", "%00", "é"):
            for method in ("GET", "PUT", "DELETE"):
                response = admin_client.generic(
                    method, f"/users/{name}", json.dumps(WRITES["update"][2]), content_type="application/json"
                )
                assert (response.status_code, response.json()["code"]) == (404, "user_not_found"), name


# Names with letters that a reader cannot see.
INVISIBLE = ("\u3164", "Jane\u115f", "\uffa0", "\ufe0f", "Ja\u034fne", "J\U000e0100")


class TestFields:
    @pytest.mark.parametrize("title", ["\u3164", "\u200b", " \ufe0f "])
    def test_refuse_invisible_titles(self, admin_client: APIClient, calls: list[Any], title: str) -> None:
        response = send(admin_client, "create", title=title)

        assert response.json()["error"] == {"title": ["empty values not allowed"]}
        assert not calls

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("email", ..., "required field"),
            ("email", None, "null value not allowed"),
            ("email", "", "empty values not allowed"),
            ("email", 7, "must be of string type"),
            ("email", "a@b.c", ADDRESS),
            ("email", "x" * 120 + "@austin.gov", "max length is 128"),
            ("email", "jane doe@austin.gov", ADDRESS),
            ("email", "\u212aim@austintexas.gov", ADDRESS),  # the Kelvin sign, whose lower case is "k"
            ("email", "azuread_jane.doe@austintexas.gov", SSO_ADDRESS),
            ("email", "AzureAD_jane.doe@austintexas.gov", SSO_ADDRESS),
            ("first_name", ..., "required field"),
            ("first_name", "", "empty values not allowed"),
            ("first_name", "   ", "empty values not allowed"),
            ("first_name", "x" * 129, "max length is 128"),
            (
                "last_name",
                "<b>",
                "only letters, digits, spaces and - . , ' \" ( ) are allowed, and a letter is required",
            ),
            ("title", ..., "required field"),
            ("title", None, "null value not allowed"),
            ("title", "", "empty values not allowed"),
            ("password", "Aa1!", MIN_LENGTH),
            ("password", "Aa1!", REGEX),
            ("password", "Aa1!", PASSWORD_RULE),
            ("password", "alllowercase1!", PASSWORD_RULE),
            ("password", "Aa1!Aa1!", REGEX),
            ("password", "alllowercase1!", REGEX),
            ("password", " Leading-Space1", REGEX),
            ("password", "Line-Break-1\nafter", REGEX),
            ("password", "Aa1!" * 65, "max length is 256"),
        ],
    )
    def test_say_what_is_wrong(
        self, admin_client: APIClient, calls: list[Any], field: str, value: Any, message: str
    ) -> None:
        response = send(admin_client, "create", **{field: value})

        assert response.status_code == 400
        assert message in response.json()["error"][field]
        assert not calls

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("workgroup_id", ..., "required field"),
            ("workgroup_id", 1.5, "must be of integer type"),
            ("workgroup_id", True, "must be of integer type"),
            ("workgroup_id", "3", "must be of integer type"),
            ("workgroup_id", 0, "min value is 1"),
            ("workgroup_id", 2**40, "max value is 2147483647"),
            ("roles", ..., "required field"),
            ("roles", "moped-admin", "must be of list type"),
            ("roles", [], "min length is 1"),
            ("roles", ["x"], 'unallowed values: "x"'),
            ("roles", [["moped-admin"], None], 'unallowed values: ["moped-admin"], null'),
            ("roles", ["non-login-user"], 'unallowed values: "non-login-user"'),
            ("roles", ["moped-admin", "moped-admin"], 'repeated values: "moped-admin"'),
            ("is_user_group_member", "true", "must be of boolean type"),
            ("is_deleted", True, "use DELETE to deactivate a user"),
            ("favourite_colour", "blue", "unknown field"),
        ],
    )
    def test_that_are_not_shown_speak_under_one_that_is(
        self, admin_client: APIClient, calls: list[Any], field: str, value: Any, message: str
    ) -> None:
        response = send(admin_client, "create", **{field: value})

        assert response.status_code == 400
        assert message in response.json()["error"][field]
        assert response.json()["error"]["email"] == [f"{field}: {message}"]
        assert not calls

    def test_are_reported_together(self, admin_client: APIClient) -> None:
        response = send(admin_client, "create", email="x", first_name=..., roles=[], extra=1)

        assert {"email", "first_name", "roles", "extra"} <= response.json()["error"].keys()

    @pytest.mark.parametrize(
        "name",
        [
            "Zoë",
            "O'Neill",
            "O\u2019Neill",
            "Đặng",
            "李",
            "सुरेश",
            "Jr. 2nd",
            "Anne-Marie",
            "King, Jr.",
            "Ann (Contractor)",
            'Robert "Bob"',
            "Robert \u201cBob\u201d",
            "Gal\u00b7la",
            "Ka\u02bbahumanu",
        ],
    )
    def test_take_names_in_any_script(self, admin_client: APIClient, calls: list[Any], name: str) -> None:
        assert send(admin_client, "create", first_name=name).status_code == 201

    @pytest.mark.parametrize(
        "name", ["...", "(,)", "1", "<b>", "a@b", "a;b", "a\x00b", "a\u202eb", *INVISIBLE]
    )
    def test_refuse_what_is_no_name(self, admin_client: APIClient, calls: list[Any], name: str) -> None:
        response = send(admin_client, "create", last_name=name)

        assert (response.status_code, list(response.json()["error"])) == (400, ["last_name"])
        assert not calls

    @pytest.mark.parametrize(
        "address",
        [
            "jane.doe@austintexas.gov",
            "a@b.co",
            "o'neill+moped@sub.domain.example.com",
            "jane_doe/plans=1@example.com",
            "!#$%&'*+-/=?^_`{|}~@example.com",
            "x" * 64 + "@example.com",
            "jane@xn--bcher-kva.example",
        ],
    )
    def test_take_addresses_of_rfc_5321(
        self, admin_client: APIClient, calls: list[Any], address: str
    ) -> None:
        assert send(admin_client, "create", email=address).status_code == 201

    @pytest.mark.parametrize(
        "address",
        [
            "jane..doe@austintexas.gov",
            ".jane@austintexas.gov",
            "jane.@austintexas.gov",
            "jane@austintexas.gov.",
            "jane@austintexas..gov",
            "jane@.austintexas.gov",
            "jane@-austintexas.gov",
            "jane@austintexas-.gov",
            "jane@localhost",
            "jane@[192.0.2.1]",
            '"jane doe"@austintexas.gov',
            "jane@doe@austintexas.gov",
            "jane@" + "x" * 64 + ".gov",
            "x" * 65 + "@example.com",
            "jos\u00e9@austintexas.gov",
            "jane@b\u00fccher.example",
        ],
    )
    def test_refuse_what_is_no_address(self, admin_client: APIClient, calls: list[Any], address: str) -> None:
        assert send(admin_client, "create", email=address).json()["error"]["email"] == [ADDRESS]
        assert not calls

    def test_lower_case_the_address(self, admin_client: APIClient, calls: list[Any]) -> None:
        send(admin_client, "create", email="Jane.DOE@AustinTexas.gov")

        assert calls[0][1]["email"] == "jane.doe@austintexas.gov"

    @pytest.mark.parametrize("password", [..., "", None])
    def test_may_leave_the_password_as_it_is(
        self, admin_client: APIClient, calls: list[Any], password: Any
    ) -> None:
        assert send(admin_client, "update", password=password).status_code == 200
        assert "password" not in calls[0][1]

    @pytest.mark.parametrize("password", [..., "", None, "short"])
    def test_need_a_password_for_a_new_account(
        self, admin_client: APIClient, calls: list[Any], password: Any
    ) -> None:
        for write in ("create", "activate"):
            assert "password" in send(admin_client, write, password=password).json()["error"]
        assert not calls

    @pytest.mark.parametrize("symbol", list("^$*.[]{}()?\"!@#%&/\\,><':;|_~`+=-"))
    def test_take_every_symbol_that_the_pool_counts(
        self, admin_client: APIClient, calls: list[Any], symbol: str
    ) -> None:
        assert send(admin_client, "create", password=f"Abcdefghijk1{symbol}").status_code == 201

    def test_pass_over_what_is_decided_here(self, admin_client: APIClient, calls: list[Any]) -> None:
        send(
            admin_client, "create", is_coa_staff=True, cognito_user_id=None, date_added=None, is_deleted=False
        )

        assert calls[0][1].keys() == BODY.keys()


class TestUserList:
    @pytest.fixture
    def users(self) -> None:
        for number, name in enumerate(("Adams", "Baker", "Clark", "Davis")):
            values = profile(f"{name}@austintexas.gov", last_name=name, roles=["moped-editor"])
            MopedUser.objects.create(**values | {"is_deleted": number == 0})

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        ("query", "count", "names"),
        [
            ("", 4, ["Adams", "Baker", "Clark", "Davis"]),
            ("limit=2&offset=1", 4, ["Baker", "Clark"]),
            ("limit=2&offset=9", 4, []),
            ("active=true&limit=1", 3, ["Baker"]),
            ("search=clark&role=moped-editor&workgroup=3", 1, ["Clark"]),
            ("role=moped-admin", 0, []),
            pytest.param("unknown=1&limit=1", 4, ["Adams"], id="an unknown parameter is ignored"),
        ],
    )
    @pytest.mark.usefixtures("users")
    def test_pages_and_filters(
        self, impersonate: Impersonate, query: str, count: int, names: list[str]
    ) -> None:
        body = impersonate("viewer").get(f"/users/?{query}").json()

        assert body.keys() == {"count", "results"}
        assert (body["count"], [user["last_name"] for user in body["results"]]) == (count, names)

    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=201",
            "limit=x",
            "offset=-1",
            "active=perhaps",
            "active=",
            "workgroup=x",
            "workgroup=",
        ],
    )
    def test_refuses_what_it_cannot_understand(self, impersonate: Impersonate, query: str) -> None:
        assert impersonate("viewer").get(f"/users/?{query}").status_code == 400


class TestUserDetail:
    @pytest.fixture(autouse=True)
    def _portrait(self, monkeypatch: pytest.MonkeyPatch, person: MopedUser) -> None:
        account = Account(
            ACCOUNT_ID, person.email, is_verified=True, is_enabled=True, status="CONFIRMED", mark=""
        )
        monkeypatch.setattr(
            selectors, "get_user_detail", lambda _id: UserDetail(person, account, None, person.claims)
        )

    def test_shows_what_the_three_stores_know(self, admin_client: APIClient) -> None:
        detail = admin_client.get(f"/users/{ACCOUNT_ID}").json()

        assert detail["email"] == "jane.doe@austintexas.gov"
        assert detail["cognito"]["status"] == "CONFIRMED"
        assert detail["sso"] is None
        assert detail["claims"]["x-hasura-allowed-roles"] == ["moped-editor"]

    def test_is_for_the_user_too(self, impersonate: Impersonate, calling: Caller) -> None:
        own = hasura_claim("moped-viewer", user_id=OWN_ID)
        own_client = calling(
            **{"https://hasura.io/jwt/claims": own, "cognito:username": "azuread_jane.doe@austintexas.gov"}
        )

        assert own_client.get(f"/users/{OWN_ID}").status_code == 200
        assert own_client.get(f"/users/{OWN_ID.upper()}").status_code == 200
        assert impersonate("viewer").get(f"/users/{OWN_ID}").status_code == 403
        assert own_client.put(f"/users/{OWN_ID}", BODY, format="json").status_code == 403


class TestUserHistory:
    def test_says_who_did_what_when(self, admin_client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        event = Event(
            id=1,
            at=datetime(2026, 1, 1, tzinfo=UTC),
            operation="update",
            actor_email="ada@austintexas.gov",
            changes={"title": {"from": "a", "to": "b"}},
        )
        monkeypatch.setattr(selectors, "history", lambda _id: [event])

        events = admin_client.get(f"/users/{ACCOUNT_ID}/history").json()["results"]

        assert (events[0]["actor_email"], events[0]["changes"]) == ("ada@austintexas.gov", event.changes)


class TestErrors:
    def test_of_this_app_all_stand_under_a_field(self) -> None:
        app_errors = [
            error
            for error in vars(errors).values()
            if isinstance(error, type) and error.__module__ == errors.__name__
        ]

        assert len(app_errors) > 10
        assert all(error().fields for error in app_errors if issubclass(error, MopedError))

    def test_roles_are_the_contracts(self) -> None:
        assert set(ROLES) == {"moped-viewer", "moped-editor", "moped-admin"}
