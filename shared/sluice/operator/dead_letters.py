"""A tenant's dead letters, newest first, as the API shows them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from typing_extensions import TypedDict

from sluice.jobs.model import keys
from sluice.jobs.model.dead_letters import DeadLetter, is_unreadable
from sluice.jobs.model.job import Job
from sluice.jobs.model.redaction import fields
from sluice.operator import views
from sluice.operator.views import JobError, JobEvent, Priority
from sluice.platform.clock import iso, iso_or_none
from sluice.platform.http import paging, public_ids
from sluice.platform.http.paging import Page, Place
from sluice.platform.http.shapes import Time

# Most letters that a dry run of a bulk replay counts.
MOST_COUNTED = 1_000

OPEN, REPLAYED, ACKNOWLEDGED = "open", "replayed", "acknowledged"
STATUSES = (OPEN, REPLAYED, ACKNOWLEDGED)

KEY = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#(?s:.+)#\d+"


class DeadLetterSummary(TypedDict):
    """A dead job in a list. status: `open`, `replayed` or `acknowledged`. `payload` says what it was to do."""

    id: str
    status: str
    jobId: str
    kind: str
    marketplace: str
    priority: Priority
    attempts: int
    error: JobError
    payload: dict[str, Any]
    createdAt: Time
    diedAt: Time
    replayedAt: Time | None
    replayedBy: str | None
    acknowledgedAt: Time | None
    acknowledgedBy: str | None


class DeadLetterDetail(DeadLetterSummary):
    """A dead job with its timeline."""

    history: list[JobEvent]


@dataclass(frozen=True)
class Filter(paging.Filter):
    """Which letters are wanted. since, until: when they died, epoch ms; until is not included."""

    kind: str | None = None
    code: str | None = None
    marketplace: str | None = None
    status: str | None = None
    since: int | None = None
    until: int | None = None

    def matches(self, letter: DeadLetter) -> bool:
        """Whether the letter is wanted, whenever it died."""
        return self.allows(
            kind=letter.kind,
            code=letter.error["code"],
            marketplace=keys.marketplace_of(letter.account),
            status=status(letter),
        )


def page(tenant: str, wanted: Filter, limit: int, start: Place | None) -> Page[DeadLetter]:
    """Up to `limit` letters from `start` on. A page may be short, or empty, and not the last."""
    letters: list[DeadLetter] = []
    for number, letter in enumerate(_read(tenant, wanted, start.key if start else None, limit + 1)):
        if len(letters) == limit or number == paging.most_read(limit):
            return Page(letters, Place(letter.dead_letter))
        if wanted.matches(letter):
            letters.append(letter)
    return Page(letters)


def _read(tenant: str, wanted: Filter, start: str | None, at_once: int) -> Iterator[DeadLetter]:
    """What died in the time that is wanted, newest first. A key begins with the time, and `~` ends any time."""
    lowest = iso(wanted.since) if wanted.since is not None else "0"
    highest = min(iso(wanted.until) if wanted.until is not None else "~", start or "~")
    if lowest <= highest:
        between = DeadLetter.dead_letter.between(lowest, highest)
        yield from DeadLetter.query(tenant, between, scan_index_forward=False, consistent_read=True, page_size=at_once)


def find(tenant: str, key: str) -> DeadLetter | None:
    """The tenant's letter with this key."""
    try:
        return DeadLetter.get(tenant, key, consistent_read=True)
    except DeadLetter.DoesNotExist:
        return None


def of_job(tenant: str, job: Job) -> DeadLetter | None:
    """The tenant's letter of the death of which `job`, which is dead, tells."""
    died_at = int((job.error or {}).get("at", job.updated_at))
    return find(tenant, f"{iso(died_at)}#{job.job_id}#{job.lease}")


def status(letter: DeadLetter) -> str:
    """The one word for what has been done about it."""
    if letter.replayed_at is not None:
        return REPLAYED
    return ACKNOWLEDGED if letter.acknowledged_at is not None else OPEN


def public_id(key: str) -> str:
    """A letter's key as it stands in a URL's path."""
    return public_ids.encode(key)


def key_of(public: str) -> str | None:
    """The key that `public_id` made this of; None if it made none."""
    return public_ids.decode(public, KEY)


def summary(letter: DeadLetter) -> DeadLetterSummary:
    """`letter` as its tenant sees it in a list."""
    return {
        "id": public_id(letter.dead_letter),
        "status": status(letter),
        "jobId": letter.job_id,
        "kind": letter.kind,
        "marketplace": keys.marketplace_of(letter.account),
        "priority": keys.priority_name(letter.priority),
        "attempts": letter.attempts,
        "error": views.problem(letter.error, letter.tenant),
        # An item that is no job is shown to nobody: it may hold anything, another tenant's name too.
        "payload": {} if is_unreadable(letter.error) else fields(letter.payload),
        "createdAt": iso(letter.created_at),
        "diedAt": iso(letter.died_at),
        "replayedAt": iso_or_none(letter.replayed_at),
        "replayedBy": letter.replayed_by,
        "acknowledgedAt": iso_or_none(letter.acknowledged_at),
        "acknowledgedBy": letter.acknowledged_by,
    }


def detail(letter: DeadLetter) -> DeadLetterDetail:
    """`letter` as its tenant sees it on its own."""
    return {**summary(letter), "history": [views.event(entry, letter.tenant) for entry in letter.history]}
