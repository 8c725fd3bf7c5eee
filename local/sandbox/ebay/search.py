"""What the parameters of a Browse search mean. eBay leaves out what it does not understand, with a warning."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from local.sandbox.ebay.items import Item

NEW = ("1000", "1500", "1750")
_PART = re.compile(r"([^:,{}]+):(\{[^}]*\}|\[[^\]]*\]|[^,{}]*)(?:,|$)")
Matches = Callable[[Item], bool]


@dataclass
class Search:
    """The tests that an item must pass, and the filters that were left out."""

    tests: list[Matches] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def find(self, items: Sequence[Item]) -> list[Item]:
        return [item for item in items if all(test(item) for test in self.tests)]


def read(query: Mapping[str, str], aspect: str) -> Search:
    """The search that `query` asks for. aspect: how the site names a shoe size."""
    search = Search()
    either, words = keywords(query.get("q", ""))
    search.tests.append(lambda item: set(words) <= _words(item) and (not either or bool(set(either) & _words(item))))
    categories = set(filter(None, query.get("category_ids", "").split(",")))
    if categories:
        search.tests.append(_has(lambda item: item.category, categories))
    _filter(search, query.get("filter", ""))
    _aspects(search, query.get("aspect_filter", ""), categories, aspect)
    if query.get("sort", "price") not in ("price", "-price", "newlyListed", "endingSoonest"):
        search.left_out.append("sort")
    return search


def keywords(text: str) -> tuple[list[str], list[str]]:
    """`(this, that) other`: of the first any must be there, of the rest all."""
    found = re.match(r"\(([^)]*)\)", text.strip())
    either = [word.strip().upper() for word in found[1].split(",")] if found else []
    return either, text.strip()[found.end() if found else 0 :].upper().split()


def _words(item: Item) -> set[str]:
    """The words of its title; of a shoe with two styles in one field, each of them too."""
    return {part for word in item.title.upper().split() for part in (word, *word.split("/"))}


def _filter(search: Search, text: str) -> None:
    options = {"FIXED_PRICE"}  # eBay's default
    parts, rest = _parts(text)
    if rest:
        search.left_out.append("filter")
    for name, values in parts:
        if name == "conditions" and values <= {"NEW", "USED"}:
            search.tests.append(_has(lambda item: "NEW" if item.condition_id in NEW else "USED", values))
        elif name == "conditionIds" and all(value.isdecimal() for value in values):
            search.tests.append(_has(lambda item: item.condition_id, values))
        elif name == "buyingOptions" and values <= {"FIXED_PRICE", "AUCTION", "BEST_OFFER", "CLASSIFIED_AD"}:
            options = values
        else:
            search.left_out.append(name)
    search.tests.append(lambda item: item.buying_option in options)


def _aspects(search: Search, text: str, categories: set[str], aspect: str) -> None:
    if not text:
        return
    parts, rest = _parts(text)
    asked = dict(parts)
    category = asked.pop("categoryId", set())
    if rest or not category or not category <= categories:
        search.left_out.append("aspect_filter")
        return
    systems = {aspect.format(system): system for system in ("US", "UK", "EU")}
    for name, values in asked.items():
        if name in systems:
            search.tests.append(_has(_size_in(systems[name]), values))
        else:
            search.left_out.append(name)


def _has(what: Callable[[Item], str | None], values: set[str]) -> Matches:
    return lambda item: what(item) in values


def _size_in(system: str) -> Callable[[Item], str | None]:
    return lambda item: item.sizes().get(system)


def _parts(text: str) -> tuple[list[tuple[str, set[str]]], str]:
    """`name:{A|B},name:value` as pairs, and what is none of that."""
    parts = [(name.strip(), set(value.strip("{}").split("|"))) for name, value in _PART.findall(text)]
    return parts, _PART.sub("", text)
