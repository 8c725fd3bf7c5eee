"""The routes of the configuration: read, check, change, go back."""

from dataclasses import asdict, fields
from typing import Annotated, Any, ClassVar

from pydantic import Field
from typing_extensions import TypedDict

from sluice.operator import actions, audit, configuring, counts
from sluice.operator.acting import DONE, Did
from sluice.operator.actions_api import Reason
from sluice.operator.configuring import Who
from sluice.platform.clock import iso
from sluice.platform.config import live, versions
from sluice.platform.config.document import SECTIONS, Config
from sluice.platform.http.auth import Permission
from sluice.platform.http.errors import Conflict, HttpError, Invalid, NotFound, Unavailable
from sluice.platform.http.models import Body, Example
from sluice.platform.http.routing import HttpRequest, Route
from sluice.platform.http.shapes import Time

CONFIGURE, REVERT = "configure", "revert"
Version = Annotated[int, Field(ge=1, le=10**9)]
Document = Annotated[dict[str, Any], Field(description="what differs from the defaults, as docs/configuration.md says")]


class ConfigurationCheck(Body):
    """A document to be checked."""

    example: ClassVar[Example] = {"document": {"limits": {"stockx": {"interval_ms": 600}}}}

    document: Document


class ChangeBody(Body):
    """The whole document that is to hold from now on."""

    example: ClassVar[Example] = {
        "version": 7,
        "document": {"limits": {"stockx": {"interval_ms": 600}}},
        "reason": "StockX gives us more",
    }

    version: Version = Field(description="the version that this was made of; it must be the newest still")
    document: Document
    reason: Reason | None = Field(None, description="for the audit log")


class RevertBody(Body):
    """Which version is to hold again."""

    example: ClassVar[Example] = {"version": 8, "to": 7, "reason": "it was too much"}

    version: Version = Field(description="the newest version as the caller knows it")
    to: Version = Field(description="whose document is to be the newest again")
    reason: Reason | None = Field(None, description="for the audit log")


class RefusedView(TypedDict):
    """The newest document, which is not valid, and why; what was valid last stays in force."""

    version: int
    reason: str


class ConfigurationView(TypedDict):
    """The newest document, and what holds.

    document: what differs from the defaults. values: every number with the defaults filled in, by section; of the
    newest valid version. by: who wrote it; empty for what a deployment wrote first.
    """

    version: int
    document: dict[str, Any]
    values: dict[str, Any]
    refused: RefusedView | None
    by: str
    reason: str | None
    at: Time


class Checked(TypedDict):
    """The document is valid. changes: what it would change of the newest, by place. values: all that would hold."""

    version: int
    changes: dict[str, Any]
    values: dict[str, Any]


class ConfigurationChanged(TypedDict):
    """The newest version now, and what it changed of the one before. actionId: null where nothing had to be changed."""

    version: int
    changes: dict[str, Any]
    actionId: str | None


class VersionRow(TypedDict):
    """A version: who wrote it, when and why, and what it changed; null of the oldest that is kept."""

    version: int
    by: str
    at: Time
    reason: str | None
    changes: dict[str, Any] | None


class Versions(TypedDict):
    """The versions that are kept, 100 at most, newest first."""

    versions: list[VersionRow]


class VersionView(TypedDict):
    """One version with its document."""

    version: int
    document: dict[str, Any]
    by: str
    at: Time
    reason: str | None


def show(_: HttpRequest[None, None]) -> ConfigurationView:
    """The configuration: the newest document, and what holds."""
    holds, newest = live.in_force(), configuring.past()[0]
    try:
        values, refused = configuring.check(newest.version.text, stored=True), None
    except Invalid as invalid:
        values, refused = holds.config, RefusedView(version=newest.version.number, reason=invalid.fields[0].message)
    return {
        "version": newest.version.number,
        "document": configuring.decode(newest.version.text),
        "values": _values(values),
        "refused": refused,
        "by": newest.by,
        "reason": newest.reason,
        "at": iso(newest.version.at),
    }


def check(request: HttpRequest[ConfigurationCheck, None]) -> Checked:
    """Whether a document is valid, and what it would change. Nothing is changed."""
    text, newest = configuring.encode(request.body.document), versions.newest()
    return {
        "version": newest.number,
        "changes": configuring.changes(newest.text, text),
        "values": _values(configuring.check(text)),
    }


