"""Marketplace accounts: table `accounts`. Who is connected, with what, and whether the connection works.

Credentials and each access token are ciphertexts of their own, because KMS encrypts 4,096 bytes at most; all are bound
to the account by the encryption context. A token's version counts every change of it and every connection, so that
whoever acts on an old token (a late 401, a slow refresh) is refused. What stands in an item is told by `item`.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as Update

from sluice.jobs.model import keys
from sluice.marketplaces import registry
from sluice.marketplaces.accounts.applications import application_key
from sluice.marketplaces.accounts.credentials import check_fields
from sluice.marketplaces.accounts.item import PLACES, TOKEN, USER_TOKEN, Account, GrantPlace, Proof, Status
from sluice.platform import aws, tables
from sluice.platform.config.services import WITHOUT_ACCOUNTS

__all__ = ["PLACES", "TOKEN", "USER_TOKEN", "Account", "GrantPlace", "Proof", "Status"]


def connect(
    marketplace: str,
    tenant: str,
    credentials: Mapping[str, Any],
    now: int,
    proofs: Sequence[Proof] = (),
    seller: str | None = None,
) -> Account:
    """Connect `tenant`, anew or again; earlier tokens are forgotten. proofs: of its grants, in the registry's order.

    seller: the key of the user in whose name it acts, where that is known.

    Raises:
        UnknownMarketplace: see `registry`.
        Refused: some are missing, unknown or cannot be right; nothing was written.
    """
    checked = check_fields(registry.get(marketplace), credentials)
    account_id = keys.account(marketplace, tenant)
    application = application_key(marketplace, checked)
    known = [*proofs, *(Proof() for _ in PLACES[len(proofs) :])]
    actions: list[Update] = [
        Account.tenant.set(tenant),
        Account.marketplace.set(marketplace),
        Account.credentials.set(seal(account_id, checked)),
        Account.acts_for_user.set("refresh_token" in checked),
        Account.application.set(application) if application else Account.application.remove(),
        Account.seller.set(seller) if seller else Account.seller.remove(),
        Account.connected_at.set(now),
        Account.updated_at.set(now),
    ]
    for place, proof in zip(PLACES, known, strict=True):
        actions += place.begun(Status.ACTIVE, proof, partial(_seal, account_id), now)
    return tables.update(Account, (account_id,), actions, token=Account.connect_write)


def disconnect(account_id: str, now: int) -> bool:
    """Forget the account's credentials and tokens; False when there was none.

    What is left says only that there was a connection. Its versions go on, so that whoever still acts on an old token
    cannot change what is connected later.
    """
    gone = (Account.credentials, Account.acts_for_user, Account.application, Account.seller)
    actions: list[Update] = [Account.updated_at.set(now), *(attribute.remove() for attribute in gone)]
    for place in PLACES:
        actions += place.begun(Status.DISCONNECTED, Proof(), partial(_seal, account_id), now)
    try:
        tables.update(Account, (account_id,), actions, Account.credentials.exists(), token=Account.connect_write)
    except tables.ConditionFailed:
        return False
    return True


def find(account_id: str) -> Account | None:
    """The account as it is now; None when it is not connected."""
    try:
        found = Account.get(account_id, consistent_read=True)
    except Account.DoesNotExist:
        return None
    return None if found.status == Status.DISCONNECTED else found


def statuses(account_ids: Collection[str], service: str = "") -> dict[str, str]:
    """The status of each of these accounts for calls of `service`; one that is not connected is left out.

    A page's host and an operator stand where others have an account, and need none: they always work.

    service: what the calls are charged to, where a marketplace counts them apart; else its own name, or empty.
    """
    always = {one for one in account_ids if keys.marketplace_of(one) in WITHOUT_ACCOUNTS}
    found = _some_of(set(account_ids) - always, "status", "user_status")
    told = dict.fromkeys(always, Status.ACTIVE)
    told |= {account.account: place_of(account.account, service).status_of(account) for account in found}
    return {account_id: status for account_id, status in told.items() if status != Status.DISCONNECTED}


def working(account_ids: Collection[str], service: str = "") -> set[str]:
    """Those of the accounts that work for calls of `service`, and have shown that they do: work of others may go there.

    Who connects made-up credentials while the marketplace cannot be asked draws nobody's work to them.
    """
    found = _some_of(account_ids, "status", "user_status", "verified_at", "user_verified_at")
    places = ((account, place_of(account.account, service)) for account in found)
    return {
        account.account
        for account, place in places
        if place.status_of(account) == Status.ACTIVE and place.of(account, place.verified_at) is not None
    }


def place_of(account_id: str, service: str) -> GrantPlace:
    """Where the account keeps the grant that calls of `service` need."""
    marketplace = registry.MARKETPLACES.get(keys.marketplace_of(account_id))
    grants = marketplace.grants if marketplace else ()
    return next((place for grant, place in zip(grants, PLACES, strict=False) if service in grant.services), TOKEN)


def applications(account_ids: Collection[str]) -> dict[str, str]:
    """The application of each of these accounts; one of which it is not known is left out."""
    found = _some_of(account_ids, "application")
    return {account.account: account.application for account in found if account.application}


def budget_of(account_id: str, stored: str) -> str:
    """What is charged for work of this account that is stored with the budget `stored`."""
    known = applications({account_id}) if keys.is_shared(stored) else {}
    return keys.charged_to(stored, known.get(account_id))


def _some_of(account_ids: Collection[str], *attributes: str) -> Iterable[Account]:
    return Account.batch_get(list(account_ids), attributes_to_get=["account", *attributes])


def record_application(account: Account, credentials: Mapping[str, str]) -> None:
    """Note the application of an account that was connected before applications were noted; once."""
    key = application_key(account.marketplace, credentials)
    if key is None or account.application:
        return
    same = (Account.token_version == account.token_version) & Account.application.does_not_exist()
    with suppress(tables.ConditionFailed):  # it was connected anew, or another worker was first
        tables.update(Account, (account.account,), [Account.application.set(key)], same)


def mark(account_id: str, status: Status, reason: str, now: int, token_version: int, place: GrantPlace = TOKEN) -> bool:
    """Say that a grant does not work any more; True for the one caller that changed it.

    False when it has been changed since `token_version`: a late 401 cannot break what was just connected again.
    """
    actions = [place.status.set(status), place.reason.set(reason), Account.updated_at.set(now)]
    try:
        tables.update(Account, (account_id,), actions, _still(token_version, place), token=Account.mark_write)
    except tables.ConditionFailed:
        return False
    return True


def verify(account_id: str, token_version: int, now: int, place: GrantPlace = TOKEN) -> None:
    """Note that the marketplace has accepted the grant, unless that is known, or it has been changed since."""
    actions = [place.verified_at.set(now), place.reason.remove()]
    new = _still(token_version, place) & place.verified_at.does_not_exist()
    with suppress(tables.ConditionFailed):
        tables.update(Account, (account_id,), actions, new)


def claim_refresh(account_id: str, token_version: int, now: int, until: int, place: GrantPlace = TOKEN) -> None:
    """Be the one worker that renews the token, until `until`.

    Raises:
        ConditionFailed: another one is, or the account has changed; carries the item.
    """
    free = place.refreshing_until.does_not_exist() | (place.refreshing_until <= now)
    condition = _still(token_version, place) & free
    actions = [place.refreshing_until.set(until)]
    tables.update(Account, (account_id,), actions, condition, token=place.write)


def hold_refresh(account_id: str, token_version: int, until: int, place: GrantPlace = TOKEN) -> None:
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
    place: GrantPlace = TOKEN,
) -> None:
    """Keep a renewed token, and `credentials` if they were renewed too; ends the claim.

    Raises:
        ConditionFailed: the account has changed meanwhile; carries the item.
    """
    actions = [
        place.token.set(_seal(account_id, token)),
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
    return _seal(account_id, json.dumps(credentials, separators=(",", ":")))


def unseal(account: Account, place: GrantPlace = TOKEN) -> tuple[dict[str, str], str | None]:
    """The credentials of an account that is connected and, if it has one, its token of this place."""
    context = _context(account.account)
    credentials: dict[str, str] = json.loads(aws.decrypt(account.credentials or b"", context))
    token = place.of(account, place.token)
    return credentials, aws.decrypt(token, context) if token else None


def _still(token_version: int, place: GrantPlace) -> Condition:
    """The grant works, and is what it was at `token_version`."""
    works = (place.status == Status.ACTIVE) | place.status.does_not_exist()
    still: Condition = (place.version == token_version) & works
    return still


def _seal(account_id: str, text: str) -> bytes:
    return aws.encrypt(text, _context(account_id))


def _context(account_id: str) -> dict[str, str]:
    return {"account": account_id}


def no_seller(account_id: str, what: str) -> str | None:
    """Why the account cannot act in its seller's name, and what to do; None when it can. Decrypts nothing.

    what: who needs that it does (`listings`). A broken account is no reason: its jobs wait until it is connected again.
    """
    account, marketplace = find(account_id), account_id.partition(":")[0]
    connect = f"connect it with PUT /v1/accounts/{marketplace}"
    if account is None:
        return f"no {marketplace} account is connected; {connect}"
    if not account.acts_for_user:
        return f"the {marketplace} account is connected without a refresh_token, which {what} need; {connect}"
    return None
