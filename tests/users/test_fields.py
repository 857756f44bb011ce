"""The serializers beside the schemas of the reference: the same bodies are accepted and refused."""

from typing import Any

import jsonschema
import pytest

from apps.core.http.serializers import StrictSerializer
from apps.users import reference
from apps.users.serializers import ActivationSerializer, ChangedUserSerializer, NewUserSerializer
from tests.reference.document import DOCUMENT
from tests.users.fields import EMPTY, INVALID_VALUES, ONLY_IN_WORDS, VALID_VALUES

# A serializer, and a body that it takes.
BODIES: dict[str, tuple[type[StrictSerializer], dict[str, Any]]] = {
    "NewUser": (NewUserSerializer, reference.NEW_USER),
    "ChangedUser": (ChangedUserSerializer, reference.CHANGED_USER),
    "Activation": (ActivationSerializer, reference.ACTIVATION),
}


def fits_schema(component: str, body: dict[str, Any]) -> bool:
    schema = {"$ref": f"#/components/schemas/{component}", "components": DOCUMENT["components"]}
    return bool(jsonschema.Draft202012Validator(schema).is_valid(body))


def is_accepted(component: str, body: dict[str, Any]) -> bool:
    return bool(BODIES[component][0](data=body).is_valid())


@pytest.mark.parametrize("component", BODIES)
class TestSchema:
    @pytest.mark.parametrize("field", VALID_VALUES)
    def test_takes_what_the_code_accepts(self, component: str, field: str) -> None:
        for value in VALID_VALUES[field]:
            body = BODIES[component][1] | {field: value}

            assert fits_schema(component, body) or not is_accepted(component, body), value

    @pytest.mark.parametrize("field", INVALID_VALUES)
    def test_refuses_what_the_code_refuses(self, component: str, field: str) -> None:
        for message, values in INVALID_VALUES[field].items():
            for value in values:
                body = {**BODIES[component][1], field: value}
                if value is ...:
                    del body[field]
                is_in_words = message in ONLY_IN_WORDS or (message == EMPTY and value)
                if not is_accepted(component, body) and not is_in_words:
                    assert not fits_schema(component, body), value


class TestChangedUser:
    @pytest.mark.parametrize("password", ["", None])
    def test_keeps_the_password_in_code_and_schema(self, password: str | None) -> None:
        body = reference.CHANGED_USER | {"password": password}

        assert is_accepted("ChangedUser", body)
        assert fits_schema("ChangedUser", body)
