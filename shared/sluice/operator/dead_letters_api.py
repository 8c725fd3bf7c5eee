"""The routes of dead letters: look at them, have their work done once more, or say that nothing is to be done."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from sluice.capabilities import KINDS
from sluice.jobs.ask import require_room, take_room
from sluice.jobs.model.dead_letters import DeadLetter, acknowledge
from sluice.jobs.queue import replay
from sluice.jobs.queue.enqueue import Enqueued, Result
from sluice.operator import dead_letters
from sluice.operator.dead_letters import DeadLetterDetail, DeadLetterSummary
from sluice.platform.config import live
from sluice.platform.config.services import MARKETPLACES
from sluice.platform.http import errors, items, paging
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Conflict, ErrorDetail, NotFound, Unavailable
from sluice.platform.http.models import Cursor, Example, Moment, OneOf, PageQuery, Query, Text
from sluice.platform.http.moments import between
from sluice.platform.http.paging import Place
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Among
from sluice.platform.refused import Refused

MOST_REPLAYS = 500
SAMPLE = 10
REPLAYABLE = "replayable"


class Which(Query):
    """Which letters are meant. All filters must match."""

    kind: Annotated[str, OneOf(KINDS)] | None = None
    code: Text | None = Field(None, description="the error's code, for example `unavailable`")
    marketplace: Annotated[str, OneOf(tuple(MARKETPLACES))] | None = None
    since: Moment | None = Field(None, alias="from", description="not dead before this time (RFC 3339)")
    until: Moment | None = Field(None, alias="to", description="dead before this time")


class DeadLettersQuery(Which, PageQuery):
    """Which letters to list. All filters must match."""

    status: Annotated[str, OneOf(dead_letters.STATUSES)] | None = None


class Replay(Which):
    """Which open letters to replay. With `dryRun`, which is the default, nothing is done: it is counted."""

    example: ClassVar[Example] = {"code": "unavailable", "from": "2026-11-22T00:00:00Z", "dryRun": True}

    model_config = ConfigDict(strict=True)

    dry_run: bool = True
    cursor: Cursor | None = None
    limit: int = Field(100, ge=1, le=MOST_REPLAYS, description="how many at most; `next` leads on")


class DeadLetterList(TypedDict):
    """A page of letters, newest first. `next` leads to the next page; a page may be short and not the last."""

    deadLetters: list[DeadLetterSummary]
    next: str | None


class Replayed(TypedDict):
    """What became of one letter.

    outcome: `created` (a new job), `merged` or `raised` (a waiting job does it), `rerun_requested` (the job runs now,
    and once more afterwards), or in a bulk replay `refused` (see `error`) or `replayable` (nothing was done yet).
    """

    id: str
    jobId: str
    outcome: Annotated[str, Among((REPLAYABLE, *Result, items.REFUSED))]
    error: NotRequired[ErrorDetail]


class BulkReplay(TypedDict):
    """What was, or would be, replayed: how many letters match, by what they are, and what became of them.

    items: of a dry run the first ten. next: hand it back as `cursor` to go on; null when all were seen.
    """

    dryRun: bool
    matched: int
    byKind: dict[str, int]
    byCode: dict[str, int]
    outcomes: dict[str, int]
    items: list[Replayed]
    next: str | None


def list_dead_letters(request: HttpRequest[None, DeadLettersQuery]) -> DeadLetterList:
    """The caller's dead letters, newest first."""
    query, tenant = request.query, request.tenant
    found = dead_letters.page(tenant, _filter(query, query.status), query.limit, _start(query.cursor, tenant))
    return {"deadLetters": [dead_letters.summary(letter) for letter in found], "next": found.cursor(tenant)}


def get_dead_letter(request: HttpRequest[None, None]) -> DeadLetterDetail:
    """One of the caller's dead letters, with its whole timeline."""
    return dead_letters.detail(_find(request))


def replay_dead_letter(request: HttpRequest[None, None]) -> Replayed:
    """Have the work of a dead letter done once more."""
    letter = _find(request)
    require_room(request.tenant, 1, request.now, live.current())
    [answer] = replay.replay([letter], request.subject, request.now, live.current())
    if isinstance(answer, Refused):
        raise (Unavailable if answer.code == Unavailable.code else Conflict)(answer.message, code=answer.code)
    return _replayed(letter, answer)


