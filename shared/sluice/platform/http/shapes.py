"""What the API's document says of a text beyond that it is one: a time, one of a few words.

It is light, so that what is loaded at a start may use it: only the document asks for what stands here.

Example:
    class Shipment(TypedDict):
        state: Annotated[str, Among(State)]
        sentAt: Time
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

Schema = dict[str, Any]


class Shape:
    """Adds `more` to the JSON schema of the text that it marks."""

    def __init__(self, **more: Any) -> None:
        self._more = more

    def __get_pydantic_json_schema__(self, core: Any, handler: Callable[[Any], Schema]) -> Schema:
        """For pydantic, when the document is made."""
        return {**handler(core), **self._more}


class Among(Shape):
    """The text is one of `words`."""

    def __init__(self, words: Iterable[str]) -> None:
        super().__init__(enum=[str(word) for word in words])


# RFC 3339 in UTC, to the millisecond, as `clock.iso` writes it.
Time = Annotated[str, Shape(format="date-time", examples=["2026-11-22T09:42:23.507Z"])]
