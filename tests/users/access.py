"""Who may call the routes of users."""

from tests.support.callers import ADMINS, STAFF_WITH_A_ROLE, Table

ACCESS: Table = {
    ("GET", "users"): STAFF_WITH_A_ROLE,
    ("POST", "users"): ADMINS,
    ("PUT", "activate-user"): ADMINS,
    ("GET", "user"): ADMINS,  # and the user, whom the matrix's path is not
    ("PUT", "user"): ADMINS,
    ("DELETE", "user"): ADMINS,
    ("GET", "user-history"): ADMINS,
}