def replay_dead_letters(request: HttpRequest[Replay, None]) -> BulkReplay:
    """Have the work of every open letter that matches done once more, or count them."""
    body = request.body
    wanted = _filter(body, dead_letters.OPEN)
    most = dead_letters.MOST_COUNTED if body.dry_run else body.limit
    found = dead_letters.page(request.tenant, wanted, most, _start(body.cursor, request.tenant))
    if body.dry_run:
        rows = [_replayed(letter, replay.refusal(letter)) for letter in found]
    else:
        if found.items:
            take_room(request.tenant, len(found.items), request.now, live.current())
        answers = replay.replay(found.items, request.subject, request.now, live.current())
        rows = [_replayed(letter, answer) for letter, answer in zip(found, answers, strict=True)]
    return {
        "dryRun": body.dry_run,
        "matched": len(found.items),
        "byKind": _counts([letter.kind for letter in found]),
        "byCode": _counts([letter.error["code"] for letter in found]),
        "outcomes": _counts([row["outcome"] for row in rows]),
        "items": rows[:SAMPLE] if body.dry_run else rows,
        "next": found.cursor(request.tenant),
    }


def acknowledge_dead_letter(request: HttpRequest[None, None]) -> DeadLetterDetail:
    """Say that a dead letter was seen and nothing is to be done: a bulk replay leaves it alone."""
    letter = acknowledge(_find(request), request.subject, request.now)
    if letter is None:
        raise Conflict("somebody has replayed or acknowledged it already", code="not_open")
    return dead_letters.detail(letter)


def _find(request: HttpRequest[Any, None]) -> DeadLetter:
    key = dead_letters.key_of(request.path["letter_id"])
    letter = dead_letters.find(request.tenant, key) if key else None
    if letter is None:
        raise NotFound.of("dead letter", "letterId")
    return letter


def _replayed(letter: DeadLetter, answer: Enqueued | Refused | None) -> Replayed:
    row: Replayed = {"id": dead_letters.public_id(letter.dead_letter), "jobId": letter.job_id, "outcome": REPLAYABLE}
    if isinstance(answer, Enqueued):
        row["outcome"] = answer.result
    elif isinstance(answer, Refused):
        row["outcome"] = items.REFUSED
        row["error"] = errors.detail(answer.code, answer.message)
    return row


def _counts(words: Sequence[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def _filter(which: Which, status: str | None) -> dead_letters.Filter:
    since, until = between(which.since, which.until)
    return dead_letters.Filter(which.kind, which.code, which.marketplace, status, since, until)


def _start(cursor: str | None, tenant: str) -> Place | None:
    return paging.start(cursor, tenant, dead_letters.KEY)


_READ, _REPLAY = Permission.DEAD_LETTERS_READ, Permission.DEAD_LETTERS_REPLAY
_ONE = "/v1/dead-letters/{letter_id}"
ROUTES = (
    Route(
        "GET",
        "/v1/dead-letters",
        "List your dead letters",
        list_dead_letters,
        DeadLetterList,
        _READ,
        query=DeadLettersQuery,
    ),
    Route("GET", _ONE, "Show a dead letter with its timeline", get_dead_letter, DeadLetterDetail, _READ),
    Route(
        "POST",
        f"{_ONE}/replay",
        "Have a dead letter's work done once more",
        replay_dead_letter,
        Replayed,
        _REPLAY,
        status=202,
        errors=(Conflict, Unavailable),
        asks=lambda _: 1,
    ),
    Route(
        "POST",
        f"{_ONE}/acknowledge",
        "Say that nothing is to be done about a dead letter",
        acknowledge_dead_letter,
        DeadLetterDetail,
        _REPLAY,
        errors=(Conflict,),
    ),
    Route(
        "POST",
        "/v1/dead-letters/replay",
        "Replay every open dead letter that matches, or count them",
        replay_dead_letters,
        BulkReplay,
        _REPLAY,
        body=Replay,
    ),
)
