"""The whole of Sluice in one process on virtual time, with everybody who uses it: what happens next is by the seed.

Everything is the real code, as in `tests.crash.plant`. There stories are told from their beginning to their end; here
everything that could happen now is in one list, and chance picks from it:

```
 schedules that are due · messages that can be seen · records of streams · functions asked for · people · the weather
```
When nothing can happen now, the clock goes on to the next thing that will.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from local.sandbox import world as worlds
from sluice.inventory import worker as inventory_worker
from sluice.jobs.model import events
from sluice.jobs.queue import lanes, nudge, recounts, tally
from sluice.jobs.run import worker
from sluice.listings import given_up
from sluice.listings import live as live_listings
from sluice.listings.ebay import reconciler
from sluice.listings.stockx import aftermath, poll_run
from sluice.marketplaces.accounts import token_cache
from sluice.marketplaces.http import transport
from sluice.notifications import mailer, receive, routine
from sluice.operator import depth
from sluice.operator import work_run as operator_work
from sluice.pages import schedule
from sluice.pages import work_run as page_work
from sluice.platform.clock import HOUR, MINUTE, SECOND
from sluice.platform.config import live, pause_table
from sluice.platform.config.live import Live
from sluice.platform.settings import settings
from sluice.promotions import work_run as promotion_work
from sluice.webhooks import overdue, sender
from tests.crash.plant import (
    FUNCTION_MS,
    MOST_RECEIVES,
    NOON,
    VISIBLE_AGAIN_MS,
    Message,
    Plant,
    Receiver,
    Street,
    forget,
    read_configuration,
    running,
)
from tests.crash.points import Killed
from tests.simulation.trouble import OUTSIDE
from tests.soak import storm as storms
from tests.soak.storm import Storm
from tests.support.clock import VirtualClock
from tests.support.http import Answer, call
from tests.support.parameter import Parameter
from tests.support.store import Store
from tests.support.stream import changes

Json = dict[str, Any]
Work = Callable[[], Any]

TENANTS: Final = ("acme", "zeta")
# What the catalog knows is old after this time, so that a history of some hours looks it up again.
AGE_MS: Final = HOUR
# What the configuration always says.
BASE: Final[Json] = {"prices": {"catalog_age_ms": AGE_MS}}
API_MS: Final = 29 * SECOND
# A message that was handled comes once more, now and then.
TWICE: Final = 0.03
# Minutes between the last looks: pages and listings are looked at each half hour.
LATER: Final = (1, *(31,) * 5)
# In the calm it looks at eBay's listings only so often: each minute there would always be a look that is not over.
SELDOM: Final = {"reconciler": 30 * MINUTE}
CALM_STEP_MS: Final = 45 * SECOND
# By how much clocks are put back at most.
CLOCK_MOST_MS: Final = 2_000
# Of new processes so many begin without having read the configuration: each would read it again.
UNREAD: Final = 0.1
# Of those who are preempted, so many are held up for a while besides.
FREEZES: Final = 0.1
# So often something happens in the calm until all has come to rest.
MOST_CALM: Final = 40_000


class Trade:
    """Somebody who uses a part of Sluice, or does something at a marketplace."""

    def __init__(self, town: "Town") -> None:
        self._town, self._chance = town, town.storm.chance

    def open(self) -> None:
        """Before the first storm: what must be there."""

    def act(self) -> None:
        """Do something, by chance."""
        raise NotImplementedError

    def mend(self) -> None:
        """After the last storm: what people do then, such as asking again for what was refused."""

    def later(self) -> None:
        """In the calm, each half hour: go on with what takes several steps."""

    def wrong(self) -> Iterator[str]:
        """In the end: what is not as it should be."""
        return iter(())

    def _say(self, tenant: str, path: str, body: object) -> None:
        """Say how something is to be, and wait for the job that makes it so."""
        answer = self._town.ask("PUT", path, body, tenant=tenant)
        assert answer.status == 202, answer.text
        if job_id := answer.json.get("jobId"):
            self._town.owe(tenant, job_id)

    def _pages(self, path: str, query: Mapping[str, Any], **who: Any) -> Iterator[Answer]:
        """What is answered for the pages of a list. Each is asked for when the one before has been looked at."""
        wanted = dict(query)
        while True:
            answer = self._town.ask("GET", path, query=wanted, **who)
            yield answer
            cursor = answer.json.get("next") if answer.headers["Content-Type"] == "application/json" else None
            if not cursor:
                return
            wanted["cursor"] = cursor


@dataclass
class Clockwork:
    """A function that a schedule starts, and others may."""

    name: str
    every: int
    work: Work
    at: int = NOON


@dataclass
class Asked:
    """A job that somebody asked for by the API, and waits for."""

    tenant: str
    job_id: str
    at: int


class End(NamedTuple):
    """The end of a job, as its tenant was told of it. at: as ISO text."""

    at: str
    state: str


class Told(NamedTuple):
    """An event on the bus. event_id: stays the same when it is told again. at: when it happened, as ISO text."""

    tenants: tuple[str, ...]
    event_id: str
    kind: str
    at: str
    detail: Json


class Mailroom(Receiver):
    """The tenants' endpoints: what each has received, by its id; a message may come twice."""

    def __init__(self, storm: Storm) -> None:
        super().__init__(storm)
        self.by_tenant: dict[str, dict[str, Json]] = {tenant: {} for tenant in TENANTS}

    def post(self, url: str, headers: Any, body: bytes) -> int:
        status = super().post(url, headers, body)
        self.by_tenant[url.rpartition("/")[2]][headers["webhook-id"]] = json.loads(body)
        return status


