"""What requests hold, as pydantic models: strict, camelCase outside and snake_case inside, nothing unknown let in.

A model is built when it is first used: a function pays at start only for the requests that it gets.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from sluice.platform.http.auth import TENANT
from sluice.platform.http.body import WrittenNumber
from sluice.platform.http.errors import FieldError, Invalid
from sluice.platform.http.paging import MOST_CHARACTERS

M = TypeVar("M", bound=BaseModel)

# Most mistakes that are told of one object, and of a whole body, where each row of a batch may have several. What is
# full of mistakes must not get an answer of many times its size.
MOST_PROBLEMS = 20
MOST_PROBLEMS_OF_BODY = 2_000

# pydantic's own words speak to programmers; these speak to the caller.
_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "string_type": "must be a string",
    "string_unicode": "must be a string of whole Unicode characters",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "model_type": "must be an object",
    "int_parsing": "must be a whole number",
    "string_pattern_mismatch": "must not hold control characters",
}


# How pydantic says that what is wrong is the name of a value, not the value.
_OF_A_NAME = "[key]"

# What a body may look like.
Example = Mapping[str, Any]


class Body(BaseModel):
    """The base of what comes as JSON.

    example: one that would be taken, for the API's document and what is made of it.
    """

    example: ClassVar[Example | None] = None

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", strict=True, frozen=True, defer_build=True, hide_input_in_errors=True
    )


class Query(Body):
    """The base of what comes in the query string, where every value is text and may stand for a number."""

    model_config = ConfigDict(strict=False)


# Where a list goes on, see `paging`.
Cursor = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS, description="a page's `next`")]


class PageQuery(Query):
    """Which page of a list to show. Filters beside it must all match."""

    limit: int = Field(50, ge=1, le=100)
    cursor: Cursor | None = None


# A short text of one line.
Text = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
# A time with its zone, as `clock.from_iso` reads it.
Moment = Annotated[Text, WithJsonSchema({"type": "string", "format": "date-time"})]


def _as_written(value: object) -> object:
    """An amount as it was written. What can be none is told here: a union tells of each of its types."""
    is_amount = value.isascii() if isinstance(value, str) else isinstance(value, int | float)
    if not is_amount or isinstance(value, bool):
        raise PydanticCustomError("amount", 'must be a decimal in major units, as "150.50"')
    return value.written if isinstance(value, WrittenNumber) else value


# Decimals come as text or as a JSON number, which is read as it was written: its decimals are counted.
Amount = Annotated[
    str | int | float, BeforeValidator(_as_written), Field(description='a decimal in major units, as `"150.50"`')
]


class OneOf(NamedTuple):
    """Marks a string that must be one of `names`, which are known when the module loads."""

    names: tuple[str, ...]

    def __get_pydantic_core_schema__(self, *_: object) -> CoreSchema:
        return core_schema.literal_schema(list(self.names))


class Spelled(NamedTuple):
    """Marks a string that must match `pattern`.

    words: what is said of one that does not: `must be …`, without braces.
    """

    pattern: str
    words: str

    def __get_pydantic_core_schema__(self, *_: object) -> CoreSchema:
        return core_schema.custom_error_schema(
            core_schema.str_schema(pattern=self.pattern),
            custom_error_type="spelled",
            custom_error_message=self.words,
        )


TenantName = Annotated[str, Spelled(rf"^{TENANT}$", "must be a tenant's name: a-z, 0-9 and -, 64 at most")]


class DocumentedAs(NamedTuple):
    """Marks a value that is taken as it comes and checked later; the API's document shows it as `model`."""

    model: type[BaseModel]

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        # Inside another schema the model keeps its name; by itself it would be written out where it is used.
        return handler(core_schema.chain_schema([self.model.__pydantic_core_schema__]))


def check(model: type[M], value: object) -> M:
    """`value` as a `model`.

    Raises:
        Invalid: naming each field that is wrong.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = problems(error, most=MOST_PROBLEMS_OF_BODY)
        if len(found) == error.error_count():
            _name_the_known(model, error, found)
        raise Invalid.of(found) from None


def problems(error: ValidationError, inside: str = "", *, most: int = MOST_PROBLEMS) -> list[FieldError]:
    """What `error` says, field by field; `inside` is the path of the value that was checked. Shows no value.

    Of more than `most` mistakes only their number is given.
    """
    if error.error_count() > most:
        return [FieldError(inside or "body", f"has {error.error_count()} mistakes, too many to list")]
    return [
        FieldError(_path(inside, one["loc"]), _WORDS.get(one["type"], _lower(one["msg"])))
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def _name_the_known(model: type[BaseModel], error: ValidationError, found: list[FieldError]) -> None:
    """Say of the first name that is not known which are: said of each, the answer could be far longer than the body."""
    for place, one in enumerate(error.errors(include_url=False, include_context=False, include_input=False)):
        if one["type"] == "extra_forbidden" and (names := _names(model, one["loc"][:-1])):
            found[place] = found[place]._replace(message=f"{found[place].message}; known are {', '.join(names)}")
            return


def _names(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The names that the object at `path` of a `model` may have; none where that is no model of its own."""
    for part in path:
        if isinstance(part, str):
            fields = {one.alias or name: one for name, one in model.model_fields.items()}
            inner = next(_models(fields[part].annotation), None) if part in fields else None
            if inner is None:
                return []
            model = inner
    return [one.alias or name for name, one in model.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def join(inside: str, field: str) -> str:
    """The path of `field` inside another: `items[3]` and `sku` make `items[3].sku`."""
    return f"{inside}.{field}" if inside and field else inside or field


def _path(inside: str, location: tuple[int | str, ...]) -> str:
    path = inside
    for part in location:
        if isinstance(part, int):
            path = f"{path}[{part}]"
        elif part != _OF_A_NAME:
            path = join(path, part[:64])
    return path or "body"


def _lower(message: str) -> str:
    """pydantic's sentence, behind the name of the field: `Input should be 1 or 2` is `must be 1 or 2`."""
    if found := re.match(r"(?:Input|String|List|Value|Dictionary) should (.*)", message, re.DOTALL):
        return f"must {found[1]}"
    return message[:1].lower() + message[1:]
