"""The routes of catalog enrichment: begin it or go on with it, and see how far it is."""

from typing import Annotated

from typing_extensions import TypedDict

from sluice.catalog import enrichment, enrichment_table
from sluice.catalog.enrichment_table import Enrichment
from sluice.catalog.kinds import ENRICH
from sluice.jobs.budgets import ledger
from sluice.jobs.dispatch.explain import MISSING, Gate, Position, Reason, explain, held
from sluice.jobs.model import keys
from sluice.jobs.model.keys import BACKGROUND
from sluice.jobs.model.states import FINAL, QUEUED
from sluice.marketplaces.accounts import table as accounts
from sluice.platform.clock import iso, iso_or_none
from sluice.platform.config import live
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import NotFound, Unavailable
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Among, Time

PATH = "/v1/catalog/enrichment"


class EnrichmentWait(TypedDict):
    """What keeps the jobs of one marketplace waiting. until: null if nobody can know."""

    marketplace: str
    reason: str
    message: str
    until: Time | None


class EnrichmentProgress(TypedDict):
    """How far an enrichment is.

    state: `running` (its jobs are under way), `ready` (they are over; POST goes on), `finished`. products: how many
    waited when it began, at least; done: how many of them are dealt with. waiting, failed: jobs. noAccount: products
    that nobody could be asked for, by the marketplace that you have no working account of.
    """

    state: Annotated[str, Among(("running", "ready", "finished"))]
    startedAt: Time
    finishedAt: Time | None
    products: int
    done: int
    waiting: int
    failed: int
    noAccount: dict[str, int]
    waits: list[EnrichmentWait]


def advance_enrichment(request: HttpRequest[None, None]) -> EnrichmentProgress:
    """Begin an enrichment, or go on with the one that is not finished."""
    return _view(enrichment.advance(request.tenant, request.now, live.current()), request.now)


def get_enrichment(request: HttpRequest[None, None]) -> EnrichmentProgress:
    """How far the caller's last enrichment is."""
    found = enrichment_table.load(request.tenant)
    if found is None:
        raise NotFound(f"no enrichment was begun; POST {PATH} begins one")
    return _view(found, request.now)


def _view(found: Enrichment, now: int) -> EnrichmentProgress:
    states = enrichment.states_of(found)
    waiting = sum(count for state, count in states.items() if state not in FINAL)
    in_window = found.in_window * waiting // len(found.window) if found.window else 0
    state = "finished" if found.finished_at else "running" if waiting else "ready"
    return {
        "state": state,
        "startedAt": iso(found.started_at),
        "finishedAt": iso_or_none(found.finished_at),
        "products": max(found.total, found.seen),
        "done": found.seen - in_window,
        "waiting": waiting,
        "failed": found.failed + sum(states[state] for state in ("dead", "cancelled")),
        "noAccount": found.no_account,
        "waits": _waits(found, now) if waiting else [],
    }


def _waits(found: Enrichment, now: int) -> list[EnrichmentWait]:
    """What holds the jobs of the window back, for each marketplace that it asks."""
    config, waits = live.current(), list[EnrichmentWait]()
    for marketplace in sorted({keys.job_parts(job_id)[1] for job_id in found.window}):
        account = keys.account(marketplace, found.tenant)
        stored = keys.budget(account, by_account=config.limits[marketplace].by_account)
        budget = accounts.budget_of(account, stored)
        usage, status = ledger.read(budget, now), accounts.statuses({account}).get(account, MISSING)
        gate = Gate(account, status, budget, usage)
        wait = explain(Position(QUEUED, now, BACKGROUND), held(gate, ENRICH.name, config, now), gate, config, now)
        if wait.reason is not Reason.READY:
            until = iso_or_none(wait.until)
            waits.append({"marketplace": marketplace, "reason": wait.reason, "message": wait.message, "until": until})
    return waits


ROUTES = (
    Route(
        "POST",
        PATH,
        "Have products that are old or lack a name or a picture looked up again",
        advance_enrichment,
        EnrichmentProgress,
        Permission.CATALOG_ENRICH,
        errors=(Unavailable,),
    ),
    Route(
        "GET",
        PATH,
        "Show how far the enrichment is",
        get_enrichment,
        EnrichmentProgress,
        Permission.CATALOG_ENRICH,
        errors=(NotFound,),
    ),
)
