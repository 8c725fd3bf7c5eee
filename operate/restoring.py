"""Writing a backup into a new stack: what comes back, under the new stack's key, with budgets closed for a while."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NamedTuple

import boto3
from botocore.exceptions import ClientError

from operate import Item, physical_name
from operate.bring_back import RULES, When, bring_back
from operate.exports import Export, NoBackup
from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.windows import Window
from sluice.jobs.model import keys
from sluice.jobs.queue import lanes
from sluice.listings.ebay.kinds import PUBLISH
from sluice.marketplaces.accounts.item import Status
from sluice.platform.clock import HOUR, iso
from sluice.platform.config import document, pause_table
from sluice.platform.config.limits import Limits
from sluice.platform.config.pauses import Pause
from sluice.platform.tables import ConditionFailed
from sluice.webhooks import endpoints

BATCH: Final = 25
# What is encrypted, by table, and what each ciphertext is bound to.
SEALED: Final[Mapping[str, tuple[str, ...]]] = {
    "accounts": ("credentials", "token", "user_token"),
    "webhooks": ("sealed_url", "secret", "earlier_secret"),
}
# Jobs last: as they come, the streams of the new stack count them.
ORDER: Final = (*sorted(set(RULES) - {"jobs"}), "jobs")
KEY_GONE: Final = "the key of the lost stack does not open what is stored; connect the account again"
NEXT: Final = (
    "1. deploy {stack} with ScheduleState=ENABLED: work begins",
    "2. sluice status, sluice accounts: what is in the way",
    f"3. sluice resume {PUBLISH.name}: when you have looked at eBay's listings, publishing goes on",
)


class Times(NamedTuple):
    """now: of the restore. stopped_at: when the lost stack made its last call. Epoch ms."""

    now: int
    stopped_at: int


@dataclass(frozen=True)
class Target:
    """The new stack: its name, its configuration, and the clients that write it."""

    name: str
    config: document.Config
    dynamodb: Any = field(default_factory=lambda: boto3.client("dynamodb"), repr=False)
    kms: Any = field(default_factory=lambda: boto3.client("kms"), repr=False)

    def table(self, name: str) -> str:
        """The physical name of a table."""
        return physical_name(self.name, name)

    @property
    def key(self) -> str:
        """The key of tokens."""
        return f"alias/{self.name}-tokens"


def target(name: str) -> Target:
    """The stack `name`, which must be new.

    Raises:
        NoBackup: it has begun to work.
        ClientError: there is none, or it cannot be asked.
    """
    text = boto3.client("ssm").get_parameter(Name=f"/{name}/configuration")["Parameter"]["Value"]
    found = Target(name, document.parse(text))
    key = {"scope": {"S": "health"}, "at": {"S": "snapshot"}}
    if "Item" in found.dynamodb.get_item(TableName=found.table("runs"), Key=key):
        raise NoBackup(
            f"the scheduler of {name} has run: restore into a new stack, deployed with ScheduleState=DISABLED"
        )
    return found


def restore(
    stack: Target, found: Mapping[str, Export], times: Times, open_: frozenset[str], say: Callable[[str], None]
) -> list[tuple[str, str]]:
    """Bring the exports back; which accounts and webhooks must be connected again, and why.

    open_: services whose budgets are not closed for the day. say: is told what was done.
    """
    if missing := sorted(set(RULES) - set(found)):
        say(f"not in the backup, and empty: {', '.join(missing)}")
    when = When(times.now, min(one.at for one in found.values()), stack.config)
    budgets, broken = dict[str, int](), list[tuple[str, str]]()
    for table in ORDER:
        if table == "jobs":
            _hold(stack, budgets, times, open_, say)
        read = written = 0
        items = found[table].items() if table in found else iter(())
        while page := list(islice(items, BATCH)):
            back = [one for item in page if (one := bring_back(table, item, when)) is not None]
            back = [_sealed_anew(stack, table, item, broken) for item in back]
            if table == "jobs":
                _mark_lanes(back, times.now)
            _write(stack, table, back)
            for budget, calls in _budgets(stack, table, page):
                budgets[budget] = max(calls, budgets.get(budget, 0))
            read, written = read + len(page), written + len(back)
        if read:
            say(f"{table:<18}{read:>9,} in the backup, {written:>9,} brought back")
    return broken


def _write(stack: Target, table: str, items: list[Item]) -> None:
    left = {stack.table(table): [{"PutRequest": {"Item": item}} for item in items]}
    while any(left.values()):
        left = stack.dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"]


def _sealed_anew(stack: Target, table: str, item: Item, broken: list[tuple[str, str]]) -> Item:
    """Every secret of the item under the new stack's key. Where the old one does not open it, it is left out."""
    names = [name for name in SEALED.get(table, ()) if "B" in item.get(name, {})]
    context = _context(table, item)
    try:
        for name in names:
            # KMS knows from the ciphertext which key has made it.
            opened = stack.kms.decrypt(CiphertextBlob=item[name]["B"], EncryptionContext=context)["Plaintext"]
            sealed = stack.kms.encrypt(KeyId=stack.key, Plaintext=opened, EncryptionContext=context)
            item[name] = {"B": sealed["CiphertextBlob"]}
    except ClientError as error:
        broken.append((next(iter(context.values())), error.response["Error"]["Code"]))
        return _shut(table, item)
    return item


