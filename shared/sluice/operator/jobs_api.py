"""The routes of jobs, dead letters and accounts as whoever operates Sluice sees them: its tenant's, or everybody's."""

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from sluice.capabilities import KINDS
from sluice.jobs.model import keys
from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import ALL as STATES
from sluice.jobs.queue import cancel
from sluice.marketplaces import registry
from sluice.marketplaces.accounts import views as account_views
from sluice.marketplaces.accounts.table import Account, Status
from sluice.operator import counts, dead_letters, scope, search, tenants, views
from sluice.operator import jobs as one_job
from sluice.operator.dead_letters import DeadLetterSummary
from sluice.operator.overview_api import OfTenant
from sluice.platform.config import live
from sluice.platform.config.services import LIMITS, MARKETPLACES
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import NotFound
from sluice.platform.http.models import Moment, OneOf, PageQuery, Query, Spelled, Text
from sluice.platform.http.moments import between
from sluice.platform.http.paging import Page, Place
from sluice.platform.http.routing import HttpRequest, Route

Account_ = Annotated[
    str,
    Spelled(r"^[a-z-]{1,32}:[a-z0-9.-]{1,253}$", "must be a marketplace and the name of a tenant, as in `stockx:NAME`"),
    Field(description="for example `stockx:acme`"),
]


class JobFilter(Query):
    """Which jobs are meant. All filters must match."""

    state: Annotated[str, OneOf(tuple(sorted(STATES)))] | None = None
    kind: Annotated[str, OneOf(KINDS)] | None = None
    marketplace: Annotated[str, OneOf((*MARKETPLACES, "pages"))] | None = None
    account: Account_ | None = None
    sku: Text | None = Field(None, description="how the SKU begins, in any case")
    code: Text | None = Field(None, description="the error's code, for example `unavailable`")
    text: Text | None = Field(None, description="what the id, the payload or the error's message holds, in any case")
    since: Moment | None = Field(None, alias="from", description="not asked for before this time (RFC 3339)")
    until: Moment | None = Field(None, alias="to", description="asked for before this time")

    def filter(self) -> search.Filter:
        """The same as a rule.

        Raises:
            Invalid: a time is none, or they are the wrong way round.
        """
        since, until = between(self.since, self.until)
        sku = self.sku.upper() if self.sku else None
        return search.Filter(
            self.state, self.kind, self.marketplace, self.account, sku, self.code, self.text, since, until
        )


class FindJobsQuery(JobFilter, OfTenant, PageQuery):
    """Which jobs to list. All filters must match."""


class JobQuery(OfTenant):
    """Whose job."""


class AnyDeadLettersQuery(OfTenant, PageQuery):
    """Which dead letters to list. All filters must match."""

    status: Annotated[str, OneOf(dead_letters.STATUSES)] | None = None
    kind: Annotated[str, OneOf(KINDS)] | None = None
    code: Text | None = Field(None, description="the error's code, for example `unavailable`")
    marketplace: Annotated[str, OneOf(tuple(LIMITS))] | None = None
    since: Moment | None = Field(None, alias="from", description="not dead before this time (RFC 3339)")
    until: Moment | None = Field(None, alias="to", description="dead before this time")


class PageOfTenants(OfTenant, PageQuery):
    """A page of what tenants have a few of: it ends behind the tenant whose last it shows."""


class OperatorJob(views.JobSummary):
    """A job, with the tenant that asked for it and the account that it runs through, where that is the tenant's own."""

    tenant: str
    account: str | None


class OperatorJobDetail(views.JobDetail):
    """A job with its timeline and what it waits for."""

    tenant: str
    account: str | None


class OperatorJobs(TypedDict):
    """A page of jobs: by tenant, newest request first. It may be short and not the last."""

    jobs: list[OperatorJob]
    next: str | None


class OperatorDeadLetter(DeadLetterSummary):
    """A dead letter, with its tenant."""

    tenant: str


