"""Requests of many items, each checked on its own: a bad item stops no other, and each has its own answer."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Generic, NotRequired, TypeVar, cast

from pydantic import BaseModel, ValidationError
from typing_extensions import TypedDict

from sluice.platform.http import errors
from sluice.platform.http.errors import ErrorDetail, FieldError, HttpError, Invalid, Unavailable
from sluice.platform.http.models import join, problems
from sluice.platform.http.shapes import Among

MOST_ITEMS: Final = 500
REFUSED: Final = "refused"
# Every outcome of an item of any request; which of them a request has, its answer says.
OUTCOMES: Final = (
    *("accepted", "created", "exists", "found", "merged", "queued", "raised", "rerun_requested", "stored", "unchanged"),
    REFUSED,
)
ItemOutcome = Annotated[str, Among(OUTCOMES)]

M = TypeVar("M", bound=BaseModel)
# The typed dict of one item's answer.
A = TypeVar("A", bound=Mapping[str, Any])
W = TypeVar("W", bound=Mapping[str, Any])


class Answered(TypedDict):
    """What became of one item: where it stands in the request, an outcome, and of a refused one the error."""

    index: int
    outcome: ItemOutcome
    error: NotRequired[ErrorDetail]


def path(index: int, field: str = "") -> str:
    """The place of an item, or of a field of it: `items[3].sku`."""
    return join(f"items[{index}]", field)


def error(fields: Sequence[FieldError], why: type[HttpError] = Invalid) -> ErrorDetail:
    """Why an item was refused; `fields` are paths from the top."""
    return errors.detail(why.code, f"{fields[0].field}: {fields[0].message}", fields)


class Answers(Generic[A]):
    """The answers to the items of a request. They come in any order, and are given in the items' order.

    Example:
        answers = Answers[StoredAnswer]()
        for index, item in answers.read(request.body.items, NewItem).items():
            answers.add(index, {"index": index, "outcome": "created", "itemId": make(item)})
        return answers.unless_all_refused({"items": answers.in_order()})
    """

    def __init__(self) -> None:
        self._by_index: dict[int, A] = {}

    def __iter__(self) -> Iterator[A]:
        return iter(self.in_order())

    def __getitem__(self, index: int) -> A:
        return self._by_index[index]

    def read(self, raw_items: Iterable[object], model: type[M]) -> dict[int, M]:
        """Those of `raw_items` that are a `model`, by index. The others are refused, with each field that is wrong."""
        good: dict[int, M] = {}
        for index, raw in enumerate(raw_items):
            try:
                good[index] = model.model_validate(raw)
            except ValidationError as wrong:
                self._refuse(index, problems(wrong, path(index)), Invalid)
        return good

    def add(self, index: int, answer: A) -> None:
        """The answer for an item that was taken."""
        self._by_index[index] = answer

    def refuse(self, index: int, *fields: FieldError, why: type[HttpError] = Invalid) -> None:
        """The answer for an item that was not taken. fields: of the item, "" for itself. why: whose fault it is."""
        self._refuse(index, [FieldError(path(index, field), message) for field, message in fields], why)

    def in_order(self) -> list[A]:
        """All answers, in the items' order."""
        return [self._by_index[index] for index in sorted(self._by_index)]

    def counts(self) -> Counter[str]:
        """How many items had each outcome."""
        return Counter(str(answer["outcome"]) for answer in self)

    def unless_all_refused(self, whole: W) -> W:
        """`whole`, the answer to the request.

        Raises:
            Invalid, Unavailable: every item was refused, so nothing was written. It is the caller's fault, unless one
                of the items could only not be stored.
        """
        refusals = [answer["error"] for answer in self if answer["outcome"] == REFUSED]
        if len(refusals) < len(self._by_index):
            return whole
        fields = [FieldError(**field) for refusal in refusals for field in refusal["fields"]]
        ours = any(refusal["code"] == Unavailable.code for refusal in refusals)
        raise (Unavailable if ours else Invalid)(
            "every item was refused; nothing was stored", fields=fields, more=whole
        )

    def _refuse(self, index: int, fields: Sequence[FieldError], why: type[HttpError]) -> None:
        refused: Answered = {"index": index, "outcome": REFUSED, "error": error(fields, why)}
        self._by_index[index] = cast(A, refused)
