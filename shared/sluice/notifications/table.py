"""Table `notifications`: what tenants want to be told, what waits for their next mail, and what was mailed.

```
 tenant     entry                     what it is
 #tenants   acme                      what acme wants, and where its mails stand
 acme       prices                    what was asked for what acme owns, at its last daily summary
 acme       told#job.dead#c4ca42…     this event was taken in; one that comes twice finds it
 acme       waits#0179534880…#…       a line of the next mail
 acme       mail#0179534880…-x3Zb     a mail, as it was sent
```
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, NamedTuple

from pynamodb.attributes import Attribute, BinaryAttribute, JSONAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import DAY, ttl
from sluice.platform.http import table_pages
from sluice.platform.http.paging import Page, Place

TENANTS, PRICES = "#tenants", "prices"
# Whoever runs the deployment: stands among the tenants as the one that no tenant can be called (`operator_lines`).
OPERATOR = "#operator"
TOLD, WAITS, MAIL = "told#", "waits#", "mail#"
# Far longer than an event may be on its way, and long enough to look up what one was told.
TOLD_MS, MAIL_MS = 7 * DAY, 30 * DAY
# How long a line waits for a mail that cannot be sent.
WAITS_MS = 7 * DAY
# The range key of a mail, as a cursor names it.
MAIL_KEY = rf"{MAIL}\d{{13}}-[\w-]{{4}}"


class Row(tables.Table):
    """One entry of the table; which attributes it has follows from its kind. Times are epoch ms.

    What a tenant wants (`wants`):
        address, topic: where its mail goes, and the SNS topic that takes it there; none where it wants no mail.
        types: the types of events that are mailed.
        failure: `{"percent", "jobs"}`, the threshold of the rate of failures; none where nobody looks at it.
        summary: `{"hour", "zone"}`, when the daily summary is made; none where none is.
        updated_at: when the tenant said so. change_token: of that write (see `tables`).
    Where its mails stand:
        due_at: when the next mail is to be sent; none while no line waits.
        noted: how many lines were ever noted, so that whoever sends sees that one came meanwhile.
        mailed_at: when the last mail was sent.
        claim_token: of the last who took it on to send one.
        standing: `{"topic", "is", "at"}`, whether mail reached the topic's address when somebody asked last.
    What time alone brings (`routine`):
        looked_at: when the rate was looked at last. failing: 1 while it is above the threshold, and was told.
        summarised: the last day that a summary was made of, `2026-11-22`.
    The prices of the last summary: at: when that was due. prices: packed `[[sku, size, …], ask]`.
    A line that waits: type, at, text: what happened, when, and how it is said.
    A mail: at, subject, text, state, reason (why it was not sent), lines (how many it tells of).
    """

    class Meta:
        table_name = tables.name("notifications")

    tenant = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    address = UnicodeAttribute(null=True)
    topic = UnicodeAttribute(null=True)
    types = JSONAttribute(null=True)
    updated_at = IntAttribute(null=True)
    change_token = UnicodeAttribute(null=True)
    due_at = IntAttribute(null=True)
    noted = IntAttribute(null=True)
    mailed_at = IntAttribute(null=True)
    claim_token = UnicodeAttribute(null=True)
    standing = JSONAttribute(null=True)
    failure = JSONAttribute(null=True)
    summary = JSONAttribute(null=True)
    looked_at = IntAttribute(null=True)
    failing = IntAttribute(null=True)
    summarised = UnicodeAttribute(null=True)
    prices = BinaryAttribute(legacy_encoding=False, null=True)
    type = UnicodeAttribute(null=True)
    at = IntAttribute(null=True)
    subject = UnicodeAttribute(null=True)
    text = UnicodeAttribute(null=True)
    state = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    lines = IntAttribute(null=True)
    expires_at = IntAttribute(null=True)


def wants(tenant: str) -> Row | None:
    """What the tenant wants, as it is now; None where it has never said."""
    try:
        return Row.get(TENANTS, tenant, consistent_read=True)
    except Row.DoesNotExist:
        return None


def everybody() -> Iterator[Row]:
    """What each tenant wants, by name. Before them stands the operator, who wants nothing that time alone brings."""
    yield from Row.query(TENANTS)


def note(tenant: str, event: tuple[str, str], at: int, text: str, now: int) -> None:
    """Have `text` wait for the tenant's next mail, unless this event was taken in before.

    event: its type and its id. at: when it happened.
    """
    kind, event_id = event
    waits = line((tenant, f"{WAITS}{now:013d}#{kind}#{event_id}"), kind, at, text, now)
    note_once(told((tenant, f"{TOLD}{kind}#{event_id}"), now), waits)


def told(key: tuple[str, str], now: int) -> Row:
    """That an event was taken in."""
    return Row(*key, expires_at=ttl(now + TOLD_MS))


def line(key: tuple[str, str], kind: str, at: int, text: str, now: int) -> Row:
    """A line of a mail."""
    return Row(*key, type=kind, at=at, text=text, expires_at=ttl(now + WAITS_MS))


def note_once(told: Row, line: Row) -> None:
    """Write the line, unless `told` is there already."""

    def both(transaction: TransactWrite) -> None:
        transaction.save(told, Row.entry.does_not_exist())
        transaction.save(line)

    try:
        tables.transact(both)
    except tables.ConditionFailed:
        return


def call_for_mail(tenant: str, at: int) -> None:
    """See to it that a mail is sent at `at`, or sooner where one is due already. Doing it twice does no harm."""
    known = None if tenant == OPERATOR else Row.entry.exists()
    tables.update(Row, (TENANTS, tenant), [Row.due_at.set(Row.due_at | at), Row.noted.add(1)], known)


def claim(found: Row, until: int) -> Row | None:
    """Have the tenant's next mail to oneself until `until`; None when somebody else has it."""
    key, as_read = (TENANTS, found.entry), Row.due_at == found.due_at
    try:
        return tables.update(Row, key, [Row.due_at.set(until)], as_read, token=Row.claim_token)
    except tables.ConditionFailed:
        return None