class OperatorDeadLetters(TypedDict):
    """A page of dead letters: by tenant, newest first. It may be short and not the last."""

    deadLetters: list[OperatorDeadLetter]
    next: str | None


class OperatorAccount(account_views.AccountView):
    """An account, with its tenant."""

    tenant: str


class OperatorAccounts(TypedDict):
    """A page of accounts, by tenant."""

    accounts: list[OperatorAccount]
    next: str | None


def find_jobs(request: HttpRequest[None, FindJobsQuery]) -> OperatorJobs:
    """Jobs of every kind."""
    query, config = request.query, live.current()
    found = search.page(scope.owner(request, query.tenant), query.filter(), query.limit, query.cursor)
    rows: list[OperatorJob] = [
        {**views.summary(job, tenant, config), "tenant": tenant, "account": _account(job, tenant)}
        for tenant, job in found.rows
    ]
    return {"jobs": rows, "next": found.next}


def find_job(request: HttpRequest[None, JobQuery]) -> OperatorJobDetail:
    """One job, with why it waits."""
    owner, config = scope.owner(request, request.query.tenant), live.current()
    found = cancel.find_by_path(request.path["job_id"], None if owner == counts.ALL else owner)
    if found is None:
        raise NotFound.of("job", "jobId")
    tenant = found.tenant if owner == counts.ALL else owner
    shown = views.detail(found, one_job.why(found, request.now, config), tenant, config)
    return {**shown, "tenant": tenant, "account": _account(found, tenant)}


def find_dead_letters(request: HttpRequest[None, AnyDeadLettersQuery]) -> OperatorDeadLetters:
    """Dead letters."""
    query = request.query
    since, until = between(query.since, query.until)
    wanted = dead_letters.Filter(query.kind, query.code, query.marketplace, query.status, since, until)

    def read(tenant: str, limit: int, start: Place | None) -> Page[DeadLetter]:
        return dead_letters.page(tenant, wanted, limit, start)

    found = search.walk(scope.owner(request, query.tenant), query.limit, query.cursor, read, dead_letters.KEY)
    letters: list[OperatorDeadLetter] = [{**dead_letters.summary(one), "tenant": tenant} for tenant, one in found.rows]
    return {"deadLetters": letters, "next": found.next}


def find_accounts(request: HttpRequest[None, PageOfTenants]) -> OperatorAccounts:
    """Connections to marketplaces, and whether they work."""
    query = request.query
    found = search.walk(
        scope.owner(request, query.tenant), query.limit, query.cursor, _accounts_of, tenants=tenants.names
    )
    shown: list[OperatorAccount] = [{**account_views.view(one), "tenant": tenant} for tenant, one in found.rows]
    return {"accounts": shown, "next": found.next}


def _accounts_of(tenant: str, _: int, __: Place | None) -> Page[Account]:
    names = [keys.account(marketplace, tenant) for marketplace in registry.MARKETPLACES]
    connected = (account for account in Account.batch_get(names) if account.status != Status.DISCONNECTED)
    return Page(sorted(connected, key=lambda account: account.account))


def _account(job: Job, tenant: str) -> str | None:
    return job.account if job.tenant == tenant else None


_BASE, _READ = "/v1/operator", Permission.OPERATE_READ
ROUTES: tuple[Route[Any, Any], ...] = (
    Route("GET", f"{_BASE}/jobs", "Find jobs of every kind", find_jobs, OperatorJobs, _READ, query=FindJobsQuery),
    Route(
        "GET",
        f"{_BASE}/jobs/{{job_id}}",
        "Show a job, whoever's it is, and why it waits",
        find_job,
        OperatorJobDetail,
        _READ,
        query=JobQuery,
    ),
    Route(
        "GET",
        f"{_BASE}/dead-letters",
        "Find dead letters",
        find_dead_letters,
        OperatorDeadLetters,
        _READ,
        query=AnyDeadLettersQuery,
    ),
    Route("GET", f"{_BASE}/accounts", "List accounts", find_accounts, OperatorAccounts, _READ, query=PageOfTenants),
)
