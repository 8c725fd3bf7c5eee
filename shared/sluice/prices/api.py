"""The routes of market prices: ask for fresh ones, read those that are stored, and the pictures that stand in."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, NotRequired, TypeVar

from aws_lambda_powertools.event_handler import Response
from pydantic import Field
from typing_extensions import TypedDict

from sluice.catalog import images
from sluice.jobs.ask import require_room
from sluice.jobs.model.keys import PRIORITIES
from sluice.jobs.model.states import ALL
from sluice.jobs.queue.enqueue import Enqueued, Result
from sluice.marketplaces import registry, sizes
from sluice.marketplaces.sizes import Size
from sluice.marketplaces.skus import normal_sku
from sluice.platform.config import live
from sluice.platform.config.services import MARKETPLACES
from sluice.platform.http import items, paging
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import FieldError, Invalid, NotFound, Unavailable
from sluice.platform.http.items import Answered, Answers
from sluice.platform.http.models import Body, DocumentedAs, Example, OneOf, PageQuery, Text
from sluice.platform.http.routing import Answer, HttpRequest, Route
from sluice.platform.http.shapes import Among
from sluice.platform.refused import UNAVAILABLE, Refused
from sluice.prices import ask
from sluice.prices import table as prices
from sluice.prices.ask import RefreshItem

T = TypeVar("T")

# The pictures change with a release at the most.
KEEP_PICTURES = {"Cache-Control": "public, max-age=2592000", "X-Content-Type-Options": "nosniff"}


class RefreshBody(Body):
    """One price to fetch."""

    sku: str = Field(description="the style id, for example `DD1391-100`")
    size: str = Field(description="the size: `10.5`, `42 2/3`, `8W`, `5Y`, `XL`; a letter or prefix names its system")
    marketplace: Text = RefreshItem.marketplace
    size_system: Text | None = Field(None, description="left out: what the size itself says, else the product's own")
    currency: Text = RefreshItem.currency
    priority: Annotated[str, OneOf(tuple(PRIORITIES))] = RefreshItem.priority
    force: bool = Field(
        RefreshItem.force, description="fetch it even if the stored price is fresh; for priority `manual` only"
    )


class Refresh(Body):
    """The prices to fetch. Each item is checked on its own: a bad one stops no other."""

    example: ClassVar[Example] = {"items": [{"sku": "DD1391-100", "size": "10", "priority": "manual"}]}

    items: Annotated[list[Annotated[Any, DocumentedAs(RefreshBody)]], Field(min_length=1, max_length=items.MOST_ITEMS)]


class PriceAnswer(Answered, TypedDict):
    """What became of one item.

    outcome: `created` (a new job), `merged` (a waiting job does it already), `raised` (a waiting job was given the
    higher priority, on your account), `rerun_requested` (the job runs now, and once more afterwards), `refused` (see
    `error`).
    size, sizeSystem: as which size it was taken; both null while only the product's size chart can tell its system.
    """

    jobId: NotRequired[str]
    state: NotRequired[Annotated[str, Among(sorted(ALL))]]
    size: NotRequired[str | None]
    sizeSystem: NotRequired[str | None]


class RefreshCounts(TypedDict):
    """How many items had each outcome."""

    created: int
    merged: int
    raised: int
    rerunRequested: int
    refused: int


class RefreshAnswer(TypedDict):
    """One answer for each item, in their order."""

    items: list[PriceAnswer]
    counts: RefreshCounts


class PricesQuery(PageQuery):
    """Which prices to show. All filters must match."""

    sku: str = Field(description="the style id, for example `DD1391-100`")
    marketplace: Annotated[str, OneOf(tuple(MARKETPLACES))] | None = None
    size: str | None = Field(
        None, description="the size, in `sizeSystem` if that is given, else as it says itself, or in the price's own"
    )
    size_system: Text | None = None
    currency: Text | None = None
    limit: int = Field(500, ge=1, le=500, description="stored prices that a page looks through")


class PriceList(TypedDict):
    """A page of the stored prices that match. `next` leads to more, until it is null; a page may be short before.

    First those of marketplaces with size charts: where there is none, prices are of all sizes that anybody asked for.
    """

    prices: list[prices.PriceView]
    next: str | None


def refresh_prices(request: HttpRequest[Refresh, None]) -> RefreshAnswer:
    """Ask for fresh prices."""
    require_room(request.tenant, len(request.body.items), request.now, live.current())
    answers = Answers[PriceAnswer]()
    good = answers.read(request.body.items, RefreshBody)
    wanted = [RefreshItem(**item.model_dump()) for item in good.values()]
    enqueued = ask.refresh(wanted, request.tenant, request.now, live.current())
    for index, done in zip(good, enqueued, strict=True):
        _answer(answers, index, done)
    answer: RefreshAnswer = {"items": answers.in_order(), "counts": _counts(answers)}
    return answers.unless_all_refused(answer)


def find_prices(request: HttpRequest[None, PricesQuery]) -> PriceList:
    """The newest stored price of a SKU, for each size, marketplace and currency."""
    query = request.query
    if query.size_system and query.size is None:
        raise Invalid.field("sizeSystem", "says how to read size, which is not given")
    known = [registry.MARKETPLACES[name] for name in ([query.marketplace] if query.marketplace else MARKETPLACES)]
    if query.currency and not any(query.currency in one.currencies for one in known):
        raise Invalid.field("currency", "no marketplace gives prices in it")
    if query.size_system and not any(query.size_system in one.size_systems for one in known):
        systems = sorted({system for one in known for system in one.size_systems})
        raise Invalid.field("sizeSystem", f"is not known here; known are {', '.join(systems)}")
    names = [one.name for one in sorted(known, key=lambda one: (not one.lookup_calls, one.name))]
    found = prices.page(
        _read("sku", lambda: normal_sku(query.sku)),
        names,
        None if query.size is None else _size(query.size, query.size_system),
        query.currency,
        query.limit,
        paging.start(query.cursor, request.tenant, rf"(?:{'|'.join(names)}):[^\x00-\x1f]{{1,200}}"),
    )
    return {"prices": [price.view() for price in found], "next": found.cursor(request.tenant)}


def get_image(request: HttpRequest[None, None]) -> Answer:
    """A picture that stands for a category of products."""
    name, _, kind = request.path["name"].rpartition(".")
    picture = images.svg(name) if kind == "svg" else None
    if picture is None:
        raise NotFound(f"there is no such picture; there are {', '.join(f'{one}.svg' for one in images.NAMES)}")
    return Response(200, "image/svg+xml", picture, KEEP_PICTURES)


def _answer(answers: Answers[PriceAnswer], index: int, done: Enqueued | Refused) -> None:
    if isinstance(done, Refused):
        ours = done.code == UNAVAILABLE
        field = FieldError("" if ours else done.field, done.message)
        answers.refuse(index, field, why=Unavailable if ours else Invalid)
        return
    size = ask.size_asked(done.job_id)
    answer: PriceAnswer = {
        "index": index,
        "outcome": done.result,
        "jobId": done.job_id,
        "state": done.state,
        "size": size.name if size else None,
        "sizeSystem": size.system if size else None,
    }
    answers.add(index, answer)


def _counts(answers: Answers[PriceAnswer]) -> RefreshCounts:
    count = answers.counts()
    return {
        "created": count[Result.CREATED],
        "merged": count[Result.MERGED],
        "raised": count[Result.RAISED],
        "rerunRequested": count[Result.RERUN_REQUESTED],
        "refused": count[items.REFUSED],
    }


def _size(text: str, system: str | None) -> Size:
    return _read("size", lambda: sizes.read(text, system))


def _read(field: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ValueError as error:
        raise Invalid.field(field, str(error)) from None


ENQUEUE = (
    Route(
        "POST",
        "/v1/market/refresh",
        "Ask for fresh prices",
        refresh_prices,
        RefreshAnswer,
        Permission.MARKET_REFRESH,
        body=Refresh,
        status=202,
        errors=(Unavailable,),
        asks=lambda request: len(request.body.items),
    ),
)
READ = (
    Route(
        "GET",
        "/v1/market/prices",
        "Show stored prices",
        find_prices,
        PriceList,
        Permission.PRICES_READ,
        query=PricesQuery,
    ),
    Route("GET", "/v1/images/{name}", "Get a picture that stands for a category", get_image, "image/svg+xml", None),
)
ROUTES = (*ENQUEUE, *READ)
