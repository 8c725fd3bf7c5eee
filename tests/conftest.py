"""What holds for all tests: every job kind is known, the longest go first, and a busy machine makes none fail."""

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, SupportsIndex

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from sluice import capabilities
from sluice.jobs.model import kinds
from sluice.platform.imports import takers
from tests.support.leftovers import Leftovers

# A shell has what a script starts in the background ignore Ctrl-C, and all that comes of it: tests that press it would
# wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# All that tests call is on this machine: what a person's shell says of AWS and of proxies is not for them.
for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
    del os.environ[name]
# Tests are a laptop's; a process that is told nothing has the strictest stage.
os.environ.setdefault("SLUICE_STAGE", "local")
# Metrics are written when a hundred have come together, whichever test counts the last of them.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "test")
kinds.serve(capabilities.kinds(*(one.name for one in capabilities.CAPABILITIES)))
takers.serve(capabilities.takers(*(one.name for one in capabilities.CAPABILITIES)))

# The same code gets the same verdict each time: the examples of a property follow from its source. `make explore` tries
# others. How long it takes to draw them says how busy the machine is (docs/adr/123-the-suite-gives-one-verdict.md).
RANDOM: Final = os.environ.get("SLUICE_RANDOM") == "1"
settings.register_profile(
    "sluice",
    deadline=None,
    derandomize=not RANDOM,
    database=None,
    max_examples=int(os.environ.get("SLUICE_EXAMPLES", "100")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("sluice")

# The files that take longest, longest first. Begun last, one of them would keep one core busy while the others wait.
# Tests on the local cloud wait more than they work: those that work stand between them, so that no core is idle.
LONGEST: Final = (
    *("integration/test_demo.py", "integration/test_least_privilege.py", "integration/test_market.py"),
    *("soak/test_soak.py", "crash/test_crash_points_of_ebay.py"),
    *("integration/test_restore.py", "integration/test_chaos.py", "model/test_model.py"),
    *("integration/test_neighbours.py", "crash/test_crash_points.py", "integration/test_up.py"),
    *("integration/test_configuration.py", "integration/test_commands.py"),
    *("crash/test_crash_points_of_listings.py", "unit/test_lost_answers.py", "api/test_fuzz.py"),
    "crash/test_crash_points_of_goods.py",
)
# Files and folders of heavy proofs. They are marked as `slow`, and `make test-fast` leaves them out.
SLOW: Final = (
    *("crash", "model", "simulation", "soak", "integration"),
    *("api/test_dashboard_browser.py", "api/test_fuzz.py", "api/test_reads.py", "unit/test_lost_answers.py"),
    *("ebay_publish/test_histories.py", "ebay_publish/test_looks.py"),
    *("operations/test_histories.py", "operations/test_restored.py", "webhooks/test_turns.py"),
    *("api/test_actions.py", "api/test_clients.py", "api/test_dashboard_pages.py", "api/test_hostile_requests.py"),
    *("ebay_listings/test_imports.py", "ebay_publish/test_bursts.py", "ebay_publish/test_reports.py"),
    *("market/test_applications.py", "market/test_commands.py", "market/test_limits.py", "market/test_sizes.py"),
    *("market/test_strict.py", "api/test_odd_ids.py", "api/test_prices.py", "operations/test_lost_batches.py"),
    *("operations/test_lost_creates.py", "property/test_rings.py", "unit/test_imports.py"),
    *("api/test_tenants.py", "operations/test_unconfirmed.py", "operations/test_bulk.py", "market/test_enrichment.py"),
    *("market/test_failures.py", "ebay_publish/test_parts_that_were_not_sent.py", "ebay_publish/test_moving_sizes.py"),
    *("ebay_publish/test_every_class.py", "ebay_publish/test_lost_asks.py", "ebay_publish/test_ended_meanwhile.py"),
)
# Files whose tests use one local cloud: one process does them all. Each other would start a cloud of its own.
TOGETHER: Final = (
    (
        *("integration/test_market.py", "integration/test_configuration.py", "integration/test_commands.py"),
        "integration/test_webhooks.py",
    ),
    ("integration/test_restore.py", "integration/test_bus.py", "integration/test_events.py"),
    (
        *("integration/test_races.py", "integration/test_replay_races.py", "integration/test_inventory_races.py"),
        "integration/test_models.py",
    ),
    ("integration/test_operations.py", "integration/test_promotions.py", "integration/test_local_cloud.py"),
)
LEFTOVERS: Final = Leftovers()
# Tests on the local cloud wait for it more than they work: with so many processes more, the cores are busy meanwhile.
WAITING_PROCESSES: Final = 2


def cores() -> int:
    """How many of this machine's cores are ours."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.hookimpl
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many processes `--numprocesses auto` is: a core each, and more where tests wait for the local cloud."""
    folders = [Path(argument).name for argument in config.args]
    return cores() + WAITING_PROCESSES * bool({"tests", "integration"} & set(folders))


class Collected(list[str]):
    """Tests, of which each is found at once: a list looks through all that stand before it."""

    def __init__(self, tests: Iterable[str]) -> None:
        super().__init__(tests)
        self._places = {test: place for place, test in enumerate(self)}

    def index(self, test: str, *_: SupportsIndex) -> int:
        return self._places[test]


class Together(LoadFileScheduling):  # type: ignore[misc]
    """Gives a process whole files, and those that belong `TOGETHER` to one.

    xdist's own looks for each test through all tests, and at each one's end through all that its process has done.
    """

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        super().add_node_collection(node, collection)
        if node in self.registered_collections:
            self.registered_collections[node] = Collected(collection)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        super().mark_test_complete(node, item_index, duration)
        work = self.assigned_work[node]
        share = self._split_scope(self.registered_collections[node][item_index])
        if all(work[share].values()):
            del work[share]


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """What decides which process does which tests, for `--dist loadfile`; xdist's own for any other."""
    return Together(config, log) if config.getoption("dist") == "loadfile" else None


def share_of(nodeid: str) -> str:
    """What one process does of a test's neighbours: the tests with the same share are its."""
    path = Path(nodeid.partition("::")[0])
    return next((group[0] for group in TOGETHER if _name(path) in group), path.as_posix())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first, then the rest of what needs the local cloud; mark what is slow."""
    items.sort(key=lambda item: _place(item.path))
    for item in items:
        if is_slow(item.path):
            item.add_marker(pytest.mark.slow)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where heavy proofs are left out, their files need not be loaded either."""
    return True if config.getoption("markexpr") == "not slow" and is_slow(collection_path) else None


def is_slow(path: Path) -> bool:
    """Whether the tests of this file are heavy proofs."""
    return not {path.parent.name, _name(path)}.isdisjoint(SLOW)


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Each test begins as in a new process: Sluice has counted nothing, marked nothing, and knows no account.

    Which tests a process did before depends on how busy the machine was.
    """
    for forget in _forgets(len(sys.modules)):
        forget()


@lru_cache(maxsize=1)
def _forgets(_modules: int) -> list[Callable[[], None]]:
    """Every `forget` of a module of Sluice, looked up anew when as many modules as these are loaded."""
    loaded = [module for name, module in list(sys.modules.items()) if name.startswith("sluice.")]
    return [forget for module in loaded if callable(forget := getattr(module, "forget", None))]


def pytest_collection_finish() -> None:
    """Know what stands in each part of Sluice before the first test."""
    LEFTOVERS.look()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """A file of tests puts back what it has replaced: else the next one is about something else."""
    if nextitem is None or nextitem.path != item.path:
        replaced = LEFTOVERS.look()
        assert not replaced, f"the tests of {_name(item.path)} have replaced {', '.join(replaced)} and not put it back"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """All that is loaded stays to the end: nobody need look through it for garbage again and again, nor meanwhile."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many breaks the stories of `tests/crash` were given, where they were told."""
    reports = [one for end in ("passed", "failed") for one in terminalreporter.getreports(end)]
    made = [number for one in reports for name, number in one.user_properties if name == "breaks"]
    if made:
        terminalreporter.write_line(f"breaks made in the stories of tests/crash: {sum(made)}")


def _place(path: Path, longest: Sequence[str] = LONGEST) -> int:
    if (name := _name(path)) in longest:
        return longest.index(name)
    return len(longest) if "integration" in path.parts else len(longest) + 1
