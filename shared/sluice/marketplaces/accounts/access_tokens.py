"""Access tokens: kept in the process, shared through the table, renewed by one worker at a time.

```
 worker A   claims the refresh ──► asks the marketplace ──► stores the token, version + 1
 worker B   claim refused ── its token still lives: uses it
                          └─ else looks every half second ───────────► sees version + 1, uses it
```
A claim is for a time: if A dies, another takes over. A refresh that fails leaves the claim to run out, so that the
marketplace's token server is asked at most once in that time, however many workers there are.
"""

import threading
from collections.abc import Callable, Mapping

from sluice.jobs.model import keys
from sluice.marketplaces import registry
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.oauth import Fresh
from sluice.marketplaces.accounts.table import Account, GrantPlace, Status
from sluice.marketplaces.accounts.token_cache import Access, Cache, process_cache
from sluice.marketplaces.http.errors import AccountBroken, GrantRefused, MarketplaceFailure, TokenBusy, TokenLimited
from sluice.platform import aws, tables
from sluice.platform.clock import MINUTE, SECOND, Clock, iso
from sluice.platform.observe import count, logger

# Longer than the token call can take.
CLAIM_MS = 30 * SECOND
WAIT_MS = 10 * SECOND
POLL_MS = SECOND // 2
# A token is renewed this long before it ends: a call may wait for its slot with the token in hand.
EARLY_MS = 3 * MINUTE
# How long this process may not notice that the account was connected anew.
LOOK_MS = MINUTE

# Gets a new token for credentials.
Refresh = Callable[[Mapping[str, str]], Fresh]


