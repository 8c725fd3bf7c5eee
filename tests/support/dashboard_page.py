"""Looking at the dashboard's pages and sending their forms, as a browser would, without one."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

from sluice.dashboard import sessions, site
from sluice.platform.clock import SystemClock
from sluice.platform.http.auth import Caller
from tests.support.dashboard import Shown, request

OURS = {"sec-fetch-site": "same-origin"}


def signed_in(*roles: str, tenant: str = "acme") -> dict[str, str]:
    """The cookie of somebody who is signed in; as an `operator`, if no roles are named."""
    caller = Caller(tenant, frozenset(roles or ("operator",)), f"ada@{tenant}")
    return {site.SESSION_COOKIE: sessions.create(caller, SystemClock().now())}


def look(path: str, who: dict[str, str] | None = None, query: str = "") -> Shown:
    """A page; as an `operator` of `acme`, if nobody is named."""
    path, _, asked = path.partition("?")
    return request("GET", path, query=query or asked, cookies=who or signed_in())


def send(path: str, form: dict[str, Any], who: dict[str, str], headers: dict[str, str] = OURS) -> Shown:
    """Send a form."""
    return request("POST", path, cookies=who, headers=headers, body=urlencode(form))


def form_of(shown: Shown, word: str) -> dict[str, str]:
    """The hidden fields of the first form whose button says `word`."""
    forms = re.findall(r"<form[^>]*>.*?</form>", shown.text, re.DOTALL)
    found = next(one for one in forms if f">{word}</button>" in one)
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', found)
    return {unescape(name): unescape(value) for name, value in fields}


def filled(shown: Shown, action: str) -> dict[str, str]:
    """The whole form that is sent to `action`, as a browser sends it untouched."""
    [form] = re.findall(rf'<form[^>]*action="{re.escape(action)}".*?</form>', shown.text, re.DOTALL)
    found: dict[str, str] = {}
    for one in re.findall(r"<input ([^>]*)>", form):
        given = dict(re.findall(r'([\w-]+)="([^"]*)"', one))
        if given["type"] != "checkbox" or one.endswith("checked"):
            found[given["name"]] = unescape(given.get("value", ""))
    return found