@dataclass
class Town(Plant):
    """See the module.

    asked: what was asked for, and is owed an answer.
    trades: who there is, and how often each does something.
    told: each event that was put on the bus, as often as it was.
    wanted_listings: how many eBay listings each tenant has asked for.
    parameter: the configuration. posted: how many mails were sent to each tenant.
    readers: how processes know the configuration; who has preempted another one knows nothing of what that one reads.
    """

    storm: Storm = field(default_factory=Storm)
    asked: list[Asked] = field(default_factory=list)
    trades: dict[Trade, int] = field(default_factory=dict)
    counted: list[Json] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    wanted_listings: Counter[str] = field(default_factory=Counter)
    parameter: Parameter = field(default_factory=lambda: Parameter(json.dumps(BASE), NOON))
    posted: Counter[str] = field(default_factory=Counter)
    readers: list[Live] = field(default_factory=list)
    clockwork: list[Clockwork] = field(default_factory=list)
    set_aside: list[tuple[str, Message]] = field(default_factory=list)
    people_at: int = 0
    weather_at: int = 0
    runs: int = 0
    _keys: int = 0
    _told: int = 0
    _asked_at: int = 0
    _depth: int = 0
    _reading: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.storm.happen = self._meanwhile
        minutely: dict[str, Work] = {
            "scheduler": self._scheduler,
            "promotion-worker": lambda: promotion_work.run(self._context(), self._deadline()),
            "page-scheduler": lambda: schedule.tick(self._context()),
            "page-worker": lambda: page_work.run(self._context(), self._deadline()),
            "reconciler": lambda: reconciler.run(self._context()),
            "notifier": self._notify,
            "operator-worker": lambda: operator_work.run(self._context(), self._deadline()),
        }
        self.clockwork = [
            *(Clockwork(name, MINUTE, work) for name, work in minutely.items()),
            Clockwork("operation-poller", 30 * SECOND, lambda: poll_run.run(self._context(), self._deadline())),
            Clockwork("webhook-sender", 5 * MINUTE, lambda: overdue.wake(self.clock.time)),
        ]

    # ── what a client does ──

    def ask(self, method: str, path: str, body: Any = None, *, again: int = 0, **request: Any) -> Answer:
        """One request of a client, who sends it again until it is answered: the answer, which may be a refusal."""
        self._keys += 1
        key = f"key-{self._keys}" if method == "POST" else None
        self._asked_at = self.clock.time
        for _ in range(60):
            answer = self.invoke(lambda: call(method, path, body=body, key=key, **request), API_MS)
            if answer is not None and answer.status < 500 and not _in_progress(answer):
                return answer  # type: ignore[no-any-return]
            self.clock.time += 5 * SECOND
        raise AssertionError(f"{method} {path} is not answered: {answer and answer.text}")

    def owe(self, tenant: str, job_id: str) -> None:
        """The tenant has asked for the job with its last request, and hears of its end."""
        self.asked.append(Asked(tenant, job_id, self._asked_at))

    def forgive(self, tenant: str, job_id: str) -> None:
        """The tenant has taken back its requests for the job."""
        self.asked = [one for one in self.asked if (one.tenant, one.job_id) != (tenant, job_id)]

    @property
    def mailroom(self) -> Mailroom:
        """Where the tenants' webhooks arrive."""
        assert isinstance(self.receiver, Mailroom)
        return self.receiver

    @property
    def ends(self) -> dict[tuple[str, str], End]:
        """How each job ended last, by its tenant and id: what the tenant was told."""
        last: dict[tuple[str, str], End] = {}
        for tenant, got in self.mailroom.by_tenant.items():
            for message in got.values():
                if message["type"].startswith("job."):
                    key, end = (tenant, message["data"]["jobId"]), End(message["timestamp"], message["data"]["state"])
                    last[key] = max(last.get(key, end), end)
        return last

    # ── what happens ──

    def step(self) -> None:
        """The next thing that happens."""
        happens = self._possible()
        if not happens:
            self.clock.time = max(self.clock.time, self._next())
            return
        self.runs += 1
        self.storm.chance.choice(happens)()

    def _possible(self) -> list[Work]:
        now = self.clock.time
        found = self._functions()
        if self.people_at <= now:
            found.append(self._people)
        if self.weather_at <= now:
            found.append(self._weather)
        return found

    def _functions(self) -> list[Work]:
        """Those functions that run now."""
        now = self.clock.time
        self._read_streams()
        found: list[Work] = [lambda one=one: self._tick(one) for one in self.clockwork if one.at <= now]  # type: ignore[misc]
        for queue, messages in self.queues.items():
            seen = [one for one in messages if one.at <= now and queue != "dead"]
            found += [lambda queue=queue, one=one: self._receive(queue, one) for one in seen]  # type: ignore[misc]
        if self.streamed and "events" not in self._reading:
            found.append(self._job_events)
        if self.counted and "counts" not in self._reading:
            found.append(self._job_counts)
        if self.nudges:
            found.append(self._nudged)
        return found

    def _next(self) -> int:
        """When the next thing happens."""
        times = [one.at for one in self.clockwork]
        times += [one.at for queue, messages in self.queues.items() if queue != "dead" for one in messages]
        return min([*times, self.people_at, self.weather_at])

    def _people(self) -> None:
        """Some of them at once: a run of the scheduler costs more requests than what it is run for."""
        self.people_at = self.clock.time + self.storm.chance.randint(1, 20) * SECOND
        for who in self.storm.chance.choices(
            list(self.trades), list(self.trades.values()), k=self.storm.chance.randint(1, 5)
        ):
            who.act()

    def _weather(self) -> None:
        weather = self.storm.chance.choice(storms.KINDS)
        self.weather_at = self.clock.time + self.storm.chance.randint(20, 300) * SECOND
        self.set_weather(weather)
        self._clock_is_set()

    def _clock_is_set(self) -> None:
        """All clocks are corrected, by little, unless another hour would begin twice."""
        by = self.storm.chance.randint(1, CLOCK_MOST_MS)
        if self.clock.time // HOUR == (self.clock.time - by) // HOUR:
            self.clock.time -= by

    def set_weather(self, weather: storms.Weather) -> None:
        """From now on things go wrong like this."""
        self.storm.weather = weather
        self.sandbox.faults.set(*weather.faults)

    def _meanwhile(self) -> None:
        """Other functions run before a request arrives."""
        if self._depth:
            return
        self._depth += 1
        try:
            if self.storm.chance.random() < FREEZES:
                self.clock.time += self.storm.chance.randint(1, 90) * SECOND
            for _ in range(self.storm.chance.randint(1, 3)):
                if found := self._functions():
                    self.runs += 1
                    self.storm.chance.choice(found)()
        finally:
            self._depth -= 1

    # ── the functions ──

    def invoke(self, run: Callable[[], Any], ms: int = FUNCTION_MS) -> Any:
        """One invocation of a function; None when it failed. Only what has gone wrong may make it fail."""
        put_back = _memory() if self.storm.processes else None
        if self.storm.processes or self.storm.chance.random() < 0.3:
            forget()
            if self.storm.chance.random() < UNREAD:
                self.read_anew()
        with self.storm.process(ms) as process:
            try:
                return run()
            except Killed:
                return None
            except OUTSIDE:
                if not process.struck:
                    raise
                return None
            finally:
                if process.dead:
                    forget()
                if put_back:
                    put_back()

    def read_anew(self) -> None:
        """Processes begin that have not read the configuration."""
        self.readers = [read_configuration(self.clock, pause_table.read, live._earlier) for _ in range(2)]

    def _tick(self, one: Clockwork) -> None:
        one.at = self.clock.time - self.clock.time % one.every + one.every
        self.invoke(one.work)

    def _nudged(self) -> None:
        self.nudges -= 1
        self.invoke(self._scheduler)

    def _notify(self) -> None:
        mailer.send_due(self.clock)
        routine.run(self._context())

    def _receive(self, queue: str, message: Message) -> None:
        message.received += 1
        message.at = self.clock.time + VISIBLE_AGAIN_MS * (2 if queue in ("work", "manual") else 1)
        handled = self.invoke(lambda: self._handle(queue, {"1": message.body})) == []
        if handled and self._comes_again():
            message.at = self.clock.time + self.storm.chance.randint(0, 120) * SECOND
        elif handled or message.received >= MOST_RECEIVES:
            # Two that are alike are two messages.
            self.queues[queue] = [one for one in self.queues[queue] if one is not message]
            if not handled:
                self.set_aside.append((queue, message))

    def _handle(self, queue: str, found: dict[str, str]) -> list[str]:
        match queue:
            case "work" | "manual":
                return worker.work(found, self._context(), self._deadline())
            case "wake":
                return self._woken(found)
            case "inventory":
                return inventory_worker.work(found, self._context())
            case "notifications":
                return receive.work(found, self.clock)
        return sender.work(found, self.mailroom, self.clock)

    def _read_streams(self) -> None:
        found = [{**record, "eventID": f"record-{self._told + place}"} for place, record in enumerate(changes("jobs"))]
        self._told += len(found)
        self.streamed += found
        self.counted += found

    def _job_events(self) -> None:
        """As the handler of `job_events`. A batch that fails comes again, whole."""
        records = self.streamed[: self.storm.chance.randint(1, 20)]

        def follow() -> bool:
            events.publish(records)
            live_listings.tell(records)
            aftermath.follow_up(records, self.clock.now(), live.current())
            given_up.tell(records)
            tally.follow(records)
            return True

        self._reading.add("events")
        if self.invoke(follow) and not self._comes_again():
            self.streamed = self.streamed[len(records) :]
        self._reading.discard("events")

    def _job_counts(self) -> None:
        """As the handler of `job_counts`."""
        records = self.counted[: self.storm.chance.randint(1, 50)]
        self._reading.add("counts")
        if self.invoke(lambda: (depth.follow(records), True)) and not self._comes_again():
            self.counted = self.counted[len(records) :]
        self._reading.discard("counts")

    def _comes_again(self) -> bool:
        """Whether what was handled is delivered once more: nobody was told that it was."""
        return self.storm.weather is not storms.CALM and self.storm.chance.random() < TWICE

    # ── those parts of AWS that are more than in the stories ──

    def _ssm(self, operation: str, given: Json) -> Json:
        self.parameter.at = self.clock.time
        return self.parameter.answer(operation, given)

    def services(self) -> dict[str, Callable[[str, Json], Json]]:
        return {**super().services(), "sns": self._sns}

    def _sns(self, operation: str, given: Json) -> Json:
        match operation:
            case "CreateTopic":
                return {"TopicArn": f"arn:aws:sns:{given['Name']}"}
            case "ListSubscriptionsByTopic":
                return {"Subscriptions": [{"SubscriptionArn": "arn:aws:sns:agreed"}]}
            case "Publish":
                self.posted[given["TopicArn"].partition("-mail-")[2].rpartition("-")[0]] += 1
        return {}

    def _lambda(self, operation: str, given: Json) -> Json:
        name = given["FunctionName"]
        if name == "scheduler":
            self.nudges += 1
        for one in self.clockwork:
            if one.name == name:
                one.at = self.clock.time
        return {}

    def _bus(self, operation: str, given: Json) -> Json:
        for entry in given["Entries"]:
            self._told += 1
            given_id, kind, detail = f"event-{self._told}", entry["DetailType"], json.loads(entry["Detail"])
            body = json.dumps({"id": given_id, "source": entry["Source"], "detail-type": kind, "detail": detail})
            tenants = tuple(detail["tenants"]) if "tenants" in detail else (detail["tenant"],)
            self.told.append(Told(tenants, detail.get("id", given_id), kind, detail["at"], detail))
            for queue in ("webhooks", "notifications"):
                self.queues[queue].append(Message(self.clock.time, body))
        return {"FailedEntryCount": 0}

    # ── the end ──

    def calm(self) -> None:
        """No more storms: people mend what they can, and all must come to rest."""
        self.set_weather(storms.CALM)
        for one in self.clockwork:
            if one.name in SELDOM:
                one.every = SELDOM[one.name]
        for trade in self.trades:
            trade.mend()
        for queue, message in self.set_aside:
            # An operator has them delivered again.
            self.queues[queue].append(Message(self.clock.time, message.body))
        self.set_aside.clear()
        self._settle()
        for minutes in LATER:
            # What changed elsewhere is found in a while.
            self._in(minutes)
        for tenant in TENANTS:
            # What was counted wrong is put right when it matters: as for who is refused. Whoever is counted while the
            # stream has something to tell is counted wrong until the sweep comes by, so nothing else happens here.
            self.invoke(lambda tenant=tenant: tally.want_recount(tenant, {}, self.clock.time))  # type: ignore[misc]
        self.invoke(lambda: recounts.wanted(live.current(), self.clock.time))

    def _in(self, minutes: int) -> None:
        """What happens in so many minutes, and because of it."""
        self.clock.time += minutes * MINUTE
        for trade in self.trades:
            trade.later()
        for one in self.clockwork:
            one.at = self.clock.time
        self._settle()

    def _settle(self) -> None:
        """Whatever happens now, and then, until nothing is left to do."""
        for _ in range(MOST_CALM):
            if found := self._functions():
                self.storm.chance.choice(found)()
                continue
            waiting = self._waiting()
            if not waiting:
                return
            soon = min(one.at for one in self.clockwork)
            self.clock.time = max(soon, min(waiting), self.clock.time + CALM_STEP_MS)
            for one in self.clockwork:
                if one.name not in SELDOM:
                    one.at = self.clock.time
        raise AssertionError(f"did not come to rest: {[_brief(job) for job in self._unfinished()][:5]}")

    def _waiting(self) -> list[int]:
        """When somebody looks again at each thing that is not done."""
        self._read_streams()
        mails = [int(one["due_at"]["N"]) for one in self.store.items("notifications") if "due_at" in one]
        self._forget_orphans()
        return [*super()._waiting(), *[self.clock.time] * len(self.counted), *mails]

    def _forget_orphans(self) -> None:
        """What was put on its way to an address while that was deleted is nobody's, and goes when its time is over."""
        known = {f"{one['tenant']['S']}/{one['webhook_id']['S']}" for one in self.store.items("webhooks")}
        for one in self.store.items("deliveries"):
            if one.get("state", {}).get("S") == "pending" and one["webhook"]["S"] not in known:
                self.store.put("deliveries", {**one, "state": {"S": "dropped"}})


