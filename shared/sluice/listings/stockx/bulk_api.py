"""The route of many listings at once: one action, up to 500 items, an outcome for each."""

from typing import Annotated, Any, ClassVar, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from sluice.jobs.ask import require_room
from sluice.listings.stockx import bulk
from sluice.listings.stockx import table as listings
from sluice.listings.stockx.api import asker
from sluice.listings.stockx.bodies import NewListing, NewTerms, TakenSize, draft, new_terms, taken
from sluice.listings.stockx.bulk import ChangeNotStored, TermsEdit
from sluice.listings.stockx.changes import Action
from sluice.listings.stockx.kinds import MARKETPLACE
from sluice.listings.stockx.request import AskedChange, ListingDraft, UnknownListing
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.selling import Terms
from sluice.platform.http import items
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Conflict, FieldError, Invalid, NotFound, Unavailable
from sluice.platform.http.items import Answered, Answers
from sluice.platform.http.models import Body, DocumentedAs, Example, OneOf, Text
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.refused import CONFLICT, Refused

ACCEPTED = "accepted"
ACTIONS = {"create": Action.CREATE, "update": Action.UPDATE, "delete": Action.DELETE}


class NewTermsOf(NewTerms):
    """New terms for one listing."""

    listing_id: Text


class Doomed(Body):
    """A listing to take away."""

    listing_id: Text


MODELS: dict[str, type[NewListing | NewTermsOf | Doomed]] = {
    "create": NewListing,
    "update": NewTermsOf,
    "delete": Doomed,
}


class Bulk(Body):
    """What to do to which listings. Each item is checked on its own: a bad one stops no other."""

    example: ClassVar[Example] = {"action": "create", "items": [{"sku": "DD1391-100", "size": "10", "amount": "180"}]}

    action: Annotated[str, OneOf(tuple(ACTIONS))]
    items: Annotated[
        list[Annotated[Any, DocumentedAs(NewListing)]],
        Field(
            min_length=1,
            max_length=items.MOST_ITEMS,
            description="create: as `POST /v1/stockx/listings`; update: `listingId` and new terms; delete: `listingId`",
        ),
    ]


class ListingAnswer(Answered, TakenSize, TypedDict):
    """What became of one item: `accepted`, or `refused` (see `error`). size, sizeSystem: as of a single new listing."""

    listingId: NotRequired[str]
    jobId: NotRequired[str]


class ListingCounts(TypedDict):
    """How many items had each outcome."""

    accepted: int
    refused: int


class BulkAnswer(TypedDict):
    """One answer for each item, in their order. Items with the same job share a batch."""

    items: list[ListingAnswer]
    counts: ListingCounts


def change_many(request: HttpRequest[Bulk, None]) -> BulkAnswer:
    """Create, update or delete many listings."""
    body, action = request.body, ACTIONS[request.body.action]
    if action is Action.CREATE:
        require_room(request.tenant, len(body.items), request.now, asker(request).config)
    answers = Answers[ListingAnswer]()
    checked = answers.read(body.items, MODELS[body.action])
    named = [one.listing_id for one in checked.values() if not isinstance(one, NewListing)]
    known = listings.find_many(request.tenant, named)
    asked: dict[int, bulk.Item] = {}
    for index, one in checked.items():
        try:
            seed = f"{request.seed}:{index}" if request.seed else None
            asked[index] = _item(one, known, request.now, seed)
        except (Refused, UnknownListing) as refusal:
            _answer(answers, index, refusal)
    try:
        done = bulk.ask(action, list(asked.values()), MARKETPLACE, asker(request)) if asked else []
    except Refused as refusal:
        raise Invalid.field(refusal.field, refusal.message) from None
    for (index, wanted), what in zip(asked.items(), done, strict=True):
        _answer(answers, index, what, taken(wanted) if isinstance(wanted, ListingDraft) else {})
    count = answers.counts()
    counts: ListingCounts = {"accepted": count[ACCEPTED], "refused": count[items.REFUSED]}
    answer: BulkAnswer = {"items": answers.in_order(), "counts": counts}
    return answers.unless_all_refused(answer)


def _item(item: NewListing | NewTermsOf | Doomed, known: dict[str, Listing], now: int, seed: str | None) -> bulk.Item:
    if isinstance(item, NewListing):
        return draft(item, now, seed)
    listing = known.get(item.listing_id)
    if listing is None:
        raise UnknownListing(item.listing_id)
    if isinstance(item, Doomed):
        return TermsEdit(listing.listing_id, Terms())
    if item.is_empty():
        raise Refused("amount", "must say what to change: amount or expiresAt")
    return TermsEdit(listing.listing_id, new_terms(item, listing, now))


def _answer(answers: Answers[ListingAnswer], index: int, done: bulk.Answer, size: TakenSize | None = None) -> None:
    match done:
        case AskedChange():
            asked: ListingAnswer = {
                "index": index,
                "outcome": ACCEPTED,
                "listingId": done.listing_id,
                "jobId": done.job_id,
            }
            answers.add(index, {**asked, **(size or {})})
        case UnknownListing():
            answers.refuse(index, FieldError("listingId", "not found"), why=NotFound)
        case Refused():
            why = Conflict if done.code == CONFLICT else Invalid
            answers.refuse(index, FieldError(done.field, done.message), why=why)
        case ChangeNotStored():
            field = FieldError("", "could not be stored just now; ask for it again")
            answers.refuse(index, field, why=Unavailable)


ROUTES = (
    Route(
        "POST",
        "/v1/stockx/listings/bulk",
        "Create, update or delete up to 500 listings",
        change_many,
        BulkAnswer,
        Permission.LISTINGS_WRITE,
        body=Bulk,
        status=202,
        asks=lambda request: len(request.body.items),
        errors=(Unavailable,),
    ),
)
