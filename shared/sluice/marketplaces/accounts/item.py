"""The item of table `accounts`: one tenant's connection to one marketplace, and the grants in it.

What an account may do, somebody has granted: one grant where a marketplace knows one token for it, two where an
application and its seller each have their own (`registry.AccountGrant`). Each is kept apart in a `GrantPlace`, with its
token, its status and its version: renewing one never looks like a change of the other, and one that is refused holds
only the work that needs it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from pynamodb.attributes import Attribute, BinaryAttribute, BooleanAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action as Update

from sluice.platform import tables
from sluice.platform.attributes import IntAttribute

T = TypeVar("T")


class Status(StrEnum):
    """Of a grant. With an ACTIVE one jobs run; with any other they wait until the account is connected again."""

    ACTIVE = "ACTIVE"
    BROKEN = "BROKEN"  # the marketplace does not accept it
    EXPIRED = "EXPIRED"  # its refresh token is no longer good
    REVOKED = "REVOKED"  # its owner took the permission back
    DISCONNECTED = "DISCONNECTED"  # its tenant took it away from Sluice; nothing secret is left of it


class Account(tables.Table):
    """One tenant's connection to one marketplace.

    status: of its first grant.
    reason: why that is not ACTIVE, or why nobody knows whether the marketplace accepts it.
    acts_for_user: it was connected with a refresh token, so it may do what its owner may.
    application: the key of the application that it was connected with (`application_key`), where there is one.
    seller: the key of the marketplace's user in whose name it acts (`sellers.seller_key`), where that is known.
    accounts: of the item that stands for such a user, the accounts that were connected in its name.
    credentials: encrypted; none once it is disconnected.
    refreshing_until: until then one worker renews the token.
    verified_at: when the marketplace first accepted these credentials, epoch ms; None as long as nobody knows.
    user_…: the same of its second grant, where there is one. user_status: None counts as ACTIVE.
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
    seller = UnicodeAttribute(null=True)
    accounts = UnicodeSetAttribute(null=True)
    credentials = BinaryAttribute(legacy_encoding=False, null=True)
    token = BinaryAttribute(legacy_encoding=False, null=True)
    token_expires_at = IntAttribute(null=True)
    token_version = IntAttribute()
    refreshing_until = IntAttribute(null=True)
    verified_at = IntAttribute(null=True)
    user_status = UnicodeAttribute(null=True)
    user_reason = UnicodeAttribute(null=True)
    user_token = BinaryAttribute(legacy_encoding=False, null=True)
    user_token_expires_at = IntAttribute(null=True)
    user_token_version = IntAttribute(null=True)
    user_refreshing_until = IntAttribute(null=True)
    user_verified_at = IntAttribute(null=True)
    connected_at = IntAttribute()
    updated_at = IntAttribute()
    connect_write = UnicodeAttribute(null=True)
    mark_write = UnicodeAttribute(null=True)
    token_write = UnicodeAttribute(null=True)
    user_token_write = UnicodeAttribute(null=True)


@dataclass(frozen=True)
class Proof:
    """What is known of a grant when its account is connected.

    verified: the marketplace has accepted its credentials.
    reason: why nobody knows whether it does, for a person.
    token, expires_at: the access token that was got on the way, so that no other one has to be.
    """

    verified: bool = False
    reason: str | None = None
    token: str | None = field(default=None, repr=False)
    expires_at: int | None = None


@dataclass(frozen=True, eq=False)
class GrantPlace:
    """The attributes in which an account keeps a grant."""

    status: UnicodeAttribute
    reason: UnicodeAttribute
    verified_at: IntAttribute
    token: BinaryAttribute
    expires_at: IntAttribute
    version: IntAttribute
    refreshing_until: IntAttribute

    @property
    def write(self) -> Path:
        """Where a claim to renew the token leaves its own token (see `tables`)."""
        return Path(f"{self.token.attr_name}_write")

    def begun(self, status: Status, proof: Proof, seal: Callable[[str], bytes], now: int) -> list[Update]:
        """The writes that begin the grant anew; whoever still acts on an earlier token of it is refused.

        seal: encrypts the token.
        """
        values: list[tuple[Attribute[Any], Any]] = [
            (self.reason, proof.reason),
            (self.verified_at, now if proof.verified else None),
            (self.token, seal(proof.token) if proof.token else None),
            (self.expires_at, proof.expires_at),
            (self.refreshing_until, None),
        ]
        known = [name.remove() if value is None else name.set(value) for name, value in values]
        begun = [self.status.set(status), self.version.set((self.version | 0) + 1), self.write.remove()]
        return [*begun, *known]

    def of(self, account: Account, attribute: Attribute[T]) -> T | None:
        """What `account` has in one of these attributes."""
        value: T | None = getattr(account, attribute.attr_name)
        return value

    def status_of(self, account: Account) -> Status:
        """The grant's status."""
        return Status(self.of(account, self.status) or Status.ACTIVE)


TOKEN = GrantPlace(
    Account.status,
    Account.reason,
    Account.verified_at,
    Account.token,
    Account.token_expires_at,
    Account.token_version,
    Account.refreshing_until,
)
USER_TOKEN = GrantPlace(
    Account.user_status,
    Account.user_reason,
    Account.user_verified_at,
    Account.user_token,
    Account.user_token_expires_at,
    Account.user_token_version,
    Account.user_refreshing_until,
)
# In the order of a marketplace's grants.
PLACES = (TOKEN, USER_TOKEN)