def _context(table: str, item: Item) -> dict[str, str]:
    if table == "accounts":
        return {"account": item["account"]["S"]}
    if table == "webhooks":
        return {"webhook": endpoints.key(item["tenant"]["S"], item["webhook_id"]["S"])}
    return {}


def _shut(table: str, item: Item) -> Item:
    """An account that is broken, or a webhook that is switched off, until somebody gives its secrets again."""
    if table == "accounts":
        kept = {name: value for name, value in item.items() if name not in SEALED[table]}
        broken = {"status": {"S": str(Status.BROKEN)}, "reason": {"S": KEY_GONE}}
        return {**kept, **broken, **({"user_status": {"S": str(Status.BROKEN)}} if "user_status" in item else {})}
    return {
        **item,
        "status": {"S": str(endpoints.Status.DISABLED)},
        "reason": {"S": "its secret could not be brought back: make a new one"},
    }


def _mark_lanes(jobs: list[Item], now: int) -> None:
    """Say which lanes have work, before the work is there."""
    for job in jobs:
        if lane := job.get("lane", {}).get("S"):
            several = len(job.get("for", {}).get("SS", [])) > 1
            if not lane.startswith("leased#"):
                lanes.mark(lane, now, shared=several)


def _budgets(stack: Target, table: str, page: list[Item]) -> Iterator[tuple[str, int]]:
    """The budgets of which the backup tells: those that were used, each with the calls of a day, and those of accounts,
    which may have been.
    """
    for item in page:
        if table == "budgets":
            yield item["budget"]["S"], int(item.get("day", {}).get("N", 0))
        elif table == "accounts" and "marketplace" in item:
            account, marketplace = item["account"]["S"], item["marketplace"]["S"]
            for service, limits in stack.config.limits.items():
                if service == marketplace or service.startswith(f"{marketplace}-"):
                    stored = keys.budget(account, by_account=limits.by_account, service=service)
                    yield keys.charged_to(stored, item.get("application", {}).get("S")), 0


def _hold(
    stack: Target, budgets: Mapping[str, int], times: Times, open_: frozenset[str], say: Callable[[str], None]
) -> None:
    """Nobody calls before the calls that the lost stack may have made count no more, and nothing is published."""
    for budget, busiest in sorted(budgets.items()):
        service = keys.service_of(budget)
        limits = stack.config.limits.get(service)
        if limits is None:
            continue
        until = times.stopped_at + HOUR
        if service not in open_ and day_may_be_used_up(limits, busiest):
            until = max(until, Window.of(budget, times.stopped_at).day_end)
        if until > times.now:
            ledger.close(budget, until, "its stack was restored from a backup: what was called since is not known")
            say(f"{budget:<34} takes calls from {iso(until)}")
    reason = "restored from a backup: eBay may show newer listings than these records"
    with suppress(ConditionFailed):
        pause_table.put(Pause(PUBLISH.name, reason, "a restore", times.now), times.now)


def day_may_be_used_up(limits: Limits, busiest: int) -> bool:
    """Whether today's limit may be used up by what nobody knows of. busiest: calls of the busiest day that is known.

    As much again as ever in a day is taken for what may have been called since the backup.
    """
    return bool(limits.per_day) and 2 * busiest >= limits.per_day
