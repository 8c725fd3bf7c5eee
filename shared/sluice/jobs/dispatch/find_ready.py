"""What of a budget's due work may run now, and the room that the budget has for it.

Of each priority as many jobs are read as there is room for (`reach`), and about as many from each lane: what is not
admitted is read, and paid for, again by the next round. A budget may have 10,000 lanes, of accounts that share it.
Where it has more of them than room, which are read is drawn by lot.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sluice.jobs.budgets import blocks, ledger
from sluice.jobs.budgets.windows import Usage
from sluice.jobs.dispatch.admission import Room
from sluice.jobs.dispatch.explain import MISSING, Gate, Reason, held
from sluice.jobs.dispatch.fair_order import lot, standing
from sluice.jobs.dispatch.reach import Reach, reach
from sluice.jobs.dispatch.snapshot import Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.queue import claim, lanes
from sluice.jobs.queue.claim import DuePage
from sluice.jobs.queue.lanes import Lane
from sluice.platform.config.limits import Limits

THREADS = 16
# Most jobs of one priority that a round finds, for each key that their lanes are spread over.
MOST = 1_000
# How often it comes back to lanes that have more, because others had less than their part.
ROUNDS = 4
# The same where kinds are paused: so many pages of `MOST` jobs of them may stand before others.
ROUNDS_PAUSED = 50
# Slots are filled with other than manual work by this part of the horizon at least (`Room.least`). What is spoken for
# then lasts until the next minute's run.
PARTS = 8
NOT_READ = Usage()


@dataclass
class Ready:
    """One budget's due work that nothing holds, and the room that it has for it.

    usage: what is used of the budget. admitted_until: up to when work was handed out, this round's included.
    handed_out: calls of it that have not started, where windows roll; None: not counted yet.
    moved: of which work this round has handed out some already: of manual (True), of any (False).
    held: the reason why other work of this budget is not among it, if there is one. unreadable: keys of items that
    stand where jobs should.
    """

    budget: str
    limits: Limits
    room: Room
    candidates: list[Candidate] = field(default_factory=list)
    usage: Usage = NOT_READ
    admitted_until: int = 0
    handed_out: int | None = None
    moved: set[bool] = field(default_factory=set)
    held: str | None = None
    unreadable: list[str] = field(default_factory=list)

    @property
    def pace(self) -> int:
        """Milliseconds between two calls, where refusals have made it slower than the limits say; else 0."""
        return self.usage.slowed.pace

    def lies_ahead(self, now: int, *, manual: bool) -> bool:
        """Whether the clock of what was handed out lies ahead, as far as this round has seen and moved it."""
        return manual in self.moved or (self.usage.manual_until if manual else self.usage.admitted_until) > now


def find(
    snapshot: Snapshot, budget: str, marked: Iterable[Lane], horizon_ms: int, until: int, usage: Usage | None = None
) -> Ready:
    """What of the work in the `marked` lanes of `budget` that is due by `until` may run, and the room for it.

    horizon_ms: how far ahead of its slots the budget is given work. usage: what is used of it, if that was read.
    """
    now, config = snapshot.now, snapshot.config
    limits = config.limits[keys.service_of(budget)]
    usage = usage or ledger.read(budget, now)
    room = _room(budget, limits, usage, snapshot, horizon_ms)
    ready = Ready(budget, limits, room, usage=usage, admitted_until=usage.admitted_until)
    # What holds the whole budget is known before its lanes are read.
    if hold := held(Gate(budget, "ACTIVE", budget, usage), "", config, now):
        ready.held = hold.reason
        return ready

    status = dict[str, str]()

    def runnable(found: Sequence[Candidate]) -> Iterator[Candidate]:
        asked = {candidate.account for candidate in found} - status.keys()
        if asked:
            known = snapshot.accounts.statuses(asked, keys.service_of(budget))
            status.update((account, known.get(account, MISSING)) for account in asked)
        for candidate in found:
            account = candidate.account
            gate = Gate(account, status[account], budget, usage)
            if hold := held(gate, candidate.kind, config, now):
                ready.held = hold.reason
            elif ready.room.kept_from(candidate, {}):
                ready.held = Reason.NO_BUDGET
            else:
                yield _charged(candidate, limits, ready.room)

    by_priority: dict[str, list[Lane]] = defaultdict(list)
    for lane in marked:
        by_priority[keys.lane_priority(lane.lane)].append(lane)
    for priority in sorted(by_priority, key=_urgency):
        equals = by_priority[priority]
        # Work at set times (`at_once`) is not put off: it may have all that is left.
        far = Reach(room.calls) if limits.at_once else reach(priority, room, ready.candidates, config.engine.batch)
        # All lanes of a budget are of one marketplace.
        paused = config.pauses.kinds(keys.marketplace_of(keys.lane_account(equals[0].lane)), now)
        _Search(ready, runnable, now, until, config.engine.age_limit_ms, far, paused).search(equals)
    return ready


def _urgency(priority: str) -> int:
    """By which the most urgent come first; checks of operations are apart from all of them."""
    return -int(priority) if priority.isdigit() else 0


class _Place(NamedTuple):
    """A lane, and where in it to read on."""

    lane: Lane
    after: dict[str, Any] | None = None


@dataclass
class _Search:
    """For jobs of one priority.

    age_limit_ms: the age that raises a job. far: how far the lanes are read. without: kinds that are passed over, as
    many as it takes, for there may be others behind them.
    """

    ready: Ready
    runnable: Callable[[Sequence[Candidate]], Iterable[Candidate]]
    now: int
    until: int
    age_limit_ms: int
    far: Reach
    without: Set[str]
    missing: int = 0

    def search(self, marked: Sequence[Lane]) -> None:
        """Read the lanes `marked`, until there is as much as there is room for."""
        most = MOST * self.ready.limits.shards
        self.missing = most if self.far.most is None else max(1, min(most, self.far.most))
        lots = lot([lane.lane for lane in marked], self.now)
        places = [_Place(lane) for lane in sorted(marked, key=lambda lane: lots[lane.lane])]
        for turn in range(ROUNDS_PAUSED if self.without else ROUNDS):
            first = self.far.raised_to is not None and turn == 0
            part = 1 if first else min(MOST, _upwards(self.missing, len(places)))
            places = [rest for some in self._several(places, part) for rest in self._read(some, part)]
            if not places:
                return

    def _several(self, places: Sequence[_Place], part: int) -> Iterator[Sequence[_Place]]:
        """As many of `places` at once as are needed for what is missing, when each has `part`."""
        while places and self.missing > 0:
            many = _upwards(self.missing, part)
            yield places[:many]
            places = places[many:]

    def _read(self, places: Sequence[_Place], part: int) -> list[_Place]:
        """Take up to `part` jobs of each lane; where to read on in those that have more."""
        pages = self._pages(places, MOST if self.without else part)
        found = [candidate for page in pages for candidate in page.found]
        fit = list(self.runnable(found))
        self.ready.candidates += fit
        self.missing -= len(fit)
        rest, can_run = [], {candidate.account for candidate in fit}
        for place, page in zip(places, pages, strict=True):
            self.ready.unreadable += page.unreadable
            if page.passed:
                self.ready.held = Reason.PAUSED
            empty = not (place.after or page.found or page.unreadable or page.passed)
            if empty and lanes.outdated(place.lane, self.now) and claim.is_empty(place.lane.lane):
                lanes.remove(place.lane, self.now)
            if page.rest and self._goes_on(page, can_run):
                rest.append(_Place(place.lane, page.rest))
        return rest

    def _pages(self, places: Sequence[_Place], most: int) -> list[DuePage]:
        def read(place: _Place) -> DuePage:
            return claim.page(place.lane.lane, self.until, most, place.after, self.without)

        if len(places) == 1:
            return [read(places[0])]
        with ThreadPoolExecutor(min(THREADS, len(places))) as pool:
            return list(pool.map(read, places))

    def _goes_on(self, page: DuePage, can_run: Set[str]) -> bool:
        """Whether the lane of `page` is worth reading on in."""
        if not page.found:
            return True
        if can_run.isdisjoint(one.account for one in page.found):
            return False
        high = self.far.raised_to
        return high is None or any(standing(one, self.now, self.age_limit_ms) >= high for one in page.found)


def _upwards(number: int, parts: int) -> int:
    return -(-number // parts)


def _room(budget: str, limits: Limits, usage: Usage, snapshot: Snapshot, horizon_ms: int) -> Room:
    now, pace = snapshot.now, usage.slowed.of(limits.pace)
    paced = whole = None
    if pace:
        whole = _upwards(horizon_ms, pace)
        paced = _upwards(max(0, horizon_ms - usage.ahead(now)), pace)
    if limits.rolling:
        times, margin = usage.times(limits), limits.arrival_ms
        free = times.rings.free_by(now, now + horizon_ms, margin) or 0
        handed_out = blocks.handed_out(times, now, usage.admitted_until, pace, margin)
        rolling = max(0, free - handed_out)
        paced = rolling if paced is None else min(paced, rolling)
        whole = free if whole is None else min(whole, free)
    left, spare = usage.left(limits), usage.left(limits, snapshot.config.engine.reserve_percent)
    shares, soon, checks = usage.shares(budget, limits, now), usage.soon(limits, now), usage.checks(limits, now)
    return Room(left, spare, paced, shares, soon, checks, least=(whole or 0) // PARTS)


def _charged(candidate: Candidate, limits: Limits, room: Room) -> Candidate:
    """The candidate with what it reserves first: what it expects, or what there is. It takes the rest as it goes.

    Else the last calls of a window would lie idle whenever the next job expects one more.
    """
    expected = limits.charge(candidate.calls)
    left = room.calls if candidate.priority >= keys.HOT else room.spare
    return candidate._replace(calls=min(expected, left or expected))
