"""Values of the fields of a user, and what callers are told about wrong ones."""

from typing import Any

EMPTY = "empty values not allowed"
MIN_LENGTH = "min length is 8"
REGEX = "value does not match regex '^(?=.*?[A-Z])(?=.*?[a-z])(?=.*?[0-9])(?=.*?[#?!@$%^&*-]).{12,}$'"
PASSWORD_RULE = (
    "A password has 12 to 256 characters in one line, among them a letter A to Z, a letter a to z, "
    "a digit and a symbol, and no space at either end."
)
NAME = "only letters, digits, spaces and - . , ' \" ( ) are allowed, and a letter is required"
ADDRESS = "must be an email address, such as jane.doe@austintexas.gov"
SSO_ADDRESS = "is the name of a single sign-on account: leave out 'azuread_'"
# Values of fields that are taken, and those that are not, by the message. `...` is an absent field.
VALID_VALUES: dict[str, list[Any]] = {
    "first_name": [
        *["Zoë", "O'Neill", "O\u2019Neill", "Đặng", "李", "सुरेश", "Jr. 2nd", "Anne-Marie", "King, Jr."],
        *["Ann (Contractor)", 'Robert "Bob"', "Robert \u201cBob\u201d", "Gal\u00b7la", "Ka\u02bbahumanu"],
    ],
    "email": [
        *["jane.doe@austintexas.gov", "a@b.co", "o'neill+moped@sub.domain.example.com"],
        *["jane_doe/plans=1@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"],
        *["x" * 64 + "@example.com", "jane@xn--bcher-kva.example", f"{'a' * 64}@{'b' * 56}.austin"],
    ],
    "last_name": ["x" * 128, "Nguye\u0302\u0303n", "e\u0301" * 64],
    "title": [" Planner ", "x" * 255],
    "note": ["", None, "x" * 10_000],
    "password": ["Aa1^" + "x" * 252]
    + [f"Abcdefghijk1{symbol}" for symbol in "^$*.[]{}()?\"!@#%&/\\,><':;|_~`+=-"],
}
INVISIBLE = ["\u3164", "Jane\u115f", "\uffa0", "\ufe0f", "Ja\u034fne", "J\U000e0100"]
# The Kelvin sign, whose lower case is "k", a quoted local part, a number of a host, and what Django refuses.
WRONG_ADDRESSES = [
    *("\u212aim@austin.gov", '"jane doe"@austin.gov', f"{'x' * 65}@austin.gov", "jane@[192.0.2.1]"),
    *("jane..doe@austin.gov", "jane@doe@austin.gov", "jane@b\u00fc.de", "jane@a..gov", "jane@localhost"),
]
INVALID_VALUES: dict[str, dict[str, list[Any]]] = {
    "email": {
        "required field": [...],
        "null value not allowed": [None],
        EMPTY: [""],
        "must be of string type": [7],
        "max length is 128": ["x" * 120 + "@austin.gov"],
        ADDRESS: WRONG_ADDRESSES,
        SSO_ADDRESS: ["azuread_jane.doe@austintexas.gov", "AzureAD_jane.doe@austintexas.gov"],
    },
    "first_name": {
        "required field": [...],
        EMPTY: ["", "   "],
        "max length is 128": ["x" * 129],
    },
    "last_name": {
        NAME: ["...", "(,)", "1", "<b>", "a@b", "a;b", "a\u202eb", "!" * 129, *INVISIBLE],
        "max length is 128": ["!" * 129],
    },
    "title": {
        "required field": [...],
        "null value not allowed": [None],
        EMPTY: ["", "\u3164", "\u200b", " \ufe0f "],
        "max length is 255": ["x" * 256, " " + "x" * 255],
    },
    "password": {
        "required field": [...],
        "null value not allowed": [None],
        EMPTY: [""],
        "must be of string type": [7],
        MIN_LENGTH: ["Aa1!"],
        PASSWORD_RULE: ["Aa1!", "alllowercase1!"],
        REGEX: ["Aa1!", "Aa1!Aa1!", "alllowercase1!", " Leading-Space1", "Line-Break-1\nafter"],
        "max length is 256": ["Aa1!" * 65],
    },
    "workgroup_id": {
        "required field": [...],
        "must be of integer type": [1.5, True, "3"],
        "min value is 1": [0],
        "max value is 2147483647": [2**40],
    },
    "roles": {
        "required field": [...],
        "must be of list type": ["moped-admin"],
        "min length is 1": [[]],
        'unallowed values: "x"': [["x"]],
        'unallowed values: ["moped-admin"], null': [[["moped-admin"], None]],
        'unallowed values: "non-login-user"': [["non-login-user"]],
        'repeated values: "moped-admin"': [["moped-admin", "moped-admin"]],
    },
    "note": {"max length is 10000": ["x" * 10_001, " " * 10_001]},
    "is_user_group_member": {"must be of boolean type": ["true"]},
    "is_deleted": {"use DELETE to deactivate a user": [True]},
    "favourite_colour": {"unknown field": ["blue"]},
}
# Rules that the reference states in words.
ONLY_IN_WORDS = {ADDRESS, SSO_ADDRESS, NAME, PASSWORD_RULE, REGEX, "use DELETE to deactivate a user"}