def change(request: HttpRequest[ChangeBody, None]) -> ConfigurationChanged:
    """Have a document hold, in place of the version that it was made of."""
    body = request.body
    return _write(request, CONFIGURE, body.version, configuring.encode(body.document), body.reason)


def revert(request: HttpRequest[RevertBody, None]) -> ConfigurationChanged:
    """Have the document of an earlier version hold again."""
    body = request.body
    text = _of(body.to).version.text
    return _write(request, REVERT, body.version, configuring.encode(configuring.decode(text)), body.reason, to=body.to)


def list_versions(_: HttpRequest[None, None]) -> Versions:
    """Who changed what, newest first."""
    return {"versions": [_row(one) for one in configuring.past()]}


def get_version(request: HttpRequest[None, None]) -> VersionView:
    """One version with its document."""
    number = request.path["version"]
    if not number.isascii() or not number.isdigit() or len(number) > 10:
        raise NotFound.of("version", "version")
    found = _of(int(number))
    return {
        "version": found.version.number,
        "document": configuring.decode(found.version.text),
        "by": found.by,
        "at": iso(found.version.at),
        "reason": found.reason,
    }


def _write(
    request: HttpRequest[Any, None], word: str, expected: int, text: str, reason: str | None, **more: int
) -> ConfigurationChanged:
    """Change it, and note it before and after."""
    before = versions.newest()
    changed = configuring.changes(before.text, text)
    if not changed:
        return {"version": before.number, "changes": {}, "actionId": None}
    target = {"configuration": expected, **more}
    noted = audit.begin(request, word, target, reason, whose=counts.ALL, before={"version": before.number})
    try:
        done = configuring.change(expected, text, Who(request.subject, request.id, reason, request.now))
    except HttpError as refused:
        actions.finish(noted, {refused.code: 1}, request.now)
        raise
    after = {"version": done.number, "changes": changed}
    did = Did("configuration", counts.ALL, DONE, {"version": before.number}, after)
    actions.finish(noted, {DONE: 1}, request.now, [did.view()])
    return {"version": done.number, "changes": changed, "actionId": noted.entry}


def _of(number: int) -> configuring.Past:
    found = next((one for one in configuring.past() if one.version.number == number), None)
    if found is None:
        raise NotFound.of("version", "version")
    return found


def _row(one: configuring.Past) -> VersionRow:
    changes = dict(one.changes) if one.changes is not None else None
    at = iso(one.version.at)
    return {"version": one.version.number, "by": one.by, "at": at, "reason": one.reason, "changes": changes}


def _values(config: Config) -> dict[str, Any]:
    """Every number that holds, by section."""
    sections = {one.name: getattr(config, one.name) for one in fields(config) if one.name in SECTIONS}
    limits = {
        name: asdict(one) | {"windows": [window.to_json() for window in one.windows]}
        for name, one in sections.pop("limits").items()
    }
    return {name: asdict(one) for name, one in sections.items()} | {"limits": limits}


_BASE, _READ, _ACT = "/v1/operator/configuration", Permission.DEPLOYMENT_READ, Permission.DEPLOYMENT_ACT
ROUTES: tuple[Route[Any, Any], ...] = (
    Route("GET", _BASE, "Show the configuration", show, ConfigurationView, _READ),
    Route(
        "PUT",
        _BASE,
        "Change the configuration",
        change,
        ConfigurationChanged,
        _ACT,
        body=ChangeBody,
        errors=(Conflict, Unavailable),
    ),
    Route("POST", f"{_BASE}/check", "Check a configuration", check, Checked, _READ, body=ConfigurationCheck),
    Route(
        "POST",
        f"{_BASE}/revert",
        "Go back to an earlier configuration",
        revert,
        ConfigurationChanged,
        _ACT,
        body=RevertBody,
        errors=(Conflict, Unavailable, NotFound),
    ),
    Route("GET", f"{_BASE}/versions", "List who changed the configuration", list_versions, Versions, _READ),
    Route("GET", f"{_BASE}/versions/{{version}}", "Show a configuration as it was", get_version, VersionView, _READ),
)