class Tokens:
    """One account's access token. place: where the account keeps it."""

    def __init__(
        self,
        account_id: str,
        refresh: Refresh,
        clock: Clock,
        cache: Cache = process_cache,
        place: GrantPlace = accounts.TOKEN,
    ) -> None:
        self._account = account_id
        self._refresh = refresh
        self._clock = clock
        self._place = place
        self._seen = cache.of(account_id, place.token.attr_name)

    def get(self) -> Access:
        """A token that is good for some minutes.

        Raises:
            AccountBroken: the account is not ACTIVE, or has just been found not to be.
            TokenBusy: another worker is renewing it for too long.
            MarketplaceFailure: the token could not be renewed; the account stays as it is.
        """
        seen = self._seen
        with seen.lock:
            now = self._clock.now()
            if seen.looked_at is None or not 0 <= now - seen.looked_at < LOOK_MS:
                self._read_anew()
            access = seen.access
            if access and access.expires_at - now > EARLY_MS:
                return access
            return self._renew(access if access and access.expires_at > now else None)

    def replace(self, refused: Access) -> Access:
        """Another token than `refused`, which the marketplace did not accept: a newer one, or one that is made now.

        Raises:
            As `get`.
        """
        seen = self._seen
        with seen.lock:
            if seen.version == refused.version:
                return self._renew(None)  # whose claim fails when another worker has a newer one
        return self.get()

    def accepted(self, access: Access) -> None:
        """The marketplace has answered a call with this token: from now on the grant counts as verified."""
        seen = self._seen
        if seen.verified:
            return
        with seen.lock:
            if seen.version != access.version:
                return
            try:
                accounts.verify(self._account, access.version, self._clock.now(), self._place)
                seen.verified = True
            except Exception:  # noqa: BLE001 - the marketplace has answered, and that answer must not be lost over this
                logger.warning("an account could not be noted as verified", extra={"account": self._account})

    def give_up(self, refused: Access, reason: str) -> AccountBroken:
        """The marketplace accepts no token of this grant: hold the jobs that need it. Returns the error to raise."""
        with self._seen.lock:
            return self._break(Status.BROKEN, reason, refused.version)

    def _read_anew(self) -> None:
        self._adopt(accounts.find(self._account))

    def _adopt(self, account: Account | None) -> None:
        """Know what `account` says."""
        seen = self._seen
        place = self._place
        status = place.status_of(account) if account else Status.DISCONNECTED
        if account is None or status != Status.ACTIVE:
            seen.looked_at = None
            state = "not connected" if status == Status.DISCONNECTED else status
            raise AccountBroken(f"account {self._account} is {state}: connect it, then its jobs run")
        if (version := place.of(account, place.version) or 0) != seen.version:
            credentials, token = accounts.unseal(account, place)
            accounts.record_application(account, credentials)
            expires_at = place.of(account, place.expires_at) or 0
            seen.version, seen.credentials = version, credentials
            seen.access = Access(credentials, token, seen.version, expires_at) if token else None
        seen.busy_until = place.of(account, place.refreshing_until) or 0
        seen.verified = place.of(account, place.verified_at) is not None
        seen.looked_at = self._clock.now()

    def _renew(self, usable: Access | None) -> Access:
        """A newer token than the one known; `usable` is good enough while somebody else is at work on it."""
        seen, known = self._seen, self._seen.version
        give_up_at = self._clock.now() + WAIT_MS
        while True:
            now = self._clock.now()
            if seen.version != known and seen.access and seen.access.expires_at > now:
                return seen.access
            if seen.busy_until <= now:
                if self._claim(now) and (access := self._make(usable)):
                    return access
            elif usable:
                return usable
            elif seen.busy_until > now + CLAIM_MS:
                closed = f"no token of {self._account} until {iso(seen.busy_until)}: too many were asked for"
                raise TokenBusy(closed, retry_at=seen.busy_until)
            elif now >= give_up_at:
                busy = f"the token of {self._account} is being renewed by another worker"
                raise TokenBusy(busy, retry_at=seen.busy_until)
            else:
                self._clock.wait_until(min(now + POLL_MS, give_up_at), threading.Event())
                self._read_anew()

    def _claim(self, now: int) -> bool:
        try:
            accounts.claim_refresh(self._account, self._seen.version, now, now + CLAIM_MS, self._place)
        except tables.ConditionFailed as held:
            self._adopt(_account(held))
            return False
        self._seen.busy_until = now + CLAIM_MS
        return True

    def _make(self, usable: Access | None) -> Access | None:
        """Renew the token, having claimed that. None when the account was connected anew meanwhile."""
        seen, began = self._seen, self._clock.now()
        try:
            fresh = self._refresh(seen.credentials)
        except GrantRefused as refused:
            raise self._break(_status(refused), refused.message, seen.version) from None
        except MarketplaceFailure as failure:
            if isinstance(failure, TokenLimited) and failure.retry_at:
                accounts.hold_refresh(self._account, seen.version, failure.retry_at, self._place)
                seen.busy_until = failure.retry_at
            if usable is None:
                raise
            logger.warning("a token was not renewed in time", extra={"account": self._account, "code": failure.code})
            return usable
        credentials = dict(seen.credentials)
        renewed = fresh.refresh_token not in (None, credentials.get("refresh_token"))
        if fresh.refresh_token and renewed:
            credentials["refresh_token"] = fresh.refresh_token
        access = Access(credentials, fresh.token, seen.version + 1, began + fresh.lives)
        try:
            accounts.store_token(
                self._account,
                seen.version,
                fresh.token,
                access.expires_at,
                began,
                credentials if renewed else None,
                self._place,
            )
        except tables.ConditionFailed as late:
            self._adopt(_account(late))
            return None
        seen.version, seen.credentials, seen.access, seen.busy_until = access.version, credentials, access, 0
        return access

    def _break(self, status: Status, reason: str, version: int) -> AccountBroken:
        now = self._clock.now()
        self._seen.looked_at = None
        found = accounts.mark(self._account, status, reason, now, version, self._place)
        if found:
            logger.error("an account is broken", extra={"account": self._account, "status": status, "reason": reason})
            count("AccountsBroken")
            _publish(self._account, _grant(self._account, self._place), status, reason, now)
        return AccountBroken(f"account {self._account} is {status}: {reason}", found=found)


def _account(held: tables.ConditionFailed) -> Account | None:
    return Account.from_raw_data(held.item) if held.item else None


def _status(refused: GrantRefused) -> Status:
    if refused.code != "invalid_grant":
        return Status.BROKEN
    return Status.REVOKED if "revoked" in refused.message.lower() else Status.EXPIRED


def _grant(account_id: str, place: GrantPlace) -> str:
    """The name of the grant that the account keeps in `place`."""
    grants = registry.get(keys.marketplace_of(account_id)).grants
    return grants[accounts.PLACES.index(place)].name


def _publish(account_id: str, grant: str, status: Status, reason: str, now: int) -> None:
    marketplace, _, tenant = account_id.partition(":")
    detail = {
        "version": 1,
        "account": account_id,
        "marketplace": marketplace,
        "tenant": tenant,
        "grant": grant,
        "status": status,
        "reason": reason,
        "at": iso(now),
    }
    try:
        aws.put_event("account.broken", detail)
    except Exception:  # noqa: BLE001 - the account is held either way; a bus that fails must not use up a job's attempt
        logger.exception("the event account.broken was not published", extra={"account": account_id})
