"""The job item, which is its own queue entry: table `jobs`, its index, and what a caller asks for."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from sluice.jobs.model import keys
from sluice.jobs.model.history import Entry
from sluice.platform import tables
from sluice.platform.attributes import IntAttribute

# Raised when a job's stored form changes so that older code would misread it.
VERSION = 1

# How many askers a shared job remembers. Who asks after that shares the job's work and price, but does not see the job.
MOST_ASKERS = 50

# What of a payload counts for one tenant alone: since when what is known is not good enough, and for whom. A job that
# waits takes it on from its payer.
FORCE = ("force", "forced_by")

# What the index shows of a job.
INDEXED = ["state", "calls", "tenant", "kind", "account", "priority", "created_at"]


class Unreadable(Exception):  # noqa: N818 - what it is
    """The stored item is not a job that this version of Sluice can read; `str()` says what is wrong with it."""


class DueIndex(GlobalSecondaryIndex["Job"]):  # type: ignore[no-untyped-call]
    """Index of unfinished jobs by lane, ordered by due time. Sparse: a final job has no lane."""

    class Meta:
        index_name = "due"
        projection = IncludeProjection(INDEXED)

    lane = UnicodeAttribute(hash_key=True)
    due_at = IntAttribute(range_key=True)


class Job(tables.Table):
    """One piece of work. Times are epoch ms; `expires_at` is in seconds for DynamoDB's TTL.

    lease: raised by each claim; every write of a run is conditional on it.
    calls: marketplace calls that a run is expected to make.
    tenant: whose account pays for them.
    tenants: who may see the job.
    askers: who asked for the present run, and hears what becomes of it; left out where that is `tenant` alone.
    priorities: those of the other askers, where they differ from `priority` (see `urgency`).
    rerun, rerun_payload: the priority of a request that came while the job ran, and what that run is to do, where it
        differs.
    rerun_askers, rerun_priorities: who asked for it, and as `priorities`.
    rerun_payer: the tenant that pays for it. rerun_held: its account could not run it when it asked.
    counted: the tenant in whose counts the job is, where it went over to another.
    begun: the marketplace may have been asked for something that must not be done twice.
    reserved: calls reserved for the last claim.
    letter: the key of the dead letter that the job was last replayed from.
    ask_token, claim_token, end_token, cancel_token: of the last write of that purpose (see `tables`); claim_token: the
        batch that it was claimed for.
    """

    class Meta:
        table_name = tables.name("jobs")

    job_id = UnicodeAttribute(hash_key=True)
    due = DueIndex()
    kind = UnicodeAttribute()
    state = UnicodeAttribute()
    lane = UnicodeAttribute(null=True)
    due_at = IntAttribute(null=True)
    lease = IntAttribute(default=0)
    attempts = IntAttribute(default=0)
    priority = IntAttribute()
    tenant = UnicodeAttribute()
    tenants = UnicodeSetAttribute(null=True)
    account = UnicodeAttribute()
    budget = UnicodeAttribute()
    calls = IntAttribute(default=1)
    payload = JSONAttribute()
    result = JSONAttribute(null=True)
    error = JSONAttribute(null=True)
    history = JSONAttribute(null=True)
    priorities = JSONAttribute(null=True)
    rerun = IntAttribute(null=True)
    rerun_payload = JSONAttribute(null=True)
    askers = UnicodeSetAttribute(null=True, attr_name="for")
    rerun_askers = UnicodeSetAttribute(null=True)
    rerun_payer = UnicodeAttribute(null=True)
    rerun_priorities = JSONAttribute(null=True)
    rerun_held = BooleanAttribute(null=True)
    counted = UnicodeAttribute(null=True)
    begun = BooleanAttribute(null=True)
    reserved = IntAttribute(null=True)
    letter = UnicodeAttribute(null=True)
    # By short names: below a kilobyte, where a write costs one unit, each byte counts.
    ask_token = UnicodeAttribute(null=True, attr_name="ask")
    claim_token = UnicodeAttribute(null=True, attr_name="batch")
    end_token = UnicodeAttribute(null=True, attr_name="end")
    cancel_token = UnicodeAttribute(null=True, attr_name="cancel")
    created_at = IntAttribute()
    updated_at = IntAttribute()
    version = IntAttribute(default=VERSION)
    expires_at = IntAttribute(null=True)

    def asked_by(self) -> set[str]:
        """Who asked for the present run."""
        return set(self.askers or {self.tenant})

    def home(self, shards: int) -> str:
        """The lane in which this job waits while it is queued."""
        return keys.lane(self.budget, self.account, self.priority, self.job_id, shards)

    def priority_for(self, tenant: str) -> int:
        """The priority with which `tenant`, who asked for the present run, wants it."""
        return int((self.priorities or {}).get(tenant, self.priority))


# What every job has.
REQUIRED = [name for name, attribute in Job.get_attributes().items() if not attribute.null]


def read(raw: dict[str, Any], names: Iterable[str] = REQUIRED) -> Job:
    """The job that is stored as `raw` and must have the attributes `names`.

    Raises:
        Unreadable: it is none.
    """
    try:
        job = Job.from_raw_data(raw)
    except Exception as error:
        raise Unreadable(f"the item cannot be read: {type(error).__name__}: {error}") from error
    missing = [name for name in names if getattr(job, name) is None]
    if missing:
        raise Unreadable(f"the item has no {', '.join(missing)}")
    return job


class Origin(NamedTuple):
    """The dead letter that a job is replayed from: its key, its timeline, and whether that run had begun."""

    letter: str
    history: list[Entry]
    begun: bool


@dataclass(frozen=True)
class Spec:
    """What somebody asks for.

    job_id: the work's natural identity. budget: what its calls are charged to. calls: how many it is expected to make.
    shared: the work is common knowledge, so that whoever may run it can take it over. replace: a later request says
    what to do instead of an earlier one that waits. kept: what of the earlier one's payload holds where the later says
    nothing of it. due_at: not before (epoch ms). origin: the job is a replay, and goes on with what its letter knows.
    """

    job_id: str
    kind: str
    tenant: str
    account: str
    budget: str
    priority: int
    payload: dict[str, Any]
    calls: int = 1
    due_at: int = 0
    shared: bool = False
    replace: bool = False
    kept: frozenset[str] = frozenset()
    lane_shards: int = field(default=1)
    origin: Origin | None = None
