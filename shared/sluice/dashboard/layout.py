"""The frame of every page: navigation, who is signed in, and where style and script come from."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from sluice.dashboard import assets, forms, parts
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.page import Page
from sluice.dashboard.pages import GROUPS, Place, is_own, offered
from sluice.dashboard.visit import Visit

# After which a page that changes by itself is asked for again.
REFRESH_SECONDS: Final = 10


def whole(visit: Visit, page: Page) -> str:
    """The page as the browser gets it."""
    header = element(
        "header",
        element("a", "Skip to the content", href="#content", class_="skip"),
        parts.link("Sluice", "/dashboard", visit.of_tenant(), class_="name"),
        element(
            "div",
            element("span", f"{visit.session.caller.subject} · {_whose(visit)}", class_="who"),
            forms.form(visit, "/dashboard/sign-out", forms.button("Sign out")),
            class_="account",
        ),
    )
    main = element(
        "main",
        element("h1", page.title),
        page.body,
        id="content",
        tabindex="-1",
        data_refresh=str(REFRESH_SECONDS) if page.refreshes else None,
    )
    return document(page.title, [header, element("div", _navigation(visit), main, class_="frame")])


def _navigation(visit: Visit) -> Markup:
    """What the caller may look at, by group."""
    return element("nav", [_group(visit, name, offered(visit, name)) for name in GROUPS], aria_label="Pages")


def _group(visit: Visit, name: str, places: Sequence[Place]) -> Markup | None:
    if not places:
        return None
    links = [
        element("li", parts.link(one.name, one.path, visit.of_tenant(), aria_current=_current(visit, one)))
        for one in places
    ]
    return element("div", element("p", name, class_="group"), element("ul", links), class_="places")


def _current(visit: Visit, place: Place) -> str | None:
    """Whether the page is this place, or one of the things that it lists."""
    if place.path == visit.here:
        return "page"
    return "true" if place.lists(visit.here) else None


def _whose(visit: Visit) -> str:
    own = f"tenant {visit.session.caller.tenant}"
    if not visit.is_platform or is_own(visit.here):
        return own
    chosen = visit.of_tenant().get("tenant")
    return f"tenant {chosen}" if chosen else "all tenants"


def bare(title: str, *children: Child) -> str:
    """A page for somebody who is not signed in."""
    return document(title, element("main", element("h1", title), children, id="content", class_="bare"))


def document(title: str, body: Child) -> str:
    """An HTML document."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} · Sluice"),
        element("link", rel="stylesheet", href=assets.address("style.css")),
        element("link", rel="icon", href="data:,"),
        element("script", src=assets.address("script.js"), defer=True),
    )
    return str(join([Markup("<!doctype html>"), element("html", head, element("body", body), lang="en")]))