def _brief(item: Json) -> Json:
    names = ("job_id", "state", "lane", "due_at", "attempts", "error")
    return {name: next(iter(item[name].values())) for name in names if name in item}


def _in_progress(answer: Answer) -> bool:
    """Whether the request is being done: its client waits, and sends it again."""
    return answer.status == 429 or (answer.status == 409 and answer.json["error"]["code"] == "in_progress")


def _memory() -> Work:
    """What this process remembers, to be put back."""
    marked, woken = dict(lanes._marked), set(nudge._woken)
    seen = dict(token_cache.process_cache._seen)

    def put_back() -> None:
        forget()
        lanes._marked.update(marked)
        nudge._woken.update(woken)
        token_cache.process_cache._seen.update(seen)

    return put_back


@contextmanager
def open_town(store: Store, seed: int) -> Iterator[Town]:
    """A town on empty tables, in which nobody lives yet."""
    clock, chance = VirtualClock(NOON), Random(seed)
    storm = Storm(chance=chance, clock=clock)
    town = Town(
        store, storm, clock, worlds.build(seed, clock=clock.now), Mailroom(storm), Street(clock, storm), storm=storm
    )
    town.chance = Random(seed)
    town.read_anew()
    with running(town, seed) as patch:
        patch.setattr(live, "in_force", lambda **how: town.readers[len(storm.processes) > 1].in_force(**how))
        patch.setenv("OPERATOR_WORKER_FUNCTION", "operator-worker")
        patch.setenv("OPERATOR_TOPIC", "arn:aws:sns:operator")
        patch.setenv("SLUICE_CONFIG_PARAMETER", "configuration")
        settings.cache_clear()
        # How long a call took is counted.
        patch.setattr(transport, "time", SimpleNamespace(monotonic=lambda: clock.time / SECOND))
        yield town
