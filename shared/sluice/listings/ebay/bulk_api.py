"""The route of many records: each is answered on its own."""

from typing import Any, Final, NotRequired, cast

from typing_extensions import TypedDict

from sluice.jobs.ask import require_room
from sluice.listings.ebay import asking, many
from sluice.listings.ebay.api import WRITE, asker, refusals_told
from sluice.listings.ebay.asking import Done, Outcome
from sluice.listings.ebay.bodies import RecordItem, Records
from sluice.listings.ebay.views import taken
from sluice.platform.http import body as bodies
from sluice.platform.http.errors import Conflict, ErrorDetail, Invalid, Unavailable
from sluice.platform.http.items import REFUSED, Answers, ItemOutcome
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.refused import CONFLICT, UNAVAILABLE, Refused

MOST_BYTES: Final = bodies.MOST_UPLOAD_BYTES


class RecordAnswer(TypedDict):
    """What became of one record: `queued`, `stored`, `unchanged`, or `refused` (see `error`)."""

    index: int
    outcome: ItemOutcome
    sku: NotRequired[str]
    version: NotRequired[int]
    jobId: NotRequired[str | None]
    categoryChecked: NotRequired[bool | None]
    error: NotRequired[ErrorDetail]


class RecordCounts(TypedDict):
    """How many records had each outcome."""

    queued: int
    stored: int
    unchanged: int
    refused: int


class RecordAnswers(TypedDict):
    """One answer for each record, in their order."""

    items: list[RecordAnswer]
    counts: RecordCounts


def put_ebay_listings(request: HttpRequest[Records, None]) -> RecordAnswers:
    """Say how many listings are to be."""
    answers = Answers[RecordAnswer]()
    found = answers.read(request.body.items, RecordItem)
    _put(request, answers, {index: one.document(one.sku) for index, one in found.items()})
    return _told(answers)


def _put(request: HttpRequest[Any, None], answers: Answers[RecordAnswer], docs: dict[int, dict[str, Any]]) -> None:
    by = asker(request, "put")
    if not docs:
        return
    with refusals_told():
        asking.require_account(by.tenant)
    require_room(by.tenant, len(docs), by.now, by.config)
    done = many.put(by, list(docs.values()))
    for (index, doc), one in zip(docs.items(), done, strict=True):
        if isinstance(one, Refused):
            why = {CONFLICT: Conflict, UNAVAILABLE: Unavailable}.get(one.code, Invalid)
            answers.refuse(index, *one.fields, why=why)
        else:
            what = taken(doc["sku"], one)
            answers.add(index, cast(RecordAnswer, {"index": index, **what}))
    asking.remember(by, [one for one in done if isinstance(one, Done)])


def _told(answers: Answers[RecordAnswer]) -> RecordAnswers:
    count = answers.counts()
    whole: RecordAnswers = {
        "items": answers.in_order(),
        "counts": {
            "queued": count[Outcome.QUEUED],
            "stored": count[Outcome.STORED],
            "unchanged": count[Outcome.UNCHANGED],
            "refused": count[REFUSED],
        },
    }
    return answers.unless_all_refused(whole)


def _items(request: HttpRequest[Records, None]) -> int:
    return len(request.body.items)


ROUTES = (
    Route(
        "PUT",
        "/v1/ebay/listings",
        "Say how up to 500 listings are to be",
        put_ebay_listings,
        RecordAnswers,
        WRITE,
        body=Records,
        status=202,
        errors=(Unavailable,),
        asks=_items,
        most_bytes=MOST_BYTES,
    ),
)
