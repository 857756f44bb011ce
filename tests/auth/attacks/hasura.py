"""Hasura's claim: a token without it is accepted, an invalid claim is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.auth.attacks import ACCEPTED, CLAIMS, Attack
from tests.auth.signing import HASURA, compact, id_payload, key

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = "Hasura, JWT configuration: claims are strings, allowed-roles a list of strings"
DUPLICATES = "RFC 8259, 4: with duplicate names two readers see two callers"
FLASK = "the Flask API answered 500"
ROLES = "x-hasura-allowed-roles"


def string(text: str) -> Callable[[], str]:
    """Put this text into the claim, as the first trigger version does."""
    return lambda: key().token(id_payload(hasura=text))


def value(text: str) -> Callable[[], str]:
    """Put this JSON into the claim, as the second trigger version does."""

    def make() -> str:
        return key().token(compact(id_payload(hasura="@@")).replace(b'"@@"', text.encode()))

    return make


def both(name: str, text: str, answer: str, source: str) -> tuple[Attack, Attack]:
    """Try the same object in both versions."""
    return (
        Attack(f"{name}-in-a-string", string(text), answer, source),
        Attack(f"{name}-as-an-object", value(text), answer, source),
    )


def changed(**changes: Any) -> str:
    members = HASURA | {name.replace("_", "-"): value for name, value in changes.items()}
    return json.dumps({name: value for name, value in members.items() if value is not None})


def with_member(member: str) -> str:
    return f"{json.dumps(HASURA)[:-1]},{member}}}"


OBJECTS = (
    ("usual", json.dumps(HASURA), ACCEPTED, DOCS),
    ("compact", json.dumps(HASURA, separators=(",", ":")), ACCEPTED, DOCS),
    ("spaced", f" \n{json.dumps(HASURA, indent=2)} ", ACCEPTED, "RFC 8259, 2"),
    ("empty", "{}", ACCEPTED, "older items lack members"),
    ("without-roles", changed(x_hasura_allowed_roles=None), ACCEPTED, "older items lack members"),
    (
        "without-ids",
        changed(x_hasura_user_db_id=None, x_hasura_user_wg_id=None),
        ACCEPTED,
        "older items lack members",
    ),
    ("with-unknown-ids", changed(x_hasura_user_db_id="0"), ACCEPTED, DOCS),
    ("with-no-role", changed(x_hasura_allowed_roles=[]), ACCEPTED, DOCS),
    (
        "with-all-roles",
        changed(x_hasura_allowed_roles=["moped-admin", "moped-editor", "moped-viewer"]),
        ACCEPTED,
        DOCS,
    ),
    ("with-another-string", changed(x_hasura_custom="1"), ACCEPTED, DOCS),
    ("with-escapes", with_member('"x\\"y":"\\u0022"'), ACCEPTED, "RFC 8259, 7"),
    ("roles-as-a-string", changed(x_hasura_allowed_roles="moped-admin"), CLAIMS, DOCS),
    ("roles-as-hasura-array", changed(x_hasura_allowed_roles="{moped-admin}"), CLAIMS, DOCS),
    ("roles-as-an-object", changed(x_hasura_allowed_roles={"moped-admin": True}), CLAIMS, DOCS),
    ("roles-null", with_member('"x":"y"').replace('["moped-editor"]', "null"), CLAIMS, DOCS),
    ("roles-of-numbers", changed(x_hasura_allowed_roles=[1]), CLAIMS, DOCS),
    ("roles-with-null", changed(x_hasura_allowed_roles=["moped-editor", None]), CLAIMS, DOCS),
    ("roles-nested", changed(x_hasura_allowed_roles=[["moped-admin"]]), CLAIMS, DOCS),
    ("id-as-a-number", changed(x_hasura_user_db_id=77), CLAIMS, "the item's S and N confused"),
    ("id-as-a-list", changed(x_hasura_user_db_id=["77"]), CLAIMS, DOCS),
    ("id-null", with_member('"x":"y"').replace('"77"', "null"), CLAIMS, DOCS),
    ("default-role-as-a-list", changed(x_hasura_default_role=["moped-viewer"]), CLAIMS, DOCS),
    ("another-list", changed(x_hasura_custom=["moped-admin"]), CLAIMS, DOCS),
    ("another-number", changed(x_hasura_custom=1), CLAIMS, DOCS),
    ("another-boolean", changed(x_hasura_custom=True), CLAIMS, DOCS),
    ("another-null", with_member('"x":null'), CLAIMS, DOCS),
    ("another-object", changed(x_hasura_custom={"a": "b"}), CLAIMS, DOCS),
    ("roles-in-other-letters", changed(X_Hasura_Allowed_Roles=["moped-admin"]), CLAIMS, DOCS),
    ("roles-twice", with_member(f'"{ROLES}":["moped-admin"]'), CLAIMS, DUPLICATES),
    ("roles-twice-the-same", with_member(f'"{ROLES}":["moped-editor"]'), CLAIMS, DUPLICATES),
    ("roles-twice-none-first", f'{{"{ROLES}":[],{json.dumps(HASURA)[1:]}', CLAIMS, DUPLICATES),
    (
        "roles-twice-escaped",
        with_member('"x-hasura-allowed\\u002droles":["moped-admin"]'),
        CLAIMS,
        DUPLICATES,
    ),
    ("id-twice", with_member('"x-hasura-user-db-id":"1"'), CLAIMS, DUPLICATES),
    (
        "id-twice-and-one-missing",
        changed(x_hasura_user_wg_id=None)[:-1] + ',"x-hasura-user-db-id":"1"}',
        CLAIMS,
        DUPLICATES,
    ),
    ("unknown-twice", with_member('"a":"b","a":"b"'), CLAIMS, DUPLICATES),
    ("nan", with_member('"x":NaN'), CLAIMS, "RFC 8259, 6"),
    ("lone-surrogate", with_member('"x":"\\ud800"'), CLAIMS, "RFC 8259, 8.2"),
    ("comment", with_member('"x":"y"/**/'), CLAIMS, "RFC 8259, 2"),
    ("trailing-comma", json.dumps(HASURA)[:-1] + ",}", CLAIMS, "RFC 8259, 4"),
    ("deeply-nested", with_member('"x":' + "[" * 1200 + "]" * 1200), CLAIMS, "RFC 8259, 9"),
)

ATTACKS = (
    Attack("absent", lambda: key().token(id_payload(hasura=None)), ACCEPTED, "no roles; " + FLASK),
    *(attack for case in OBJECTS for attack in both(*case)),
    *(
        Attack(f"value-{text[:10]}", value(text), CLAIMS, FLASK)
        for text in ("null", "true", "1", "[]", '["moped-admin"]', "[{}]", "1.5")
    ),
    *(
        Attack(f"string-of-{name}", string(text), CLAIMS, FLASK)
        for name, text in (
            ("nothing", ""),
            ("null", "null"),
            ("array", "[]"),
            ("number", "1"),
            ("words", "moped-admin"),
            ("json-in-json", json.dumps(json.dumps(HASURA))),
            ("cut-short", json.dumps(HASURA)[:-1]),
            ("a-tail", json.dumps(HASURA) + "{}"),
            ("single-quotes", "{'a':'b'}"),
            ("nul", "\0"),
            ("byte-order-mark", "\ufeff{}"),
        )
    ),
)
