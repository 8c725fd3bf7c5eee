"""The frame of every page: navigation, who is signed in, and where style and script come from."""

from typing import Final

from markupsafe import Markup

from sluice.dashboard import assets, parts
from sluice.dashboard.html import Child, element, join
from sluice.dashboard.visit import Page, Visit

# What stands in the navigation. The last are for whoever runs the deployment.
PLACES: Final = (
    ("/dashboard", "Overview"),
    ("/dashboard/jobs", "Jobs"),
    ("/dashboard/dead-letters", "Dead letters"),
    ("/dashboard/budgets", "Budgets"),
    ("/dashboard/accounts", "Accounts"),
    ("/dashboard/pauses", "Pauses"),
    ("/dashboard/actions", "Audit log"),
)
FOR_PLATFORM: Final = (
    ("/dashboard/calls", "Marketplaces"),
    ("/dashboard/runs", "Runs"),
    ("/dashboard/tenants", "Tenants"),
)


def whole(visit: Visit, page: Page) -> str:
    """The page as the browser gets it."""
    places = PLACES + (FOR_PLATFORM if visit.is_platform else ())
    links = [
        element("li", parts.link(name, path, visit.of_tenant(), aria_current="page" if path == visit.here else None))
        for path, name in places
    ]
    caller = visit.session.caller
    chosen = visit.of_tenant().get("tenant")
    whose = f"tenant {chosen}" if chosen else ("all tenants" if visit.is_platform else f"tenant {caller.tenant}")
    header = element(
        "header",
        element("a", "Skip to the content", href="#content", class_="skip"),
        parts.link("Sluice", "/dashboard", visit.of_tenant(), class_="name"),
        element("nav", element("ul", links), aria_label="Pages"),
        element(
            "div",
            element("span", f"{caller.subject} · {whose}", class_="who"),
            parts.form(visit, "/dashboard/sign-out", parts.button("Sign out")),
            class_="account",
        ),
    )
    main = element(
        "main",
        element("h1", page.title),
        page.body,
        id="content",
        tabindex="-1",
        data_refresh="10" if page.refreshes else None,
    )
    return document(page.title, [header, main])


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
