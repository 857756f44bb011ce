"""
Who may do what: the groups that the access tables of all apps are written in.

Each app states its own routes in `tests/<app>/access.py`; tests/test_access.py walks every
route as every persona and fails for a route that no table has.
"""

ANONYMOUS = "anonymous"  # a caller without a token

EVERYONE = frozenset(
    {
        ANONYMOUS,
        "admin",
        "editor",
        "viewer",
        "sso_editor",
        "external_viewer",
        "outsider",
        "unverified",
        "no_roles",
    }
)
SIGNED_IN = EVERYONE - {ANONYMOUS}
STAFF_WITH_A_ROLE = frozenset({"admin", "editor", "viewer", "sso_editor"})
PROVEN_WITH_A_ROLE = STAFF_WITH_A_ROLE | {"external_viewer"}
EDITORS = frozenset({"admin", "editor", "sso_editor"})
ADMINS = frozenset({"admin"})

Table = dict[tuple[str, str], frozenset[str]]
"""(method, route name) → the personas who are let in."""
