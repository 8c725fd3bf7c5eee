"""Marketplace accounts: table `accounts`. Who is connected, with what, and whether the connection works.

Credentials and each access token are ciphertexts of their own, because KMS encrypts 4,096 bytes at most; all are bound
to the account by the encryption context. A token's version counts every change of it and every connection, so that
whoever acts on an old token (a late 401, a slow refresh) is refused.

Most marketplaces know one token for an account. Where an application and its user each have one, the account keeps
both, each in a `Place` of its own, so that renewing one never looks like a change of the other.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from pynamodb.attributes import Attribute, BinaryAttribute, BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action
from typing_extensions import TypedDict

from sluice.jobs.model import keys
from sluice.marketplaces import registry
from sluice.marketplaces.accounts.applications import application_key
from sluice.platform import aws, tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import iso

T = TypeVar("T")


class Status(StrEnum):
    """Only an ACTIVE account's jobs run; those of any other wait until it is connected again."""

    ACTIVE = "ACTIVE"
    BROKEN = "BROKEN"  # the marketplace does not accept it
    EXPIRED = "EXPIRED"  # its refresh token is no longer good
    REVOKED = "REVOKED"  # its owner took the permission back


class Account(tables.Table):
    """One tenant's connection to one marketplace. refreshing_until: until then one worker renews the token.

    acts_for_user: it was connected with a refresh token, so it may do what its owner may.
    application: the key of the application that it was connected with (`application_key`), where there is one.
    connect_write, mark_write, token_write, user_token_write: tokens of writes (see `tables`). They open nothing at a
    marketplace.
    """

    class Meta:
        table_name = tables.name("accounts")

    account = UnicodeAttribute(hash_key=True)
    tenant = UnicodeAttribute()
    marketplace = UnicodeAttribute()
    status = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    acts_for_user = BooleanAttribute(null=True)
    application = UnicodeAttribute(null=True)
    credentials = BinaryAttribute(legacy_encoding=False)
    token = BinaryAttribute(legacy_encoding=False, null=True)
    token_expires_at = IntAttribute(null=True)
    token_version = IntAttribute()
    refreshing_until = IntAttribute(null=True)
    user_token = BinaryAttribute(legacy_encoding=False, null=True)
    user_token_expires_at = IntAttribute(null=True)
    user_token_version = IntAttribute(null=True)
    user_refreshing_until = IntAttribute(null=True)
    connected_at = IntAttribute()
    updated_at = IntAttribute()
    connect_write = UnicodeAttribute(null=True)
    mark_write = UnicodeAttribute(null=True)
    token_write = UnicodeAttribute(null=True)
    user_token_write = UnicodeAttribute(null=True)


@dataclass(frozen=True)
class Place:
    """The attributes in which an account keeps a token."""

    token: BinaryAttribute
    expires_at: IntAttribute
    version: IntAttribute
    refreshing_until: IntAttribute

    @property
    def write(self) -> Path:
        """Where a claim to renew the token leaves its own token (see `tables`)."""
        return Path(f"{self.token.attr_name}_write")

    def emptied(self) -> list[Action]:
        """The writes that forget the token, and refuse whoever still acts on it."""
        gone = (self.token, self.expires_at, self.refreshing_until, self.write)
        return [self.version.set((self.version | 0) + 1), *(attribute.remove() for attribute in gone)]

    def of(self, account: Account, attribute: Attribute[T]) -> T | None:
        """What `account` has in one of these attributes."""
        value: T | None = getattr(account, attribute.attr_name)
        return value


TOKEN = Place(Account.token, Account.token_expires_at, Account.token_version, Account.refreshing_until)
USER_TOKEN = Place(
    Account.user_token, Account.user_token_expires_at, Account.user_token_version, Account.user_refreshing_until
)


class AccountView(TypedDict):
    """An account as the API shows it: nothing secret, not even encrypted. `reason`: why it is not ACTIVE."""

    account: str
    marketplace: str
    status: str
    reason: str | None
    connectedAt: str
    updatedAt: str


