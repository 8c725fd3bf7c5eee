"""Budgets as stored: table `budgets`. A charge is one conditional write, so a limit holds for any number of workers.

```
 budget          window        attributes
 stockx:acme     2026-11-22    day=412  h00=100 h01=100 …   calls reserved; the history that the dashboard draws
 ebay:app.3f9c   2026-11-22@America/Los_Angeles  …         the same, in the marketplace's own day
 ebay:app.3f9c   shares#2026-11-22T07  t_acme=120  t_bolt=3     who has had how many of an application's hour
 stockx:acme     slots         next_at  turn  rings  first_until  admitted_until  manual_until  left_at
                               closed_at  closed_until  closed_reason  pace  refusals
```
How calls are taken from the slots item stands in `slots`.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError
from pynamodb.attributes import Attribute, BinaryAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action as Update

from sluice.jobs.budgets.pace import Slowed
from sluice.jobs.budgets.rings import Rings, decode
from sluice.jobs.budgets.windows import Usage, Window
from sluice.jobs.model import keys
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute
from sluice.platform.clock import DAY, iso, ttl
from sluice.platform.config.limits import Limits

SLOTS = "slots"
# Before a tenant's name, in the item of an hour's shares.
TENANT = "t_"
KEEP_DAYS = 35
# Of how many budgets one request reads all items: of three each, where it has room for a hundred.
MOST_READ = 33


class Budget(tables.Table):
    """One budget's day, an application's shares of an hour, a budget's slots, or a service's seats (see `seats`).

    Times are epoch ms.

    day: calls reserved in the day. Those of its hours, from `h00` on (`Window.hour`), are addressed by path, and so are
        those of an application's tenants, from `t_` on.
    expires_at: of a day or of shares: when DynamoDB may delete the item, in seconds.
    next_at: the slot clock: when the next slot may start at the earliest, by the pace.
    rings, turn: what is taken of the windows that roll (`rings.encode`), and the number of the writes that said so.
    first_until: workers write it: until then at the latest a manual batch takes its next calls, and others give way
        (see `slots`).
    admitted_until: the scheduler writes it when it hands out work: when all that was handed out can have started.
    manual_until: the same for manual work alone, which waits for no other.
    left_at: the scheduler writes it too: when it last left manual work behind, because the slots are spoken for.
    closed_at, closed_until, closed_reason: since when the marketplace takes no calls, until when, and why.
    pace, refusals: how refusals have slowed the budget (`pace.Slowed`).
    slots_token, admit_token, `w0` to `wf` of a day: tokens of writes (see `tables`).
    """

    class Meta:
        table_name = tables.name("budgets")

    budget = UnicodeAttribute(hash_key=True)
    window = UnicodeAttribute(range_key=True)
    day = IntAttribute(null=True)
    next_at = IntAttribute(null=True)
    admitted_until = IntAttribute(null=True)
    manual_until = IntAttribute(null=True)
    left_at = IntAttribute(null=True)
    closed_at = IntAttribute(null=True)
    closed_until = IntAttribute(null=True)
    closed_reason = UnicodeAttribute(null=True)
    expires_at = IntAttribute(null=True)
    slots_token = UnicodeAttribute(null=True)
    admit_token = UnicodeAttribute(null=True)
    pace = IntAttribute(null=True)
    refusals = IntAttribute(null=True)
    rings = BinaryAttribute(null=True, legacy_encoding=False)
    turn = IntAttribute(null=True)
    first_until = IntAttribute(null=True)


def read(budget: str, now: int) -> Usage:
    """What is used of `budget` in the window of `now`, its slots, and who has had what of it: one request."""
    wanted = _keys(budget, now)
    items, left_out = _got(wanted)
    if left_out:  # of a single item an answer leaves nothing out
        items = {name: item for key in wanted for name, item in _got([key])[0].items()}
    return _usage(budget, items, now)


def read_some(budgets: Sequence[str], now: int) -> dict[str, Usage]:
    """The same of several, `MOST_READ` at the most: one request. One of which its answer leaves something out lacks."""
    items, left_out = _got([key for budget in budgets for key in _keys(budget, now)])
    return {budget: _usage(budget, items, now) for budget in budgets if budget not in left_out}


def reserve_calls(budget: str, limits: Limits, window: Window, count: int) -> bool:
    """Charge `count` calls to the hour and the day of `window`, both or neither. False when one lacks the room.

    Where windows only roll the calls are counted all the same: it is their history, and orders tenants' turns.
    """
    if not limits.windows:
        return True
    hour = Path(window.hour)
    condition: Condition | None = None
    for path, limit in ((hour, limits.per_hour), (Budget.day, limits.per_day)):
        if limit:
            if count > limit:
                return False
            room = path.does_not_exist() | (path <= limit - count)
            condition = condition & room
    try:
        actions = [*_charge(window, count), _expiry(window)]
        tables.update(Budget, (budget, window.day), actions, condition, token=tables.one_of_many("w"))
    except tables.ConditionFailed:
        return False
    return True


def note_share(budget: str, window: Window, tenant: str, calls: int) -> None:
    """Count `calls` of an application's hour as had by `tenant`.

    Sent once: it orders who goes first and bounds nothing, so a loss does no harm.
    """
    if keys.application_of(budget):
        counted = [Path(f"{TENANT}{tenant}").add(calls), Budget.expires_at.set(ttl(window.end + DAY))]
        with suppress(PynamoDBException, BotoCoreError, tables.Contention):
            tables.update(Budget, (budget, _shares(window)), counted, once=True)


def give_back(budget: str, limits: Limits, window: Window, count: int) -> None:
    """Return `count` calls that were reserved in `window` and not made.

    Sent once: a return that is done twice would let the limit be exceeded, one that is lost leaves a few calls unused.
    """
    if count and limits.windows:
        with suppress(PynamoDBException, BotoCoreError, tables.Contention):
            tables.update(Budget, (budget, window.day), _charge(window, -count), once=True)


def correct(budget: str, limits: Limits, window: Window, remaining: int) -> None:
    """The marketplace says that only `remaining` calls of the hour are left: believed if fewer than we think."""
    if not limits.per_hour:
        return
    used, hour = max(0, limits.per_hour - remaining), Path(window.hour)
    try:
        tables.update(
            Budget, (budget, window.day), [hour.set(used), _expiry(window)], hour.does_not_exist() | (hour < used)
        )
    except tables.ConditionFailed:
        return


def slow_writes(slowed: Slowed) -> list[Update]:
    """The writes that keep `slowed`. What is as usual is no attribute."""
    return [
        attribute.set(value) if value else attribute.remove()
        for attribute, value in ((Budget.pace, slowed.pace), (Budget.refusals, slowed.refusals))
    ]


def as_slow(slowed: Slowed) -> Condition:
    """The budget is slowed as the caller knows it."""
    both: Condition = as_read(Budget.pace, slowed.pace) & as_read(Budget.refusals, slowed.refusals)
    return both


def as_read(attribute: Attribute[int], value: int) -> Condition:
    """The attribute is as the caller has read it: `value`, or, for 0, not there."""
    same: Condition = attribute == value if value else attribute.does_not_exist()
    return same


def over(until: Attribute[int], now: int) -> Condition:
    """A time of the item is not to come any more, or is not there."""
    is_over: Condition = until.does_not_exist() | (until <= now)
    return is_over


def slowed_of(item: dict[str, Any]) -> Slowed:
    """How the slots item, raw, says that refusals have slowed the budget."""
    return Slowed(number(item, "pace"), number(item, "refusals"))


def rings_of(item: dict[str, Any], now: int) -> Rings:
    """What the slots item, raw, says of the windows that roll; if it cannot be read, all is as if made at `now`."""
    stored = item.get("rings", {}).get("B")
    try:
        return decode(stored)
    except ValueError:
        return Rings.unreadable(now)


def close(budget: str, until: int, reason: str, since: int | None = None) -> None:
    """Stop all calls of `budget` until `until` (epoch ms). A later end that is already set stays. since: now."""
    earlier = Budget.closed_until.does_not_exist() | (Budget.closed_until < until)
    actions = [Budget.closed_until.set(until), Budget.closed_reason.set(reason)]
    if since is not None:
        actions.append(Budget.closed_at.set(since))
    try:
        tables.update(Budget, (budget, SLOTS), actions, earlier)
    except tables.ConditionFailed:
        return


def _keys(budget: str, now: int) -> list[Any]:
    window = Window.of(budget, now)
    names = [window.day, SLOTS, *([_shares(window)] if keys.application_of(budget) else [])]
    return [{"budget": budget, "window": name} for name in names]


def _got(wanted: list[Any]) -> tuple[dict[tuple[str, str], dict[str, Any]], set[str]]:
    """The items of one request, raw, by budget and window; and the budgets of which some were left out."""
    answer, table = Budget._get_connection().batch_get_item(wanted), Budget.Meta.table_name
    items = {(item["budget"]["S"], item["window"]["S"]): item for item in answer["Responses"].get(table, [])}
    left_out = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
    return items, {key["budget"]["S"] for key in left_out}


def _usage(budget: str, found: Mapping[tuple[str, str], dict[str, Any]], now: int) -> Usage:
    window = Window.of(budget, now)
    items = {name: item for (owner, name), item in found.items() if owner == budget}
    day, slots = items.get(window.day, {}), items.get(SLOTS, {})
    return Usage(
        hour=number(day, window.hour),
        day=number(day, "day"),
        next_at=number(slots, "next_at"),
        admitted_until=number(slots, "admitted_until"),
        closed_at=number(slots, "closed_at"),
        closed_until=number(slots, "closed_until"),
        closed_reason=slots.get("closed_reason", {}).get("S", ""),
        slowed=slowed_of(slots),
        had=_had(items.get(_shares(window), {})),
        manual_until=number(slots, "manual_until"),
        left_at=number(slots, "left_at"),
        rings=rings_of(slots, now),
        at=now,
    )


def _charge(window: Window, count: int) -> list[Update]:
    return [Path(window.hour).add(count), Budget.day.add(count)]


def _expiry(window: Window) -> Update:
    return Budget.expires_at.set(ttl(window.day_end + KEEP_DAYS * DAY))


def _shares(window: Window) -> str:
    return f"shares#{iso(window.hour_start)[:13]}"


def _had(item: dict[str, Any]) -> dict[str, int]:
    return {name.removeprefix(TENANT): number(item, name) for name in item if name.startswith(TENANT)}


def number(item: dict[str, Any], attribute: str) -> int:
    """A number of an item, raw; 0 where it is not there."""
    return int(item.get(attribute, {}).get("N", 0))
