"""Errors of account changes. The editor shows each message beside a field."""

from apps.core.errors import ConflictError, ForbiddenError, InvalidError, MopedError, NotFoundError

PASSWORD_PATTERN = r"^(?=.*?[A-Z])(?=.*?[a-z])(?=.*?[0-9])(?=.*?[#?!@$%^&*-]).{12,}$"  # noqa: S105
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
PASSWORD_RULE = (
    f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters in one line, among them "
    "a letter A to Z, a letter a to z, a digit and a symbol, and no space at either end."
)
# The editor translates the second text by exact match. Other clients show the first.
PASSWORD_REFUSED = [PASSWORD_RULE, f"value does not match regex '{PASSWORD_PATTERN}'"]


class _AddressError(MopedError):
    """The editor shows the message beside the address."""

    field = "email"


class UserExistsError(_AddressError, ConflictError):
    """An active user has the address."""

    code = "user_exists"
    message = "There is already a user with this email address."


class AddressTakenError(_AddressError, ConflictError):
    """Another account of the pool signs in with this address."""

    code = "address_taken"
    message = "Another account already signs in with this email address."


class AddressHeldError(AddressTakenError):
    """The pool refuses a native account because another kind of account has the address."""

    message = (
        "The user pool refuses an account for this address because a single sign-on account has it. "
        "Ask the operators to delete that account in the user pool, then try again."
    )


class AlreadyActiveError(_AddressError, ConflictError):
    """The user is already active."""

    code = "already_active"
    message = "This user is already active. Edit the user to change roles."


class UserNotFoundError(_AddressError, NotFoundError):
    """No user has this address or account."""

    code = "user_not_found"
    message = "There is no such user."


class AccountNotFoundError(_AddressError, NotFoundError):
    """The pool has no account with the id in the user's row."""

    code = "account_not_found"
    message = "The user pool has no account of this user. Deactivate the user, then activate the user again."


class WeakPasswordError(InvalidError):
    """The pool refuses the password."""

    code = "weak_password"
    message = "The user pool does not accept this password."

    def __init__(self) -> None:
        super().__init__(fields={"password": PASSWORD_REFUSED})


class AddressRefusedError(_AddressError, InvalidError):
    """The pool refuses a parameter. Only the address can be the cause."""

    code = "address_refused"
    message = "This email address cannot be used to sign in."


class WorkgroupUnknownError(InvalidError):
    """There is no such workgroup, or it is no longer in use."""

    code = "workgroup_unknown"
    message = "There is no such workgroup."
    # The form outlines workgroup_id without a message. The view repeats the message under a visible field.
    field = "workgroup_id"


class OwnAccountError(_AddressError, ForbiddenError):
    """Admins cannot remove themselves, because no other admin may exist to restore them."""

    code = "own_account"
    message = "You cannot remove your own account or take the admin role from yourself."


class LastAdminError(_AddressError, ConflictError):
    """The change would leave no admin."""

    code = "last_admin"
    message = "This is the last admin: make another user an admin first."


class InactiveError(_AddressError, ConflictError):
    """The user is inactive and must be activated first."""

    code = "inactive"
    message = "This user is inactive. Activate the user first."


class BusyError(_AddressError, ConflictError):
    """Another request is changing this account."""

    code = "busy"
    message = "This account is being changed at this moment. Try again."
