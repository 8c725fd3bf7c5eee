"""What the API answers when it cannot answer as asked. Any code below a route may raise one of these.

```
HttpError              a JSON body of one shape: {"error": {"code", "message", "fields"}, "requestId"}
├── Invalid            400  the request is not as the document says; `fields` names what is wrong
├── Unauthenticated    401  nobody knows who asks
├── Forbidden          403  the caller's roles do not allow it
├── NotFound           404  it does not exist, or not for this caller
├── MethodNotAllowed   405  the path exists, not with this method
├── Conflict           409  the thing is in a state in which this cannot be done
├── WrongVersion       412  the thing is not of the version that the request is about; nothing was done
├── TooLarge           413  the body is over the limit
├── Unsupported        415  the body is of a kind that this path does not read
├── TooMany            429  the caller's tenant has used up an allowance; `Retry-After` says when to ask again
├── Internal           500  a fault of ours; says no word of what it was. Whatever else is raised becomes one
├── AnswerTooLarge     500  the answer is larger than can be sent
└── Unavailable        503  not now, for a reason of ours; the same request may succeed later
```
"""
# ruff: noqa: N818 - these are answers, named as the HTTP standard names them

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from typing_extensions import TypedDict


class ErrorField(TypedDict):
    """A field and what is wrong with it."""

    field: str
    message: str


class ErrorDetail(TypedDict):
    """What went wrong: a word for machines, a sentence for people, and the fields concerned."""

    code: str
    message: str
    fields: list[ErrorField]


class FieldError(NamedTuple):
    """What is wrong with one field; `field` is a path such as `items[3].sizeSystem`."""

    field: str
    message: str

    def view(self) -> ErrorField:
        """As the API shows it."""
        return {"field": self.field, "message": self.message}


class HttpError(Exception):
    """The base: message is for a person, code for a machine. `more` is added to the body, `headers` to the answer."""

    status: int
    code: str
    headers: Mapping[str, str] = {}

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        fields: Sequence[FieldError] = (),
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.fields = tuple(fields)
        self.more = dict(more or {})

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON body."""
        return {"error": detail(self.code, self.message, self.fields), "requestId": request_id, **self.more}


def detail(code: str, message: str, fields: Sequence[FieldError] = ()) -> ErrorDetail:
    """The one shape of an error, for a whole request or for one item of it."""
    return {"code": code, "message": message, "fields": [field.view() for field in fields]}


class Invalid(HttpError):
    """The request is malformed."""

    status = 400
    code = "invalid"

    @classmethod
    def field(cls, name: str, message: str) -> "Invalid":
        """One field of an otherwise good request is wrong."""
        return cls.of([FieldError(name, message)])

    @classmethod
    def of(cls, fields: Sequence[FieldError]) -> "Invalid":
        """These fields of the request are wrong."""
        return cls("the request is not valid", fields=fields)


class Unauthenticated(HttpError):
    """The request carries no caller that can be used."""

    status = 401
    code = "unauthenticated"
    headers = {"WWW-Authenticate": "Bearer"}  # noqa: RUF012 - a constant


class Forbidden(HttpError):
    """The caller is known and may not do this."""

    status = 403
    code = "forbidden"


class NotFound(HttpError):
    """There is no such thing, as far as this caller can know."""

    status = 404
    code = "not_found"

    @classmethod
    def of(cls, thing: str, field: str) -> "NotFound":
        """There is no `thing` with the id in `field`, or it is another tenant's: the answer does not tell which."""
        return cls(f"there is no such {thing}", fields=[FieldError(field, "not found")])


class MethodNotAllowed(HttpError):
    """The path has other methods."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(f"this path answers to {', '.join(allowed)}")
        self.headers = {"Allow": ", ".join(allowed)}


class Conflict(HttpError):
    """It cannot be done in the present state."""

    status = 409
    code = "conflict"


class WrongVersion(HttpError):
    """The thing is not of the version that `If-Match` names: somebody else has changed it."""

    status = 412
    code = "version_changed"


class TooLarge(HttpError):
    """The body is over the limit."""

    status = 413
    code = "too_large"


class Unsupported(HttpError):
    """The body is of another media type."""

    status = 415
    code = "unsupported_media_type"


class TooMany(HttpError):
    """The tenant has used up one of its allowances. Nothing was done.

    allowance: its name, as the configuration has it. most: how much it allows. after: ask again in so many seconds.
    """

    status = 429
    code = "allowance_used_up"

    def __init__(self, allowance: str, most: int, after: int) -> None:
        super().__init__(
            f"this goes beyond your allowance {allowance} ({most}); ask again in {after} s",
            fields=[FieldError(allowance, f"is {most}")],
        )
        self.headers = {"Retry-After": str(after)}


class Internal(HttpError):
    """A fault of ours."""

    status = 500
    code = "internal"

    def __init__(self) -> None:
        super().__init__("something went wrong here; whoever runs this API finds it by the request id")


class AnswerTooLarge(HttpError):
    """What was asked for is there, and more than one answer can hold."""

    status = 500
    code = "answer_too_large"

    def __init__(self) -> None:
        super().__init__("the answer has more than the 6 MB that can be sent; ask for less, with a smaller `limit`")


class Unavailable(HttpError):
    """Not now."""

    status = 503
    code = "unavailable"
