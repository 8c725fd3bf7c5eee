"""What Sluice can do: the one list of capabilities, each with its job kinds, routes and events.

Everything in it is a name or a path. A function that reads the list loads nothing of what it does not use, and anybody
may import it. `tests/unit/test_capabilities.py` compares it with the code.

```
 platform ◄── jobs ◄── marketplaces ◄── catalog ◄── prices ◄── the other capabilities ◄── functions/*/handler.py
```
An arrow is an import. A layer imports those to its left; a capability imports the layers, and of the other capabilities
those that its row names.
"""

from collections.abc import Mapping
from typing import NamedTuple

# Each imports those before it, and no others.
LAYERS = ("platform", "jobs", "marketplaces", "catalog", "prices")


class Capability(NamedTuple):
    """One capability, or a layer that has jobs, routes or events of its own.

    name: its folder below `sluice`, with a point for a folder in a folder.
    kinds: the names of its job kinds; its module `kinds` declares them in `KINDS`.
    routes: its modules that declare routes, each in `ROUTES`.
    events: the types of the events that it tells.
    imports: the capabilities that it may import besides the layers.
    routine: those of its job kinds whose jobs come in numbers, and whose success is no news by itself.
    takes: the kind of rows of files that it stores; its module `imported` does, in `take` (see `platform.imports`).
    """

    name: str
    kinds: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    takes: str = ""
    routine: tuple[str, ...] = ()


CAPABILITIES = (
    Capability("jobs", events=("job.succeeded", "job.dead", "job.cancelled")),
    Capability("marketplaces", routes=("accounts.api",), events=("account.broken",)),
    Capability("catalog", kinds=("catalog.enrich",), routes=("api",), routine=("catalog.enrich",)),
    Capability("prices", kinds=("market.refresh",), routes=("api",), routine=("market.refresh",)),
    Capability(
        "listings.stockx",
        kinds=(
            "listing.create",
            "listing.update",
            "listing.delete",
            "listing.activate",
            "listing.deactivate",
            "listing.batch",
            "listing.check",
        ),
        routes=("api", "bulk_api"),
        events=("listing.changed", "listing.live"),
        routine=("listing.check",),
    ),
    Capability(
        "listings.ebay",
        kinds=(
            "listing.publish",
            "seller.policies",
            "seller.locations",
            "listing.compare",
            "listing.report",
            "category.read",
        ),
        routes=(
            "api",
            "bulk_api",
            "import_api",
            "snapshots_api",
            "dry_run_api",
            "draft_api",
            "sync_api",
            "sync_log_api",
            "operator_api",
            "check_api",
            "groups_api",
            "group_past_api",
        ),
        events=("listing.drift", "listing.sold", "listing.ended", "listing.on_hold"),
        imports=("promotions", "inventory"),
        takes="ebay",
        routine=("seller.policies", "seller.locations", "listing.compare", "listing.report", "category.read"),
    ),
    Capability("inventory", routes=("api", "bulk_api", "import_api"), takes="inventory"),
    Capability("promotions", kinds=("promotion.create",), routes=("api",)),
    Capability(
        "pages",
        kinds=("page.check",),
        routes=("api", "operator_api"),
        events=("page.price_dropped", "page.back_in_stock", "page.variant_gone", "page.unreadable"),
        routine=("page.check",),
    ),
    Capability("feed", routes=("api",)),
    Capability("webhooks", routes=("api",), events=("webhook.disabled",), imports=("feed",)),
    Capability(
        "notifications",
        routes=("api",),
        events=("failures.high", "summary.daily"),
        imports=("feed", "inventory", "operator"),
    ),
    Capability(
        "operator",
        kinds=("operator.action",),
        routes=(
            "api",
            "dead_letters_api",
            "overview_api",
            "jobs_api",
            "work_api",
            "budgets_api",
            "deployment_api",
            "actions_api",
            "pauses_api",
            "configuration_api",
            "what_if_api",
            "metrics_api",
            "run_api",
        ),
    ),
    Capability("dashboard"),
)

# Where the routes of the whole API are declared.
ROUTE_MODULES = tuple(f"sluice.{one.name}.{module}" for one in CAPABILITIES for module in one.routes)
# Every job kind.
KINDS = tuple(kind for one in CAPABILITIES for kind in one.kinds)
# Every type of event, as webhooks and the bus name it.
EVENTS = tuple(event for one in CAPABILITIES for event in one.events)
# Every job kind whose success is no news by itself.
ROUTINE = frozenset(kind for one in CAPABILITIES for kind in one.routine)


def kinds(*names: str) -> Mapping[str, str]:
    """The job kinds of the capabilities called `names`, each with the module that declares it."""
    return {kind: f"sluice.{one.name}.kinds" for one in CAPABILITIES if one.name in names for kind in one.kinds}


def takers(*names: str) -> Mapping[str, str]:
    """The kinds of rows of files that the capabilities called `names` store, each with the module that does."""
    return {one.takes: f"sluice.{one.name}.imported" for one in CAPABILITIES if one.takes and one.name in names}
