"""What tests of staff accounts ask the three stores, and how they disturb them."""

import json
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

from django.conf import settings
from django.db import connection
from jose import jwt

from apps.auth.callers import CognitoUser
from apps.claims import items as claims_items
from apps.claims.hasura import CLAIMS_NAMESPACE, EDITOR, HasuraClaims
from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import ConflictError, MopedError, NotFoundError, UpstreamError
from apps.devstack import persona_tokens
from apps.devstack.provision import DIRECTORY
from apps.users import services
from apps.users.adapters import cognito
from apps.users.models import MopedUser

PASSWORD = "Correct-Horse-42"
NEW_PASSWORD = "Battery-Staple-43"
SIGN_IN_ATTEMPTS = 4
OVERLOADED = ("cannot be reached", "timed out", "timeout")


@dataclass(frozen=True)
class Actor:
    """A caller, as services see one."""

    email: str
    sub: str
    claims: HasuraClaims


class DeniedError(MopedError):
    """A password that the pool refuses."""


def roles_in(token: str) -> list[str]:
    return list(json.loads(jwt.get_unverified_claims(token)[CLAIMS_NAMESPACE])["x-hasura-allowed-roles"])


def profile(email: str, **changes: Any) -> dict[str, Any]:
    """Return the editor's form of a person, without a password."""
    return {
        "email": email,
        "first_name": "Zoë",
        "last_name": "O'Neill",
        "title": "Planner",
        "workgroup_id": 3,
        "roles": ["moped-editor"],
        "is_user_group_member": False,
        "note": "",
        **changes,
    }


def refusals_at_once(calls: Sequence[Callable[[], object]]) -> list[MopedError]:
    """Make these calls at the same moment, each on a connection of its own. Return the refusals."""
    barrier = Barrier(len(calls))

    def make(call: Callable[[], object]) -> MopedError | None:
        barrier.wait()
        try:
            call()
        except (ConflictError, NotFoundError) as error:
            return error
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(calls)) as pool:
        return [error for error in pool.map(make, calls) if error]


