"""A call to a marketplace as plain values: what is sent, and what came back. Their `repr` shows no secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from sluice.marketplaces.http.errors import BadRequest


@dataclass(frozen=True)
class Call:
    """One request.

    path: a template such as `/products/{product_id}`, the form in which it is logged; `ids` fill it, each quoted.
    json, form: the body, at most one of them. most_bytes: of an answer that may be larger than usual; 0 for the usual.
    """

    method: str
    path: str
    ids: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    most_bytes: int = 0

    def filled_path(self) -> str:
        """The path with its ids in it.

        Raises:
            BadRequest: an id is empty or dots only, and would name another path.
        """
        for name, value in self.ids.items():
            if value.strip(".") == "":
                raise BadRequest(f"{self.method} {self.path}: {name} must not be {value!r}")
        return self.path.format_map({name: quote(value, safe="") for name, value in self.ids.items()})

    def secrets(self) -> set[str]:
        """Every text in this request that no error may repeat, however a marketplace words its answer."""
        values = [*self.headers.values(), *(self.form or {}).values()]
        return {word for value in values for word in value.split() if len(word) >= 8}


@dataclass(frozen=True)
class Answer:
    """A complete answer. `source` says whose and to what, for messages: `stockx GET /products/{product_id}`.

    headers: their names in lower case. body: unpacked. secrets: of the request, for whoever quotes the body.
    """

    source: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
