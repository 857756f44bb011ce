"""Hasura's claim: a token without it is accepted, an invalid claim is refused."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.auth.attacks import ACCEPTED, CLAIMS, catalogue
from tests.auth.signing import HASURA, compact, id_payload, key

ROLES = "x-hasura-allowed-roles"


def string(text: str) -> Callable[[], str]:
    """Put this text into the claim, as the first trigger version does."""
    return lambda: key().sign(id_payload(hasura=text))


def value(text: str) -> Callable[[], str]:
    """Put this JSON into the claim, as the second trigger version does."""
    return lambda: key().sign(compact(id_payload(hasura="@@")).replace(b'"@@"', text.encode()))


def both(objects: Mapping[str, str]) -> dict[str, Callable[[], str]]:
    """Put each object into the claim in both versions."""
    return {f"{name}-in-a-string": string(text) for name, text in objects.items()} | {
        f"{name}-as-an-object": value(text) for name, text in objects.items()
    }


def changed(**changes: Any) -> str:
    members = HASURA | {name.replace("_", "-"): value for name, value in changes.items()}
    return json.dumps({name: value for name, value in members.items() if value is not None})


def with_member(member: str) -> str:
    return f"{json.dumps(HASURA)[:-1]},{member}}}"


VALID = {
    # Hasura, JWT configuration: claims are strings, allowed-roles a list of strings
    "usual": json.dumps(HASURA),
    "with-unknown-ids": changed(x_hasura_user_db_id="0"),
    "with-no-role": changed(x_hasura_allowed_roles=[]),
    "with-another-string": changed(x_hasura_custom="1"),
    "spaced": f" \n{json.dumps(HASURA, indent=2)} ",  # RFC 8259, 2
    # older items lack members
    "empty": "{}",
    "without-roles": changed(x_hasura_allowed_roles=None),
    "without-ids": changed(x_hasura_user_db_id=None, x_hasura_user_wg_id=None),
    "with-escapes": with_member('"x\\"y":"\\u0022"'),  # RFC 8259, 7
}
INVALID = {
    # Hasura, JWT configuration: claims are strings, allowed-roles a list of strings
    "roles-as-a-string": changed(x_hasura_allowed_roles="moped-admin"),
    "roles-null": with_member('"x":"y"').replace('["moped-editor"]', "null"),
    "roles-of-numbers": changed(x_hasura_allowed_roles=[1]),
    "id-as-a-list": changed(x_hasura_user_db_id=["77"]),
    "another-list": changed(x_hasura_custom=["moped-admin"]),
    "another-null": with_member('"x":null'),
    "another-object": changed(x_hasura_custom={"a": "b"}),
    "roles-in-other-letters": changed(X_Hasura_Allowed_Roles=["moped-admin"]),
    "id-as-a-number": changed(x_hasura_user_db_id=77),  # the item's S and N confused
    # RFC 8259, 4: with duplicate names two readers see two callers
    "roles-twice": with_member(f'"{ROLES}":["moped-admin"]'),
    "roles-twice-none-first": f'{{"{ROLES}":[],{json.dumps(HASURA)[1:]}',
    "roles-twice-escaped": with_member('"x-hasura-allowed\\u002droles":["moped-admin"]'),
    "id-twice": with_member('"x-hasura-user-db-id":"1"'),
    "id-twice-and-one-missing": changed(x_hasura_user_wg_id=None)[:-1] + ',"x-hasura-user-db-id":"1"}',
    "unknown-twice": with_member('"a":"b","a":"b"'),
    "nan": with_member('"x":NaN'),  # RFC 8259, 6
    "lone-surrogate": with_member('"x":"\\ud800"'),  # RFC 8259, 8.2
    "deeply-nested": with_member('"x":' + "[" * 1200 + "]" * 1200),  # RFC 8259, 9
}

ATTACKS = catalogue(
    {
        ACCEPTED: {
            **both(VALID),
            "absent": lambda: key().sign(id_payload(hasura=None)),  # no roles; the Flask API answered 500
        },
        CLAIMS: {
            **both(INVALID),
            # the Flask API answered 500
            **{f"value-{text[:10]}": value(text) for text in ("null", "true", "1", "[]", '["moped-admin"]')},
            **{
                f"string-of-{name}": string(text)
                for name, text in (
                    ("nothing", ""),
                    ("null", "null"),
                    ("array", "[]"),
                    ("json-in-json", json.dumps(json.dumps(HASURA))),
                    ("cut-short", json.dumps(HASURA)[:-1]),
                    ("a-tail", json.dumps(HASURA) + "{}"),
                    ("byte-order-mark", "\ufeff{}"),
                )
            },
        },
    }
)
