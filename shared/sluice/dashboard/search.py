"""Lists: what is looked for stands in the page's address, and what is wrong with it stands beside its field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from sluice.dashboard import forms
from sluice.dashboard.ask import ApiRefusal
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.page import Page
from sluice.dashboard.parts import link
from sluice.dashboard.table import Table
from sluice.dashboard.visit import Visit

BAD_REQUEST: Final = 400


@dataclass(frozen=True)
class Filter:
    """What a list can be filtered by, in the API's words: the address of the page has the same.

    fields: texts, by name, with their labels. choices: by name, with their label and what there is to choose.
    button: what its button says.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, Sequence[str]]] = field(default_factory=dict)
    button: str = "Filter"

    def asked(self, visit: Visit) -> dict[str, str]:
        """What the page's address asks for."""
        return visit.asked(*self.choices, *self.fields)

    def html(self, visit: Visit, wrong: Mapping[str, str]) -> Markup:
        """The form, with what is wrong with what was asked for. What was asked for stands in the address afterwards."""
        query = visit.query
        inputs = [
            forms.select(name, label, options, query.get(name), wrong=wrong.get(name))
            for name, (label, options) in self.choices.items()
        ]
        inputs += forms.input_fields(self.fields, query, wrong).values()
        tenant = [element("input", type="hidden", name="tenant", value=value) for value in visit.of_tenant().values()]
        sent = [forms.button(self.button, kind="strong"), link("Clear", visit.here, visit.of_tenant())]
        made = element("form", tenant, inputs, sent, method="get", action=visit.here, class_="filter", role="search")
        return join([forms.others(wrong, [*self.choices, *self.fields]), made])


# A page of a list may have nothing that matches, and the next one something.
ON_THE_NEXT: Final = "None on this page; there may be some on the next."


class Found(NamedTuple):
    """What a list's route answers.

    answer: empty where it refused what was asked for. wrong: what is wrong, by field.
    """

    answer: Mapping[str, Any]
    wrong: Mapping[str, str]

    @property
    def status(self) -> int:
        """Of the page."""
        return BAD_REQUEST if self.wrong else 200

    def rows(self, name: str) -> list[Any]:
        """The things of the list."""
        return list(self.answer.get(name, ()))

    @property
    def next(self) -> str | None:
        """Where the next page begins."""
        return self.answer.get("next")


def search(
    visit: Visit, route: str, asked: Mapping[str, str], *, path: Mapping[str, str] | None = None, name: str = ""
) -> Found:
    """What `route` answers to what is `asked`, on the page of it that the address names.

    name: of a list that is not the only one of its page, under which the address says where it goes on.
    A hand-made address shows the page with the reason, so a refusal of what was asked is an answer here.
    """
    try:
        cursor = visit.query.get(_cursor(name))
        return Found(visit.get(route, path=path, query={**asked, **({"cursor": cursor} if cursor else {})}), {})
    except ApiRefusal as refused:
        if refused.status != BAD_REQUEST:
            raise
        return Found({}, refused.named("filter"))


def more(visit: Visit, found: Found, name: str = "") -> Markup | None:
    """The link to what comes after what was found. name: as `search` has it."""
    if not found.next:
        return None
    return element("p", link("Next page", visit.here, {**visit.query, _cursor(name): found.next}, rel="next"))


def _cursor(name: str) -> str:
    return f"{name}.cursor" if name else "cursor"


def listing(
    title: str,
    found: Found,
    table: Table,
    *,
    filter_: Filter | None = None,
    before: Child = None,
    after: Child = None,
    form: Child = None,
    status: int = 200,
    refreshes: bool = False,
) -> Page:
    """The page of a list: its filter, its rows, and the link to what comes after.

    before, after: what stands between the filter and the rows, and below them; not shown where the API refused.
    form: what stands below all of it, refused or not. status: of what the API said to that form.
    """
    visit = table.visit
    head = filter_.html(visit, found.wrong) if filter_ else forms.others(found.wrong, ())
    shown = table._replace(empty=ON_THE_NEXT) if found.next else table
    rows = [before, shown.html(), more(visit, found), after]
    body = join([head, None if found.wrong else rows, form])
    return Page(title, body, max(status, found.status), refreshes, (table,))