def leave(claimed: Row, again_at: int | None, mailed_at: int | None) -> bool:
    """End what `claim` began. again_at: when the next mail is due, if lines are left.

    False when lines have come meanwhile and nothing was said of when they are due; nothing is written then.
    """
    actions: list[Update] = [Row.due_at.set(again_at) if again_at else Row.due_at.remove()]
    if mailed_at:
        actions.append(Row.mailed_at.set(mailed_at))
    own = Row.due_at == claimed.due_at
    try:
        seen = own if again_at else own & (Row.noted == claimed.noted)
        tables.update(Row, (TENANTS, claimed.entry), actions, seen)
    except tables.ConditionFailed as failed:
        # Somebody has taken it over: whoever comes last says when it goes on.
        return int((failed.item or {}).get("due_at", {}).get("N", 0)) != claimed.due_at
    return True


def waiting(tenant: str, most: int) -> list[Row]:
    """The lines that wait, `most` at most, the longest waiting first."""
    found = Row.query(tenant, Row.entry.startswith(WAITS), limit=most, consistent_read=True)
    return list(found)


def take_away(lines: Iterable[Row]) -> None:
    """These lines wait no longer."""
    with Row.batch_write() as batch:
        for line in lines:
            batch.delete(line)


def keep(tenant: str, at: int, subject: str, text: str, state: str, reason: str | None, lines: int) -> Row:
    """Remember a mail. reason: why it was not sent. lines: how many things it tells of."""
    mail = Row(
        tenant=tenant,
        entry=f"{MAIL}{at:013d}-{tables.new_token()}",
        at=at,
        subject=subject,
        text=text,
        state=state,
        reason=reason,
        lines=lines,
        expires_at=ttl(at + MAIL_MS),
    )
    tables.put(mail)
    return mail


def mails(tenant: str, limit: int, after: Place | None) -> Page[Row]:
    """The tenant's mails, newest first. All its other entries stand behind them."""
    return table_pages.read(Row, tenant, limit, after or Place(f"{MAIL}~"), newest_first=True)


class Wanted(NamedTuple):
    """What a tenant says that it wants; see `Row`.

    summarised: the day that counts as told, where it wants summaries.
    """

    mail: tuple[str, str] | None = None
    types: Sequence[str] = ()
    failure: dict[str, int] | None = None
    summary: dict[str, object] | None = None
    summarised: str | None = None


def change(before: Row | None, tenant: str, wanted: Wanted, now: int) -> Row:
    """Write what the tenant wants from now on.

    Raises:
        ConditionFailed: it is not as in `before` any more.
    """
    address, topic = wanted.mail or (None, None)
    given: tuple[tuple[Attribute[Any], Any], ...] = (
        (Row.address, address),
        (Row.topic, topic),
        (Row.failure, wanted.failure),
        (Row.summary, wanted.summary),
        (Row.summarised, wanted.summarised),
    )
    actions: list[Update] = [name.remove() if value is None else name.set(value) for name, value in given]
    actions += [Row.types.set(list(wanted.types)), Row.updated_at.set(now)]
    if wanted.failure is None:
        actions.append(Row.failing.remove())
    as_read = Row.entry.does_not_exist() if before is None else Row.change_token == before.change_token
    return tables.update(Row, (TENANTS, tenant), actions, as_read, token=Row.change_token)


def note_standing(found: Row, standing: str, now: int) -> None:
    """Whether mail reaches the tenant's address, as SNS has said now."""
    told = {"topic": found.topic, "is": standing, "at": now}
    with suppress(tables.ConditionFailed):  # it has another address now
        tables.update(Row, (TENANTS, found.entry), [Row.standing.set(told)], Row.topic == found.topic)


def note_failing(found: Row, *, failing: bool, now: int) -> None:
    """The rate of failures was looked at. What the tenant has changed meanwhile is looked at anew."""
    actions: list[Update] = [Row.looked_at.set(now), Row.failing.set(1) if failing else Row.failing.remove()]
    _note(found, actions)


def note_summary(found: Row, day: date) -> None:
    """A summary of `day` was made."""
    _note(found, [Row.summarised.set(day.isoformat())])


def _note(found: Row, actions: list[Update]) -> None:
    with suppress(tables.ConditionFailed):
        tables.update(Row, (TENANTS, found.entry), actions, Row.change_token == found.change_token)


def baseline(tenant: str) -> Row | None:
    """The prices of the tenant's last summary."""
    try:
        return Row.get(tenant, PRICES, consistent_read=True)
    except Row.DoesNotExist:
        return None


def keep_baseline(tenant: str, prices: bytes, at: int, now: int) -> None:
    """Keep the prices that the next summary compares with. at: when this one was due."""
    tables.put(Row(tenant=tenant, entry=PRICES, prices=prices, at=at, expires_at=ttl(now + MAIL_MS)))