@dataclass(frozen=True)
class Stores:
    """The pool, the table and the database."""

    pool: str

    def admit(self, email: str, roles: Sequence[str], password: str = PASSWORD) -> MopedUser:
        """Create a user in all three stores, without the services."""
        account = cognito.create(email=email, password=password, mark="")
        cognito.set_password(account.username, password)
        values = {**profile(email), "roles": list(roles), "cognito_user_id": uuid.UUID(account.username)}
        user = MopedUser.objects.create(**values, is_coa_staff=email.endswith("@austintexas.gov"))
        claims_items.put(email=email, claims=user.claims)
        return user

    def tokens(self, email: str, password: str = PASSWORD) -> dict[str, Any]:
        """Sign in for real; the pool calls the trigger."""
        answer = self._authenticate("ADMIN_USER_PASSWORD_AUTH", USERNAME=email, PASSWORD=password)
        if "AuthenticationResult" not in answer:
            raise DeniedError(answer["ChallengeName"])
        return dict(answer["AuthenticationResult"])

    def admit_sso(self, email: str) -> str:
        """Sign in through the City's directory, which makes its account; return the ID token."""
        provider: Any = {"UserPoolId": self.pool, "ProviderName": DIRECTORY}
        with translate_errors():
            usual = clients.cognito().describe_identity_provider(**provider)["IdentityProvider"][
                "ProviderDetails"
            ]
            vouching = usual | {"client_id": email}  # the pretended directory vouches for its client
            try:
                clients.cognito().update_identity_provider(**provider, ProviderDetails=vouching)
                return persona_tokens._sign_in_with_directory()
            finally:
                clients.cognito().update_identity_provider(**provider, ProviderDetails=usual)

    def refreshes(self, refresh_token: str) -> bool:
        """Tell whether a refresh token still gives new tokens."""
        try:
            self._authenticate("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=refresh_token)
        except DeniedError:
            return False
        return True

    def _authenticate(self, flow: Any, **parameters: str) -> Any:
        with translate_errors(
            NotAuthorizedException=DeniedError,
            UserNotFoundException=DeniedError,
            UserLambdaValidationException=DeniedError,
        ):
            return clients.cognito().admin_initiate_auth(
                UserPoolId=self.pool,
                ClientId=settings.COGNITO_CLIENT_IDS[0],
                AuthFlow=flow,
                AuthParameters=parameters,
            )

    def roles_at_sign_in(self, email: str, password: str = PASSWORD) -> list[str] | None:
        """Return the roles that a user gets at sign-in, None if the sign-in is refused."""
        for _ in range(SIGN_IN_ATTEMPTS):
            try:
                return roles_in(self.tokens(email, password)["IdToken"])
            except (DeniedError, UpstreamError) as error:
                # On a machine under load the emulator's function may not answer in time.
                if not any(sign in str(error.__cause__) for sign in OVERLOADED):
                    return None
        raise AssertionError("the pool gives no answer")

    def account(self, name: str) -> cognito.Account | None:
        return cognito.get_or_none(name)

    def claims(self, email: str) -> HasuraClaims | None:
        return claims_items.get(email).claims

    def row(self, email: str) -> MopedUser | None:
        return MopedUser.objects.filter(email=email).first()

    def disagreements(self, *addresses: str) -> list[str]:
        """Say, independently of the services, where the stores contradict each other."""
        return [sentence for address in addresses for sentence in self._disagreements(address)]

    def _disagreements(self, address: str) -> list[str]:
        account, claims, row = self.account(address), self.claims(address), self.row(address)
        if row is None or row.is_deleted:
            problems = [f"{address} has claims and is not active"] if claims else []
            return problems + ([f"{address} has an account and is not active"] if account else [])
        problems = []
        if account is None or account.username != str(row.cognito_user_id):
            problems.append(f"{address} is active, and the account is {account}, not {row.cognito_user_id}")
        elif account.status != "CONFIRMED" or not account.is_verified or account.email != address:
            problems.append(f"the account of {address} cannot be used: {account}")
        if claims != row.claims:
            problems.append(f"the claims of {address} are {claims}, not {row.claims}")
        return problems


@dataclass(frozen=True)
class Person:
    """One address, and an admin who changes its user."""

    stores: Stores
    admin: CognitoUser
    email: str

    def named(self, prefix: str) -> "Person":
        """Return another person, whose address starts with this."""
        return Person(self.stores, self.admin, f"{prefix}.{self.email}")

    def create(self, password: str = PASSWORD, **changes: Any) -> MopedUser:
        return services.create_user(actor=self.admin, password=password, **profile(self.email, **changes))

    def update(self, password: str = "", **changes: Any) -> MopedUser:
        fields: dict[str, Any] = profile(self.email) | changes
        account = fields.pop("account") if "account" in fields else self.row.cognito_user_id
        account = account or uuid.UUID(int=0)
        return services.update_user(actor=self.admin, cognito_user_id=account, password=password, **fields)

    def activate(self, password: str = PASSWORD, role: str = EDITOR) -> MopedUser:
        return services.activate_user(actor=self.admin, email=self.email, password=password, roles=[role])

    def deactivate(self, account: uuid.UUID | None = None) -> None:
        account_id = account or self.row.cognito_user_id
        assert account_id
        services.deactivate_user(actor=self.admin, cognito_user_id=account_id)

    def admit(self, *roles: str) -> MopedUser:
        """Create the user in all three stores, without the services."""
        return self.stores.admit(self.email, roles or [EDITOR])

    def change_row(self, **values: Any) -> None:
        """Change the row alone, as an admin may through Hasura."""
        MopedUser.objects.filter(email=self.email).update(**values)

    @property
    def row(self) -> MopedUser:
        return MopedUser.objects.get(email=self.email)

    @property
    def username(self) -> str:
        return str(self.row.cognito_user_id)

    def roles_at_sign_in(self, password: str = PASSWORD) -> list[str] | None:
        return self.stores.roles_at_sign_in(self.email, password)

    def disagreements(self) -> list[str]:
        return self.stores.disagreements(self.email)
