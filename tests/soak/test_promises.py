"""What the look at the end of a history is worth: each thing that could be wrong there is seen when it is."""

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO

import pytest

from sluice.jobs.model.job import Job
from sluice.jobs.model.states import LEASED, QUEUED
from sluice.listings.ebay import kinds
from sluice.listings.ebay.table import group_owner
from tests.soak import promises, storm
from tests.soak.accounts import Accounts
from tests.soak.groups import Groups, Wanted
from tests.soak.play import TRADES, lived, told_by, wrong
from tests.soak.spoiled import SPOILED, NothingToSpoil, Spoiled, spoiled
from tests.soak.storm import Weather
from tests.soak.town import TENANTS, Town, open_town
from tests.support.ebay_wanted import SHOES, size
from tests.support.store import store

# How often a publish is tried; and a time that does not come.
LAST, NEVER = kinds.PUBLISH.max_attempts, 10**15
# Short histories; not in each of them everybody has done something that can be spoiled.
SEEDS, STEPS = range(2, 14), 6_000


def test_what_is_wrong_is_seen() -> None:
    """Each thing in the first history that has it; and what was spoiled is whole again."""
    left = list(SPOILED)
    for seed in SEEDS:
        with redirect_stdout(StringIO()), store() as tables, lived(tables, seed, STEPS) as town:
            left = [one for one in left if not _is_seen(town, one)]
            assert wrong(town) == []
        if not left:
            return
    raise AssertionError(f"there was no place for {[(one.who, one.said) for one in left]} in {len(SEEDS)} histories")


def _is_seen(town: Town, one: Spoiled) -> bool:
    """Whether it was seen; False where there is nothing to spoil."""
    try:
        with spoiled(town, one):
            seen = any(one.said in what for what in told_by(town, one.who))
    except NothingToSpoil:
        return False
    assert seen, f"{one.who} does not see that {one.how.__name__}"
    return True


def test_each_thing_that_is_looked_at_is_spoiled_once() -> None:
    """A new sentence of what may be wrong adds its own to `SPOILED`."""
    modules = {**{trade.__name__: sys.modules[trade.__module__] for trade in TRADES}, "Engine": promises}
    missing = [
        f"{who}: {said}"
        for who, module in modules.items()
        for said in _sentences(ast.parse(inspect.getsource(module)))
        if not any(one.who == who and one.said in said for one in SPOILED)
    ]
    assert missing == []


def _sentences(module: ast.Module) -> Iterator[str]:
    """Each sentence that is yielded, with `…` for what is put in."""
    for node in ast.walk(module):
        said = node.value if isinstance(node, ast.Yield | ast.YieldFrom) else None
        if isinstance(said, ast.GeneratorExp):
            said = said.elt
        if isinstance(said, ast.Constant):
            yield str(said.value)
        elif isinstance(said, ast.JoinedStr) and not _repeats(said):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in said.values)


def _repeats(said: ast.JoinedStr) -> bool:
    """Whether it only says of whom another sentence is: `f"{sku} of {tenant}: {what}"`."""
    last = said.values[-1]
    return isinstance(last, ast.FormattedValue) and isinstance(last.value, ast.Name) and last.value.id == "what"


def test_whose_last_worker_was_killed_hears_of_it_in_the_calm_and_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of five attempts the connections are refused, and the worker of the last is killed: its lease is over later."""
    with redirect_stdout(StringIO()), store() as tables, open_town(tables, 7) as town:
        accounts, groups = Accounts(town), Groups(town)
        town.trades.update({accounts: 1, groups: 1})
        accounts.open()
        town.people_at = town.weather_at = NEVER
        groups._wanted[TENANTS[0]] = Wanted(SHOES, {one.sku: one for one in (size("9"), size("10"))})
        groups.mend()
        job_id = kinds.publish_id(group_owner(TENANTS[0]), SHOES.key)
        town.set_weather(Weather("broken", marketplace=1.0))
        monkeypatch.setattr(storm, "STRIKES", ("refused",))
        _step_until(town, lambda: _attempts(job_id) == (QUEUED, LAST - 1))
        monkeypatch.setattr(storm, "STRIKES", ("killed_before",))
        _step_until(town, lambda: _attempts(job_id) == (LEASED, LAST) and _is_received(town, job_id))
        town.calm()
        assert job_id in [letter["job_id"]["S"] for letter in town.store.items("dead_letters")]
        assert wrong(town) == []


def _step_until(town: Town, done: Callable[[], bool]) -> None:
    while not done():
        town.step()


def _attempts(job_id: str) -> tuple[str, int]:
    job = Job.get(job_id)
    return job.state, job.attempts


def _is_received(town: Town, job_id: str) -> bool:
    """Whether a worker has had the job's message, and has not come to its end."""
    name = job_id.rpartition(":")[2]
    return any(name in message.body and message.received for message in town.queues["work"])
