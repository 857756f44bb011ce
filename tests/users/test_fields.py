"""The serializers beside the schemas of the reference: the same bodies are accepted and refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from apps.users import reference
from apps.users.serializers import ActivationSerializer, ChangedUserSerializer, NewUserSerializer
from tests.reference.document import DOCUMENT

if TYPE_CHECKING:
    from apps.core.http.serializers import StrictSerializer

BODIES: dict[str, tuple[type[StrictSerializer], dict[str, Any]]] = {
    "NewUser": (NewUserSerializer, reference.NEW_USER),
    "ChangedUser": (ChangedUserSerializer, reference.CHANGED_USER),
    "Activation": (ActivationSerializer, reference.ACTIVATION),
}
PASSWORD = "Bicycle-Lanes-42"
LONGEST_EMAIL = f"{'a' * 64}@{'b' * 56}.austin"


def fits_schema(component: str, body: dict[str, Any]) -> bool:
    schema = {"$ref": f"#/components/schemas/{component}", "components": DOCUMENT["components"]}
    return bool(jsonschema.Draft202012Validator(schema).is_valid(body))


def is_accepted(component: str, body: dict[str, Any]) -> bool:
    return bool(BODIES[component][0](data=body).is_valid())


@pytest.mark.parametrize("component", BODIES)
class TestSchema:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("password", PASSWORD),
            ("password", "Aa1^" + "x" * 252),
            ("password", ""),
            ("password", None),
            ("email", LONGEST_EMAIL),
            ("email", "o'brien+moped@AustinTexas.gov"),
            ("first_name", "Nguye\u0302\u0303n"),
            ("last_name", "King, Jr."),
            ("last_name", "x" * 128),
            ("title", " Planner "),
            ("title", "x" * 255),
            ("title", " " + "x" * 255),
            ("first_name", "e\u0301" * 128),
            ("note", ""),
            ("note", None),
            ("note", "x" * 10_000 + "\n"),
            ("is_deleted", False),
            ("roles", ["moped-viewer", "moped-editor"]),
        ],
        ids=lambda value: str(value)[:16],
    )
    def test_takes_what_the_code_accepts(self, component: str, field: str, value: object) -> None:
        body = BODIES[component][1] | {field: value}

        assert fits_schema(component, body) or not is_accepted(component, body)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("password", "Aa1^" + "x" * 7),
            ("password", "Aa1^" + "x" * 253),
            ("password", 7),
            ("email", "a" * 116 + "@austintexas.gov"),
            ("email", ""),
            ("first_name", ""),
            ("last_name", "x" * 129),
            ("title", "x" * 256),
            ("title", None),
            ("note", "x" * 10_001),
            ("workgroup_id", 0),
            ("workgroup_id", "1"),
            ("roles", []),
            ("roles", ["moped-viewer", "moped-viewer"]),
            ("roles", ["another"]),
        ],
        ids=lambda value: str(value)[:16],
    )
    def test_refuses_what_the_code_refuses(self, component: str, field: str, value: object) -> None:
        body = BODIES[component][1] | {field: value}

        assert not is_accepted(component, body)
        assert not fits_schema(component, body)


class TestChangedUser:
    @pytest.mark.parametrize("password", ["", None])
    def test_keeps_the_password_in_code_and_schema(self, password: str | None) -> None:
        body = reference.CHANGED_USER | {"password": password}

        assert is_accepted("ChangedUser", body)
        assert fits_schema("ChangedUser", body)
