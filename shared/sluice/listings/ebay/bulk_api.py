"""The routes of many records: a list of them, or a file. Each is answered on its own."""

from typing import Annotated, Any, Final, NotRequired, cast

from pydantic import ValidationError, WithJsonSchema
from typing_extensions import TypedDict

from sluice.jobs.ask import require_room
from sluice.listings.ebay import asking, many
from sluice.listings.ebay.api import WRITE, asker, refusals_told, remembered
from sluice.listings.ebay.asking import Done, Outcome
from sluice.listings.ebay.bodies import RecordItem, Records
from sluice.listings.ebay.views import taken
from sluice.platform import usage
from sluice.platform.http import body as bodies
from sluice.platform.http.errors import Conflict, ErrorDetail, FieldError, Invalid, Unavailable
from sluice.platform.http.items import REFUSED, Answers, ItemOutcome
from sluice.platform.http.models import check, problems
from sluice.platform.http.routing import JSON, HttpRequest, Route, Upload
from sluice.platform.refused import CONFLICT, UNAVAILABLE, Refused

MOST_BYTES: Final = bodies.MOST_UPLOAD_BYTES
_DESCRIPTION = "UTF-8 or UTF-16, with a header line; cells are separated by commas, semicolons or tabs"
CsvRecords: Any = Annotated[str, WithJsonSchema({"type": "string", "description": _DESCRIPTION})]
# What programs call a CSV file; the last one is what a browser says where a spreadsheet program is installed.
CSV: Final = ("text/csv", "application/csv", "text/tab-separated-values", "application/vnd.ms-excel")


class RecordAnswer(TypedDict):
    """What became of one record: `queued`, `stored`, `unchanged`, or `refused` (see `error`). line: in the file."""

    index: int
    outcome: ItemOutcome
    sku: NotRequired[str]
    version: NotRequired[int]
    jobId: NotRequired[str | None]
    categoryChecked: NotRequired[bool | None]
    line: NotRequired[int]
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
    _put(request, "put", answers, {index: one.document(one.sku) for index, one in found.items()})
    return _told(answers)


def import_ebay_listings(request: HttpRequest[Upload, None]) -> RecordAnswers:
    """Say how many listings are to be, by a file."""
    answers, lines = Answers[RecordAnswer](), dict[int, int]()
    if request.body.media_type == JSON:
        rows: dict[int, object] = dict(enumerate(check(Records, bodies.parse(request.body.raw)).items))
    else:
        rows = _rows(request.body.raw, answers, lines)
    by = asker(request, "import")
    usage.charge(by.tenant, len(rows), by.now, by.config.tenants.allowed(by.tenant), requests=0)
    good: dict[int, dict[str, Any]] = {}
    for index, row in rows.items():
        try:
            item = RecordItem.model_validate(row)
            good[index] = item.document(item.sku)
        except ValidationError as wrong:
            answers.refuse(index, *(one._replace(field="") if one.field == "body" else one for one in problems(wrong)))
    _put(request, "import", answers, good)
    for index, line in lines.items():
        answers.add(index, cast(RecordAnswer, {**answers[index], "line": line}))
    return _told(answers)


def _rows(data: bytes, answers: Answers[RecordAnswer], lines: dict[int, int]) -> dict[int, object]:
    """The documents of a CSV file's good rows. The others are refused, each at its place among all."""
    from sluice.listings.ebay import csv_rows
    from sluice.platform.csv_records import BadRow
    from sluice.platform.csv_text import NoFile

    found: dict[int, object] = {}
    try:
        for index, row in enumerate(csv_rows.read(data)):
            if isinstance(row, BadRow):
                lines[index] = row.number
                answers.refuse(index, *row.fields)
            else:
                lines[index] = row[0]
                found[index] = row[1]
    except NoFile as refused:
        field = FieldError("body", f"line {refused.line}: {refused.message}")
        raise Invalid("file rejected; nothing was imported", fields=[field]) from None
    if not lines:
        raise Invalid.field("body", "has a header and no rows")
    return found


def _put(
    request: HttpRequest[Any, None], action: str, answers: Answers[RecordAnswer], docs: dict[int, dict[str, Any]]
) -> None:
    by = asker(request, action)
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
    remembered(by, [one for one in done if isinstance(one, Done)])


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
    Route(
        "POST",
        "/v1/ebay/listings/import",
        "Say how up to 500 listings are to be, by a CSV file or a JSON list",
        import_ebay_listings,
        RecordAnswers,
        WRITE,
        status=202,
        errors=(Unavailable,),
        uploads={**dict.fromkeys(CSV, CsvRecords), JSON: Records},
    ),
)
