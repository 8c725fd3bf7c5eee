"""Listings that cheap sources show otherwise than eBay took them (`hints`): they wait to be read, those first.

```
 hint ─► waiting ─► read ─► drift is told, or all is as before ─► checked: not read for the same hint again
```
One part of what is known of a seller (`ebay_sellers`), written when something in it changes, and only as it was read.
How many wait stands with the account's looks too, where the reconciler sees it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from sluice.listings.ebay import sellers
from sluice.listings.ebay.sellers import SellerPart
from sluice.platform import races, tables
from sluice.platform.observe import count

# More do not wait: what is left out is found by the next report, or when its turn comes.
MOST_WAITING: Final = 1_000
MOST_CHECKED: Final = 2_000


@dataclass(frozen=True)
class Suspects:
    """waiting, checked: the hint of each, by its source and its sku (`r:DZ5485-612-10`), oldest first."""

    waiting: Mapping[str, str] = field(default_factory=dict)
    checked: Mapping[str, str] = field(default_factory=dict)

    def hinted(self, source: str, found: Mapping[str, str], seen: Collection[str]) -> "Suspects":
        """Those with what a source says of the skus `seen`. found: its hints, by sku."""
        waiting, checked = dict(self.waiting), dict(self.checked)
        for sku in seen:
            name, hint = f"{source}:{sku}", found.get(sku)
            if hint is None:
                waiting.pop(name, None)
                checked.pop(name, None)
            elif checked.get(name) != hint and (name in waiting or len(waiting) < MOST_WAITING):
                checked.pop(name, None)
                waiting[name] = hint
        return Suspects(waiting, checked)

    def first(self, most: int) -> list[str]:
        """The skus that wait longest, at most so many."""
        return list(dict.fromkeys(name.partition(":")[2] for name in self.waiting))[:most]

    def read(self, known: Collection[str], unknown: Collection[str]) -> "Suspects":
        """Those that are left after a look. unknown: of which nothing is known now; their next hint counts again."""
        gone = {*known, *unknown}
        waiting = {name: hint for name, hint in self.waiting.items() if name.partition(":")[2] not in gone}
        done = {name: hint for name, hint in self.waiting.items() if name.partition(":")[2] in known}
        checked = {**self.checked, **done}
        return Suspects(waiting, dict(list(checked.items())[-MOST_CHECKED:]))


def find(account: str) -> Suspects:
    """The account's suspects as they are."""
    return _read(account)[0]


def change(account: str, act: Callable[[Suspects], Suspects]) -> Suspects:
    """Change the account's suspects; as they are then. Nothing is written where nothing changes.

    Raises:
        Contention: others have changed them again and again meanwhile.
    """
    race = races.Race(f"the suspects of {account} were changed while they were to be")
    while True:
        before, turn = _read(account)
        after = act(before)
        if after == before:
            return before
        try:
            _write(account, after, turn)
        except tables.ConditionFailed:
            race.lost()
            continue
        if len(after.waiting) != len(before.waiting):
            sellers.note_suspects(account, len(after.waiting))
        if (more := len(after.waiting.keys() - before.waiting.keys())) > 0:
            count("drift.suspected", more)
        return after


def _read(account: str) -> tuple[Suspects, int | None]:
    part = sellers.suspects_of(account)
    return (Suspects(part.waiting or {}, part.checked or {}), part.turn) if part else (Suspects(), None)


def _write(account: str, after: Suspects, turn: int | None) -> None:
    same = SellerPart.turn.does_not_exist() if turn is None else SellerPart.turn == turn
    actions = [
        SellerPart.waiting.set(dict(after.waiting)),
        SellerPart.checked.set(dict(after.checked)),
        SellerPart.turn.set((turn or 0) + 1),
    ]
    tables.update(SellerPart, [account, sellers.SUSPECTS], actions, same)
