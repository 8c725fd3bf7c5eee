"""What callers send, read and checked as StockX does before it takes anything on: a wrong call is a 400 at once."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from local.sandbox.call import Call
from local.sandbox.stockx.listings import Change

MOST_ITEMS = 100

# Whole units of the currency: what StockX says about decimals is nothing, so this is the stricter guess.
Amount = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}$")]
Currency = Literal["AUD", "CAD", "CHF", "EUR", "GBP", "HKD", "JPY", "KRW", "MXN", "NZD", "SGD", "USD"]


class RefusedError(Exception):
    """The call is answered with this status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Input(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)


class Terms(Input):
    """What may be set on a listing; the body of an update and of an activation."""

    amount: Amount | None = None
    currency_code: Currency | None = None
    expires_at: AwareDatetime | None = None

    def change(self, active: bool | None = None) -> Change:
        return Change(self.amount, self.currency_code, milliseconds(self.expires_at), active)


class NewListing(Input):
    amount: Amount
    variant_id: str
    currency_code: Currency = "USD"
    expires_at: AwareDatetime | None = None
    active: bool = True
    inventory_type: Literal["STANDARD", "DIRECT"] = "STANDARD"

    def change(self) -> Change:
        return Change(self.amount, self.currency_code, milliseconds(self.expires_at), self.active)


class NewItem(NewListing):
    # The document closes this object to unknown fields nowhere.
    model_config = ConfigDict(extra="ignore")

    quantity: int = Field(ge=1, le=MOST_ITEMS)


class UpdateItem(Terms):
    listing_id: str
    active: bool | None = None


class DeleteItem(Input):
    listing_id: str


M = TypeVar("M", bound=Input)
ItemT = TypeVar("ItemT", NewItem, UpdateItem, DeleteItem)


class Items(Input):
    items: list[dict[str, object]] = Field(min_length=1, max_length=MOST_ITEMS)


def body(call: Call, model: type[M]) -> M:
    """The JSON body as a `model`. Refused with 415 or 400."""
    if call.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise RefusedError(415, "Unsupported Media Type")
    return _checked(call, model, call.body)


def items(call: Call, model: type[ItemT]) -> Sequence[ItemT]:
    """The items of a batch. One wrong item refuses the whole batch."""
    return [_checked(call, model, item) for item in body(call, Items).items]


def integer(call: Call, name: str, *, most: int | None) -> int:
    """A query parameter from 1 to `most`. Left out it is 1: StockX's page has one row unless more are asked for."""
    text = call.query.get(name, "1")
    if not text.isdecimal() or int(text) < 1 or (most is not None and int(text) > most):
        raise RefusedError(400, f"{name} must be an integer of at least 1" + (f" and at most {most}" if most else ""))
    return int(text)


def words(call: Call, name: str) -> set[str]:
    """A query parameter that is a list joined by commas, without brackets or quotes; empty when it is left out."""
    return set(filter(None, call.query.get(name, "").split(",")))


def day(call: Call, name: str) -> int | None:
    """A query parameter `YYYY-MM-DD` as the epoch ms at which that day begins (UTC)."""
    if (text := call.query.get(name)) is None:
        return None
    try:
        return milliseconds(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC))
    except ValueError:
        raise RefusedError(400, f"{name} must be a date as YYYY-MM-DD") from None


def milliseconds(time: datetime | None) -> int | None:
    return None if time is None else round(time.timestamp() * 1000)


def _checked(call: Call, model: type[M], raw: bytes | dict[str, object]) -> M:
    try:
        read = model.model_validate_json(raw) if isinstance(raw, bytes) else model.model_validate(raw, strict=False)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise RefusedError(400, f"{where}: {first['msg']}") from None
    expires_at = getattr(read, "expires_at", None)
    if expires_at is not None and expires_at.timestamp() * 1000 <= call.at_ms:
        raise RefusedError(400, "expiresAt must be in the future")
    return read
