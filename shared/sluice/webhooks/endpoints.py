"""Endpoints: table `webhooks`. Where a tenant wants its events, which ones, and the secret that signs them."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from pynamodb.attributes import BinaryAttribute, JSONAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action as Update

from sluice.platform import aws, tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import DAY
from sluice.webhooks import signature, targets
from sluice.webhooks.standing import EndpointStanding

# A new secret signs beside the one before it for this long, so that a receiver can change over.
OVERLAP_MS = DAY
# Of secrets and URLs that a process keeps open.
MOST_OPENED = 1_000
# Where a tenant's turn stands in the table, before its endpoints: no endpoint's id has a `#`.
TURN = "#turn"


class Status(StrEnum):
    """Only an ACTIVE endpoint is sent anything."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"  # by its tenant, or because nothing arrives there; `reason` tells


class Endpoint(tables.Table):
    """One address of one tenant, with its standing (see `standing`).

    url: as it is shown, with what may be a key masked (`targets.masked`); older ones may show more, or all of it.
    sealed_url: the whole URL, encrypted, because it may hold a key.
    turn_at, turn_until: the only attributes of a tenant's turn (see `turns`), but for tokens.
    change_token, tried_token, turn_token: of the last change by its tenant, of the last one by a sender, and of the
    last announcement of a turn (see `tables`).
    """

    class Meta:
        table_name = tables.name("webhooks")

    tenant = UnicodeAttribute(hash_key=True)
    webhook_id = UnicodeAttribute(range_key=True)
    url = UnicodeAttribute()
    sealed_url = BinaryAttribute(legacy_encoding=False, null=True)
    event_types = JSONAttribute()
    status = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    secret = BinaryAttribute(legacy_encoding=False)
    earlier_secret = BinaryAttribute(legacy_encoding=False, null=True)
    earlier_until = IntAttribute(null=True)
    failures = IntAttribute(default=0)
    failing_since = IntAttribute(null=True)
    failed_at = IntAttribute(null=True)
    late = IntAttribute(null=True)
    rests_until = IntAttribute(null=True)
    turn_at = IntAttribute(null=True)
    turn_until = IntAttribute(null=True)
    turn_token = UnicodeAttribute(null=True)
    created_at = IntAttribute()
    updated_at = IntAttribute()
    change_token = UnicodeAttribute(null=True)
    tried_token = UnicodeAttribute(null=True)

    @property
    def standing(self) -> EndpointStanding:
        """How it stands."""
        return EndpointStanding(self.failures, self.failing_since, self.failed_at, self.late or 0, self.rests_until)

    @property
    def key(self) -> str:
        """The hash key of its deliveries."""
        return key(self.tenant, self.webhook_id)


class WantedEndpoint(NamedTuple):
    """What a tenant says of an endpoint."""

    url: str
    event_types: Sequence[str]
    enabled: bool


def key(tenant: str, webhook_id: str) -> str:
    """What an endpoint is called where one word must do; neither part can hold a `/`."""
    return f"{tenant}/{webhook_id}"


def find(tenant: str, webhook_id: str) -> Endpoint | None:
    """The tenant's endpoint as it is now."""
    try:
        return Endpoint.get(tenant, webhook_id, consistent_read=True)
    except Endpoint.DoesNotExist:
        return None


def of(tenant: str) -> list[Endpoint]:
    """All endpoints of the tenant, by id."""
    return list(Endpoint.query(tenant, Endpoint.webhook_id > f"{TURN}~", consistent_read=True))


def everywhere() -> Iterator[Endpoint]:
    """Every tenant's endpoints and turns, with what says whether somebody must look at them, and no more."""
    shown = ["tenant", "webhook_id", "status", "rests_until", "turn_at", "turn_until"]
    yield from Endpoint.scan(attributes_to_get=shown)


def create(tenant: str, webhook_id: str, wanted: WantedEndpoint, now: int) -> tuple[Endpoint, str]:
    """Make a new endpoint; with its secret, which is never shown again.

    Raises:
        ConditionFailed: there is one of this id.
    """
    secret = signature.new_secret()
    endpoint = Endpoint(
        tenant=tenant,
        webhook_id=webhook_id,
        url=targets.masked(wanted.url),
        sealed_url=_seal(tenant, webhook_id, wanted.url),
        event_types=list(wanted.event_types),
        status=_status(wanted),
        reason=_reason(wanted),
        secret=_seal(tenant, webhook_id, secret),
        created_at=now,
        updated_at=now,
    )
    tables.put(endpoint, Endpoint.webhook_id.does_not_exist(), token=Endpoint.change_token)
    return endpoint, secret


