"""The pages, each a function from a visit to what it shows. None of them reads a table: they ask the API."""

from collections.abc import Callable, Mapping
from typing import Final

from sluice.dashboard.pages import actions, budgets, deployment, jobs, letters, overview, pauses
from sluice.dashboard.visit import Page, Redirect, Visit

# By method and path. Ids stand in the query: some hold a `/`, which a gateway decodes in a path.
PAGES: Final[Mapping[str, Callable[[Visit], Page | Redirect]]] = {
    "GET /dashboard": overview.show,
    "GET /dashboard/jobs": jobs.show_all,
    "GET /dashboard/job": jobs.show_one,
    "GET /dashboard/dead-letters": letters.show_all,
    "GET /dashboard/budgets": budgets.show_all,
    "GET /dashboard/budget": budgets.show_one,
    "GET /dashboard/accounts": budgets.show_accounts,
    "GET /dashboard/actions": actions.show_all,
    "GET /dashboard/action": actions.show_one,
    "POST /dashboard/actions": actions.do,
    "POST /dashboard/actions/count": actions.count,
    "POST /dashboard/action/stop": actions.stop,
    "GET /dashboard/pauses": pauses.show_all,
    "POST /dashboard/pauses": pauses.pause,
    "POST /dashboard/pauses/resume": pauses.resume,
    "GET /dashboard/calls": deployment.show_calls,
    "GET /dashboard/runs": deployment.show_runs,
    "GET /dashboard/tenants": deployment.show_tenants,
}
