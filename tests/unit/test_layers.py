"""The rules that keep the package in layers, read from its source: an import inside a function counts too."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from sluice.capabilities import CAPABILITIES, LAYERS
from tests.support.source import nodes

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "shared" / "sluice"

# Read models: they see the engine and the marketplaces, and nothing sees them but the API's handlers.
READERS = {"operator"}

# Rules that are tested with thousands of cases, because they touch nothing: no AWS, no HTTP, no clock, no chance.
PURE = {
    "platform/addresses.py",
    "platform/config/ebay.py",
    "platform/config/engine.py",
    "platform/config/limits.py",
    "platform/config/pauses.py",
    "platform/config/listings.py",
    "platform/config/pages.py",
    "platform/config/prices.py",
    "platform/config/promotions.py",
    "platform/config/section.py",
    "platform/config/services.py",
    "platform/config/tenants.py",
    "platform/days.py",
    "platform/html_guard.py",
    "platform/money.py",
    "platform/unicode_text.py",
    "jobs/dispatch/admission.py",
    "jobs/model/backoff.py",
    "jobs/model/candidate.py",
    "jobs/budgets/pace.py",
    "jobs/budgets/blocks.py",
    "jobs/budgets/rings.py",
    "jobs/budgets/shares.py",
    "jobs/budgets/windows.py",
    "jobs/dispatch/explain.py",
    "jobs/model/history.py",
    "jobs/model/keys.py",
    "jobs/dispatch/fair_order.py",
    "jobs/model/outcomes.py",
    "jobs/model/redaction.py",
    "jobs/model/states.py",
    "listings/ebay/description.py",
    "listings/ebay/desired.py",
    "listings/ebay/documents.py",
    "listings/ebay/hashes.py",
    "listings/ebay/projection.py",
    "marketplaces/ebay/ad_errors.py",
    "marketplaces/ebay/meanings.py",
    "marketplaces/http/errors.py",
    "notifications/changes.py",
    "notifications/hours.py",
    "notifications/operator_mail.py",
    "notifications/rates.py",
    "notifications/texts.py",
    "operator/measures.py",
    "pages/alerts.py",
    "pages/answers.py",
    "pages/charset.py",
    "pages/facts.py",
    "pages/money_text.py",
    "pages/reading.py",
    "pages/readers/loose_json.py",
    "pages/urls.py",
    "pages/wanted.py",
    "feed/bus_events.py",
    "webhooks/bodies.py",
    "webhooks/standing.py",
    "webhooks/targets.py",
}
# One idea fills each of these, and would be harder to read in two places.
LONG = {
    "jobs/queue/finish.py",
    "listings/stockx/batch_follow.py",
    "listings/stockx/follow.py",
    "listings/stockx/request.py",
    "listings/stockx/settle.py",
}
IMPURE_LIBRARIES = {"boto3", "botocore", "pynamodb", "httpx", "time", "random", "os", "threading", "secrets", "uuid"}
IMPURE_CALLS = {"now", "utcnow", "today", "time", "time_ns", "monotonic"}

# Where HTTP leaves Sluice. Another place is added here knowingly, with its own limits on what it may reach.
SEAMS = {"dashboard/issuer.py", "marketplaces/http/transport.py", "pages/fetch.py", "webhooks/client.py"}

# What changes an item through its model. PynamoDB's readers are not among them.
WRITERS = {"save", "update", "delete", "put", "batch_write", "create_table", "delete_table"}


@dataclass(frozen=True)
class Import:
    """One import: the module that is named, and whether it is for the type checker alone."""

    module: str
    names: tuple[str, ...]
    typing_only: bool
    line: int


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def handlers() -> list[Path]:
    return sorted((ROOT / "functions").glob("*/*.py"))


@cache
def imports(path: Path) -> Sequence[Import]:
    """Every import of the file, wherever it stands."""
    return list(_imports(path))


def _imports(path: Path) -> Iterator[Import]:
    guarded = {
        id(inner)
        for node in nodes(path)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in nodes(path):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, (), id(node) in guarded, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield Import(str(node.module), tuple(alias.name for alias in node.names), id(node) in guarded, node.lineno)


def parts(found: Import) -> Iterator[str]:
    """The layers that an import reaches into: `from sluice import jobs` names one as well."""
    if found.module == "sluice":
        yield from found.names
    elif found.module.startswith("sluice."):
        yield found.module.split(".")[1]


def layer(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def may_import(own: str) -> set[str]:
    """The folders that code in the folder `own` may import: the layers below it, and what its row in the list names."""
    below = LAYERS[: LAYERS.index(own)] if own in LAYERS else LAYERS
    named = {other for one in CAPABILITIES if one.name.split(".")[0] == own for other in one.imports}
    # The list itself is names and paths, and imports nothing.
    return {own, *below, *(other.split(".")[0] for other in named), "capabilities"}


@pytest.mark.parametrize("path", sources(), ids=name)
def test_imports_point_one_way(path: Path) -> None:
    own = layer(path)
    reached = {(part, found.line) for found in imports(path) for part in parts(found)}
    wrong = [f"line {line}: {own} imports {part}" for part, line in sorted(reached) if part not in may_import(own)]
    # The readers show what capabilities keep; they are imported by none.
    if own in READERS:
        wrong = [problem for problem in wrong if problem.split()[-1] in READERS]
    assert not wrong


def test_the_list_of_capabilities_imports_none_of_them() -> None:
    assert not [found for found in imports(PACKAGE / "capabilities.py") if found.module.startswith("sluice")]


@pytest.mark.parametrize("path", handlers(), ids=lambda path: str(path.relative_to(ROOT)))
def test_handlers_are_the_top(path: Path) -> None:
    assert not [
        found
        for found in imports(path)
        if found.module.split(".")[0] in ("functions", "local", "sluice_command", "tests")
    ]


def test_no_module_imports_itself_through_others() -> None:
    """Not even for the type checker: of two modules that need each other, neither can be read first."""
    modules = {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path for path in sources()}
    arrows = {
        module: {
            named
            for found in imports(path)
            for named in (found.module, *(f"{found.module}.{one}" for one in found.names))
            if named in modules
        }
        for module, path in modules.items()
    }
    settled = set[str]()
    while ready := {module for module in arrows if module not in settled and arrows[module] <= settled}:
        settled |= ready
    assert not arrows.keys() - settled, "these import each other, or what does"


def test_nothing_below_imports_a_handler_or_the_laptop() -> None:
    outside = {"functions", "local", "sluice_command", "tests", "bench"}
    assert not [
        f"{name(path)}:{found.line}"
        for path in sources()
        for found in imports(path)
        if found.module.split(".")[0] in outside
    ]


def test_the_engine_knows_no_marketplace() -> None:
    """Not by import, and not by name: a marketplace is a word that comes in from outside."""
    named = {"stockx", "alias", "ebay"}
    for path in sorted((PACKAGE / "jobs").rglob("*.py")):
        # `from x import y as z` is no string; what is looked for are words that code would compare with.
        literals = {
            str(node.value).lower()
            for node in nodes(path)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value
        }
        assert not literals & named, f"{name(path)} names a marketplace"


def test_only_the_engine_writes_jobs_budgets_and_lanes() -> None:
    models = {"Job", "Budget", "Lane"}
    for path in sources() + handlers():
        if path.is_relative_to(PACKAGE / "jobs"):
            continue
        for node in nodes(path):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr not in WRITERS:
                continue
            owner = node.func.value
            through = {owner.id} if isinstance(owner, ast.Name) else set()
            through |= {argument.id for argument in node.args if isinstance(argument, ast.Name)}
            assert not through & models, f"{path}:{node.lineno} writes {sorted(through & models)} past the engine"


def test_clock_and_configuration_go_down_as_one() -> None:
    apart = [
        f"{path}:{node.lineno} {node.name}"
        for path in sources() + handlers()
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef)
        and {"clock", "config"} <= {one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
    ]
    assert not apart, "these take clock and config: one Context says both"


def test_no_dispatcher_stands_on_anothers_inside() -> None:
    """What the scheduler, the poller and the punctual worker share is a round, which knows none of them."""
    dispatchers = {"scheduler", "poller", "punctual"}
    for path in sorted((PACKAGE / "jobs").rglob("*.py")):
        for found in imports(path):
            reached = {found.module, *(f"{found.module}.{one}" for one in found.names)}
            named = {one for one in dispatchers if f"sluice.jobs.dispatch.{one}" in reached}
            assert not named, f"{name(path)}:{found.line} imports {sorted(named)}"


def test_capabilities_ask_for_work_through_one_door() -> None:
    """Budget, lanes, the record of the request and the nudge come with it, so nobody can forget one."""
    past = {
        "sluice.jobs.model.job": {"Spec"},
        "sluice.jobs.queue.enqueue": {"enqueue", "enqueue_many"},
        "sluice.jobs.model.requests": {"record"},
        "sluice.jobs.model": {"requests"},
        "sluice.jobs.queue": {"enqueue", "nudge"},
    }
    readers = {"promotions/listing.py"}  # which only asks under which key a tenant's requests stand
    wrong = [
        f"{name(path)}:{found.line} imports {word} from {found.module}"
        for path in sources() + handlers()
        if not path.is_relative_to(PACKAGE / "jobs")
        for found in imports(path)
        for word in past.get(found.module, set()) & set(found.names)
        if not (word == "requests" and path.is_relative_to(PACKAGE) and name(path) in readers)
    ]
    assert not wrong


def test_there_is_one_value_for_a_refusal() -> None:
    """Refused when asking is `Refused`; failed when running is a `Failure`."""
    made = [
        f"{path}:{node.lineno} {node.name}"
        for path in sources()
        for node in nodes(path)
        if isinstance(node, ast.ClassDef) and node.name.strip("_") in {"Refused", "Refusal", "Problem"}
    ]
    assert [place.split()[-1] for place in made] == ["Refused"], made


@pytest.mark.parametrize("file", sorted(PURE))
def test_pure_rules_touch_nothing(file: str) -> None:
    path = PACKAGE / file
    for found in imports(path):
        if not found.typing_only:
            assert found.module.split(".")[0] not in IMPURE_LIBRARIES, f"{file}:{found.line} imports {found.module}"
    for node in nodes(path):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in IMPURE_CALLS, f"{file}:{node.lineno} reads a clock"


def test_pure_rules_stand_on_pure_rules() -> None:
    """Also through what they import: settings and configuration are values, read elsewhere."""
    values = {"sluice.platform.clock", "sluice.platform.config.document"}
    pure = {"sluice." + file.removesuffix(".py").replace("/", ".") for file in PURE}
    for file in PURE:
        for found in imports(PACKAGE / file):
            if found.module.startswith("sluice") and not found.typing_only:
                named = {found.module} | {f"{found.module}.{one}" for one in found.names}
                assert named & (pure | values), f"{file}:{found.line} imports {found.module}, which is not pure"


def test_one_place_makes_http_clients() -> None:
    makers = {"Client", "AsyncClient", "get", "post", "put", "request", "stream"}
    for path in sources() + handlers():
        if path in {PACKAGE / seam for seam in SEAMS}:
            continue
        for node in nodes(path):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used = (node.value.id, node.attr)
                assert used[0] != "httpx" or used[1] not in makers, f"{path}:{node.lineno} uses httpx.{used[1]}"
        for found in imports(path):
            assert found.module not in ("requests", "aiohttp", "urllib.request"), f"{path}:{found.line}"
            assert found.module != "httpx" or not set(found.names) & makers, f"{path}:{found.line}"


@pytest.mark.parametrize("path", handlers(), ids=lambda path: str(path.relative_to(ROOT)))
def test_handlers_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 80


@pytest.mark.parametrize("path", sources(), ids=name)
def test_files_are_small(path: Path) -> None:
    most = 400 if name(path) in LONG else 300
    assert len(path.read_text(encoding="utf-8").splitlines()) <= most