def change(endpoint: Endpoint, wanted: WantedEndpoint, now: int) -> Endpoint:
    """Make the endpoint as `wanted`, with a clean record. Its secret stays.

    Raises:
        ConditionFailed: it was deleted meanwhile.
    """
    reason = _reason(wanted)
    actions: list[Update] = [
        Endpoint.url.set(targets.masked(wanted.url)),
        Endpoint.sealed_url.set(_seal(endpoint.tenant, endpoint.webhook_id, wanted.url)),
        Endpoint.event_types.set(list(wanted.event_types)),
        Endpoint.status.set(_status(wanted)),
        Endpoint.reason.set(reason) if reason else Endpoint.reason.remove(),
        *_standing(EndpointStanding()),
        Endpoint.updated_at.set(now),
    ]
    return _update(endpoint, actions)


def renew_secret(endpoint: Endpoint, now: int) -> tuple[Endpoint, str]:
    """Give the endpoint a new secret; the one that it has signs beside it for a day.

    Raises:
        ConditionFailed: it was deleted meanwhile.
    """
    secret = signature.new_secret()
    actions = [
        Endpoint.earlier_secret.set(Endpoint.secret),
        Endpoint.earlier_until.set(now + OVERLAP_MS),
        Endpoint.secret.set(_seal(endpoint.tenant, endpoint.webhook_id, secret)),
        Endpoint.updated_at.set(now),
    ]
    return _update(endpoint, actions), secret


def delete(endpoint: Endpoint) -> None:
    """Forget the endpoint. What is on its way there is dropped by whoever is told (`messages.Deleted`)."""
    tables.delete(Endpoint, (endpoint.tenant, endpoint.webhook_id))


def target(endpoint: Endpoint) -> str:
    """The whole URL."""
    if endpoint.sealed_url is None:
        return str(endpoint.url)
    return _opened(endpoint.sealed_url, endpoint.tenant, endpoint.webhook_id)


def secrets(endpoint: Endpoint, now: int) -> list[str]:
    """Those that sign now, the newest first."""
    signing = [endpoint.secret]
    if endpoint.earlier_secret and now < (endpoint.earlier_until or 0):
        signing.append(endpoint.earlier_secret)
    return [_opened(sealed, endpoint.tenant, endpoint.webhook_id) for sealed in signing]


def forget() -> None:
    """Drop what this process remembers, as a new process would start."""
    _opened.cache_clear()


def keep(endpoint: Endpoint, standing: EndpointStanding, off: str | None, now: int) -> bool:
    """Write how the endpoint stands now. off: why it is switched off, if it is. False when it was changed meanwhile."""
    if standing == endpoint.standing and off is None:
        return True
    actions = _standing(standing)
    if off:
        actions += [Endpoint.status.set(Status.DISABLED), Endpoint.reason.set(off), Endpoint.updated_at.set(now)]
    return _try(endpoint, actions) is not None


def _standing(standing: EndpointStanding) -> list[Update]:
    times = (
        (Endpoint.failing_since, standing.failing_since),
        (Endpoint.failed_at, standing.failed_at),
        (Endpoint.late, standing.late or None),
        (Endpoint.rests_until, standing.rests_until),
    )
    return [
        Endpoint.failures.set(standing.failures),
        *(name.remove() if value is None else name.set(value) for name, value in times),
    ]


def _try(endpoint: Endpoint, actions: Sequence[Update]) -> Endpoint | None:
    """Change the endpoint if it is still active, and the one that was tried; None if not."""
    sealed = endpoint.sealed_url
    there = Endpoint.url == endpoint.url if sealed is None else Endpoint.sealed_url == sealed
    same = (Endpoint.status == Status.ACTIVE) & there
    try:
        key = (endpoint.tenant, endpoint.webhook_id)
        return tables.update(Endpoint, key, actions, same, token=Endpoint.tried_token)
    except tables.ConditionFailed:
        return None


def _update(endpoint: Endpoint, actions: Sequence[Update]) -> Endpoint:
    exists = Endpoint.webhook_id.exists()
    key = (endpoint.tenant, endpoint.webhook_id)
    return tables.update(Endpoint, key, actions, exists, token=Endpoint.change_token)


def _status(wanted: WantedEndpoint) -> Status:
    return Status.ACTIVE if wanted.enabled else Status.DISABLED


def _reason(wanted: WantedEndpoint) -> str | None:
    return None if wanted.enabled else "you have disabled it"


def _seal(tenant: str, webhook_id: str, secret: str) -> bytes:
    return aws.encrypt(secret, _context(tenant, webhook_id))


# A sender that is warm asks KMS once for what it sends to again and again. What is changed has another ciphertext.
@lru_cache(MOST_OPENED)
def _opened(sealed: bytes, tenant: str, webhook_id: str) -> str:
    return aws.decrypt(sealed, _context(tenant, webhook_id))


def _context(tenant: str, webhook_id: str) -> dict[str, str]:
    return {"webhook": key(tenant, webhook_id)}