class InvalidCredentials(Exception):  # noqa: N818 - an answer to the caller
    """A field of the credentials cannot be right. The message never repeats its value."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}")
        self.field, self.message = field, message


def connect(marketplace: str, tenant: str, credentials: Mapping[str, Any], now: int) -> Account:
    """Connect `tenant`, anew or again; an earlier token is forgotten.

    Raises:
        UnknownMarketplace: see `registry`.
        InvalidCredentials: a field is missing, unknown or cannot be right; nothing was written.
    """
    checked = _checked(registry.get(marketplace), credentials)
    account_id = keys.account(marketplace, tenant)
    application = application_key(marketplace, checked)
    actions = [
        Account.tenant.set(tenant),
        Account.marketplace.set(marketplace),
        Account.status.set(Status.ACTIVE),
        Account.credentials.set(seal(account_id, checked)),
        Account.acts_for_user.set("refresh_token" in checked),
        Account.application.set(application) if application else Account.application.remove(),
        Account.connected_at.set(now),
        Account.updated_at.set(now),
        Account.reason.remove(),
        *TOKEN.emptied(),
        *USER_TOKEN.emptied(),
    ]
    return tables.update(Account, (account_id,), actions, token=Account.connect_write)


def find(account_id: str) -> Account | None:
    """The account as it is now."""
    try:
        return Account.get(account_id, consistent_read=True)
    except Account.DoesNotExist:
        return None


def statuses(account_ids: Collection[str]) -> dict[str, str]:
    """The status of each of these accounts; one that was never connected is left out."""
    return {account.account: account.status for account in _some_of(account_ids, "status")}


def applications(account_ids: Collection[str]) -> dict[str, str]:
    """The application of each of these accounts; one of which it is not known is left out."""
    found = _some_of(account_ids, "application")
    return {account.account: account.application for account in found if account.application}


def budget_of(account_id: str, stored: str) -> str:
    """What is charged for work of this account that is stored with the budget `stored`."""
    known = applications({account_id}) if keys.is_shared(stored) else {}
    return keys.charged_to(stored, known.get(account_id))


def _some_of(account_ids: Collection[str], attribute: str) -> Iterable[Account]:
    return Account.batch_get(list(account_ids), attributes_to_get=["account", attribute])


def record_application(account: Account, credentials: Mapping[str, str]) -> None:
    """Note the application of an account that was connected before applications were noted; once."""
    key = application_key(account.marketplace, credentials)
    if key is None or account.application:
        return
    same = (Account.token_version == account.token_version) & Account.application.does_not_exist()
    with suppress(tables.ConditionFailed):  # it was connected anew, or another worker was first
        tables.update(Account, (account.account,), [Account.application.set(key)], same)


def mark(account_id: str, status: Status, reason: str, now: int, token_version: int, place: Place = TOKEN) -> bool:
    """Say that the account does not work any more; True for the one caller that changed it.

    False when it has been changed since `token_version`: a late 401 cannot break what was just connected again.
    """
    actions = [Account.status.set(status), Account.reason.set(reason), Account.updated_at.set(now)]
    try:
        tables.update(Account, (account_id,), actions, _still(token_version, place), token=Account.mark_write)
    except tables.ConditionFailed:
        return False
    return True


def claim_refresh(account_id: str, token_version: int, now: int, until: int, place: Place = TOKEN) -> None:
    """Be the one worker that renews the token, until `until`.

    Raises:
        ConditionFailed: another one is, or the account has changed; carries the item.
    """
    free = place.refreshing_until.does_not_exist() | (place.refreshing_until <= now)
    condition = _still(token_version, place) & free
    actions = [place.refreshing_until.set(until)]
    tables.update(Account, (account_id,), actions, condition, token=place.write)


def hold_refresh(account_id: str, token_version: int, until: int, place: Place = TOKEN) -> None:
    """Nobody renews the token before `until`: the token server said so. Called by who has claimed it."""
    with suppress(tables.ConditionFailed):
        tables.update(Account, (account_id,), [place.refreshing_until.set(until)], _still(token_version, place))


def store_token(
    account_id: str,
    token_version: int,
    token: str,
    expires_at: int,
    now: int,
    credentials: Mapping[str, str] | None,
    place: Place = TOKEN,
) -> None:
    """Keep a renewed token, and `credentials` if they were renewed too; ends the claim.

    Raises:
        ConditionFailed: the account has changed meanwhile; carries the item.
    """
    actions = [
        place.token.set(aws.encrypt(token, _context(account_id))),
        place.expires_at.set(expires_at),
        place.version.set(token_version + 1),
        place.refreshing_until.remove(),
        Account.updated_at.set(now),
    ]
    if credentials:
        actions.append(Account.credentials.set(seal(account_id, credentials)))
    tables.update(Account, (account_id,), actions, _still(token_version, place))


def seal(account_id: str, credentials: Mapping[str, str]) -> bytes:
    """Credentials as they are stored."""
    return aws.encrypt(json.dumps(credentials, separators=(",", ":")), _context(account_id))


def unseal(account: Account, place: Place = TOKEN) -> tuple[dict[str, str], str | None]:
    """The account's credentials and, if it has one, its token of this place."""
    context = _context(account.account)
    credentials: dict[str, str] = json.loads(aws.decrypt(account.credentials, context))
    token = place.of(account, place.token)
    return credentials, aws.decrypt(token, context) if token else None


def view(account: Account) -> AccountView:
    """The account as the API shows it."""
    return {
        "account": account.account,
        "marketplace": account.marketplace,
        "status": account.status,
        "reason": account.reason,
        "connectedAt": iso(account.connected_at),
        "updatedAt": iso(account.updated_at),
    }


def _still(token_version: int, place: Place) -> Condition:
    """The account works, and is what it was at `token_version`."""
    still: Condition = (Account.status == Status.ACTIVE) & (place.version == token_version)
    return still


def _context(account_id: str) -> dict[str, str]:
    return {"account": account_id}


def _checked(marketplace: registry.Marketplace, credentials: Mapping[str, Any]) -> dict[str, str]:
    names = [field.name for field in marketplace.credentials]
    if unknown := sorted(set(credentials) - set(names)):
        raise InvalidCredentials(unknown[0], f"is unknown; {marketplace.name} takes {', '.join(names)}")
    given = [field for field in marketplace.credentials if field.name in credentials or not field.optional]
    for field in given:
        value = credentials.get(field.name)
        if not isinstance(value, str) or not value:
            raise InvalidCredentials(field.name, f"is missing; {marketplace.name} needs it as text")
        if len(value) > field.most:
            raise InvalidCredentials(field.name, f"must have at most {field.most} characters, not {len(value)}")
        if not all("!" <= letter <= "~" and letter not in '"\\' for letter in value):
            raise InvalidCredentials(field.name, "may hold visible ASCII characters only, no blanks, quotes or \\")
    return {field.name: credentials[field.name] for field in given}
