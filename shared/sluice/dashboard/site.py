"""From a request to an answer: who is signed in, is the form theirs, which page, and what becomes of a refusal.

```
 GET   no session ─► sign in, and back here          page ─► asks the API ─► 200, or the API's refusal as a page
 POST  from this site, with the session's key? ─► does it by the API, once ─► 303 to a page
```
"""

import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.shared.cookies import Cookie, SameSite
from aws_lambda_powertools.utilities.typing import LambdaContext
from markupsafe import Markup

from sluice.dashboard import assets, layout, parts, sendable, sent, sessions, sign_in
from sluice.dashboard.ask import ApiFailure, ApiRefusal
from sluice.dashboard.html import element, join
from sluice.dashboard.issuer import NotSignedIn
from sluice.dashboard.page import Page, Redirect
from sluice.dashboard.pages import PAGES, Show
from sluice.dashboard.sendable import HEADERS, HTML
from sluice.dashboard.sent import SentForm
from sluice.dashboard.sessions import Session
from sluice.dashboard.table import Table
from sluice.dashboard.visit import Visit, is_ours
from sluice.platform.clock import Clock, SystemClock
from sluice.platform.http.errors import AnswerTooLarge
from sluice.platform.observe import logger
from sluice.platform.settings import settings

SESSION_COOKIE, SIGN_IN_COOKIE = "__Host-sluice", "__Host-sluice-sign-in"
# Of a cookie: the browser forgets it.
OVER: Final = -1
MOST_FORM_BYTES: Final = 64 * 1024
clock: Clock = SystemClock()


class NotOurForm(Exception):  # noqa: N818 - an answer
    """The form was not made by a page of this session, or cannot be read. status: of the page that says so."""

    def __init__(self, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.status = status


def make() -> APIGatewayHttpResolver:
    """A resolver for every page."""
    app = APIGatewayHttpResolver()
    app.get("/dashboard/assets/<name>", compress=True)(lambda name: _asset(name))
    app.get("/dashboard/sign-in")(lambda: _sign_in(app.current_event.raw_event))
    app.get("/dashboard/signed-in")(lambda: _signed_in(app.current_event.raw_event))
    app.get("/dashboard/signed-out")(lambda: _signed_out())
    app.post("/dashboard/sign-out")(lambda: _sign_out(app.current_event.raw_event))
    for key, show in PAGES.items():
        method, _, path = key.partition(" ")
        app.route(path, method, compress=True)(_endpoint(app, method, show))

    @app.not_found
    def nowhere(_: NotFoundError) -> Response[Any]:
        return _html(404, layout.bare("Nothing here", _words("There is no such page."), _home()))

    def failed(error: Exception) -> Response[Any]:
        if isinstance(error, NotOurForm):
            return _html(error.status, layout.bare("Not done", _words(str(error)), _home()))
        logger.exception("the page failed", extra={"api_request_id": _request_id(app.current_event.raw_event)})
        return _html(500, layout.bare("That did not work", _words("Something failed here. Try again."), _home()))

    app.exception_handler(Exception)(failed)
    return app


def resolve(app: APIGatewayHttpResolver, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP API event (payload format 2.0), and log one line about it. Forms and cookies are never logged."""
    started = clock.now()
    answer = sendable.sendable(app.resolve(event, context))
    http = event["requestContext"]["http"]
    line = {"method": http["method"], "status": answer["statusCode"], "ms": clock.now() - started}
    logger.info("page", extra={**line, "api_request_id": _request_id(event)})
    return answer


def _endpoint(app: APIGatewayHttpResolver, method: str, show: Show) -> Callable[..., Response[Any]]:
    def endpoint() -> Response[Any]:
        event = app.current_event.raw_event
        session = _session(event)
        form, files = _form(event) if method == "POST" else SentForm({}, {})
        if session is None:
            return _signs_in_first(form.get("back")) if method == "POST" else _redirect(_to_sign_in(_here(event)))
        if method == "POST":
            _ours(event, form, session)
        query = dict(parse_qsl(event.get("rawQueryString") or ""))
        once = secrets.token_urlsafe(9)
        visit = Visit(session, event["rawPath"], _request_id(event), clock.now(), query, form, once, files)
        return _answer(visit, show)

    return endpoint


def _signs_in_first(back: str | None) -> Response[Any]:
    """A form sent after its session. By itself it cannot lead to the issuer: forms go nowhere else (`POLICY`)."""
    told = _words(
        "Your session is over, so nothing was done. Sign in, and you are back at the page that you came from."
    )
    way = element("p", element("a", "Sign in", href=_to_sign_in(back), class_="button"))
    return _html(401, layout.bare("Sign in first", told, way))


def _to_sign_in(back: str | None) -> str:
    return parts.address("/dashboard/sign-in", {"back": back or ""})


def _answer(visit: Visit, show: Show) -> Response[Any]:
    try:
        found = show(visit)
    except ApiRefusal as refused:
        found = _refusal(visit, refused)
    except AnswerTooLarge as large:
        found = Page("Not possible", sendable.TOO_LARGE, status=large.status)
    except ApiFailure as failed:
        logger.error("a function of the API has failed", extra={"function": str(failed)})
        told = _words("The part of Sluice that knows this does not answer just now. Try again in a moment.")
        found = Page("That did not work", told, status=502)
    if isinstance(found, Redirect):
        return _redirect(found.to)
    wanted = [table for table in found.tables if table.name == visit.query.get("table", "")]
    if wanted and found.status == 200 and visit.query.get("format") == "csv":
        return _csv(visit, wanted[0])
    return _html(found.status, layout.whole(visit, found))


def _csv(visit: Visit, table: Table) -> Response[Any]:
    page = visit.here.removeprefix("/dashboard").strip("/").replace("/", "-") or "overview"
    name = f"{page}-{table.name}" if table.name else page
    headers = {"Content-Disposition": f'attachment; filename="sluice-{name}.csv"'}
    return Response(200, "text/csv; charset=utf-8", table.csv(), {**HEADERS, **headers})


def _refusal(visit: Visit, refused: ApiRefusal) -> Page:
    """What the API refused, as a page that leads back. A page with a filter shows the reason at its fields itself."""
    fields = [element("li", f"{name}: {message}") for name, message in refused.fields.items()]
    back = element("p", parts.link("Back", visit.back)) if visit.form else _home()
    body = [element("p", refused.message, class_="refused", role="alert"), element("ul", fields) if fields else None]
    return Page("Not done" if visit.form else "Not possible", join([*body, back]), refused.status)


def _session(event: Mapping[str, Any]) -> Session | None:
    session_id = _cookies(event).get(SESSION_COOKIE)
    return sessions.find(session_id, clock.now()) if session_id else None


def _ours(event: Mapping[str, Any], form: Mapping[str, str], session: Session) -> None:
    """Do nothing if the form comes from a page of this site, made for this session.

    Raises:
        NotOurForm: it does not.
    """
    headers = _headers(event)
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    same = site == "same-origin" if site else _netloc(origin or "") == headers.get("host", "")
    if not same:
        raise NotOurForm("This request did not come from a page of Sluice, so nothing was done.")
    if not hmac.compare_digest(form.get("form_key", "").encode(), session.form_key.encode()):
        raise NotOurForm(
            "This form was made in an earlier session, so nothing was done. Go back, and load the page anew."
        )


def _netloc(origin: str) -> str | None:
    """Host and port of an origin; None where it names none."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


def _sign_in(event: dict[str, Any]) -> Response[Any]:
    back = dict(parse_qsl(event.get("rawQueryString") or "")).get("back")
    try:
        address, state = sign_in.begin(_host(event), back if back and is_ours(back) else "/dashboard", clock.now())
    except NotSignedIn as not_signed_in:
        return _html(503, layout.bare("Sign in", _words(str(not_signed_in))))
    return _redirect(address, _cookie(SIGN_IN_COOKIE, state, sessions.SIGN_IN_MS // 1_000))


def _signed_in(event: dict[str, Any]) -> Response[Any]:
    query = dict(parse_qsl(event.get("rawQueryString") or ""))
    try:
        caller, back = sign_in.finish(_host(event), query, _cookies(event).get(SIGN_IN_COOKIE), clock.now())
    except NotSignedIn as not_signed_in:
        again = element("p", parts.link("Sign in", "/dashboard/sign-in"))
        return _html(403, layout.bare("Not signed in", _words(str(not_signed_in)), again))
    session_id = sessions.create(caller, clock.now())
    logger.info("signed in", extra={"tenant": caller.tenant, "subject": caller.subject})
    kept = _cookie(SESSION_COOKIE, session_id, sessions.LONGEST_MS // 1_000)
    return _redirect(back, kept, _cookie(SIGN_IN_COOKIE, "", OVER))


def _sign_out(event: dict[str, Any]) -> Response[Any]:
    session = _session(event)
    if session is not None:
        _ours(event, _form(event).fields, session)
        sessions.end(_cookies(event)[SESSION_COOKIE])
    return _redirect("/dashboard/signed-out", _cookie(SESSION_COOKIE, "", OVER))


def _signed_out() -> Response[Any]:
    again = element("p", parts.link("Sign in again", "/dashboard/sign-in"))
    return _html(200, layout.bare("Signed out", _words("Your session is over."), again))


def _asset(name: str) -> Response[Any]:
    try:
        text = assets.read(name)
    except KeyError:
        return Response(404, HTML, layout.bare("Nothing here", _home()), HEADERS)
    kept = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(200, assets.TYPES[name], text, kept)


def _form(event: Mapping[str, Any]) -> SentForm:
    """What a form says.

    Raises:
        NotOurForm: it is longer than any of ours, or no form.
    """
    from sluice.platform.http import body  # pages that only show need it not
    from sluice.platform.http.errors import TooLarge

    content_type = _headers(event).get("content-type", "")
    most = body.MOST_UPLOAD_BYTES if content_type.startswith("multipart/") else MOST_FORM_BYTES
    try:
        return sent.read(body.raw(event, most), content_type)
    except TooLarge as large:
        raise NotOurForm(f"Nothing was done: {large}.", large.status) from large
    except ValueError as error:
        raise NotOurForm("This is no form of Sluice, so nothing was done.") from error


def _html(status: int, text: str) -> Response[Any]:
    return Response(status, HTML, text, HEADERS)


def _redirect(to: str, *cookies: Cookie) -> Response[Any]:
    return Response(303, HTML, "", {**HEADERS, "Location": to}, list(cookies))


def _cookie(name: str, value: str, seconds: int) -> Cookie:
    """A cookie that this host alone gets, no script reads, and no other site's form carries along."""
    return Cookie(name, value, path="/", secure=True, http_only=True, same_site=SameSite.LAX_MODE, max_age=seconds)


def _cookies(event: Mapping[str, Any]) -> dict[str, str]:
    # An HTTP API hands them over apart from the other headers; not every local gateway does.
    given = event.get("cookies") or _headers(event).get("cookie", "").split(";")
    pairs = (one.strip().partition("=") for one in given)
    return {name: value for name, _, value in pairs}


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    """Header names are lower case on AWS, not in every local gateway."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def _host(event: Mapping[str, Any]) -> str:
    """The host that the browser asked. The gateway answers to none but its own; on a laptop it has a port too."""
    context: Mapping[str, Any] = event["requestContext"]
    return _headers(event).get("host", "") if settings().on_a_laptop else str(context.get("domainName", ""))


def _here(event: Mapping[str, Any]) -> str:
    query = event.get("rawQueryString")
    return f"{event['rawPath']}?{query}" if query else str(event["rawPath"])


def _request_id(event: Mapping[str, Any]) -> str:
    return str(event["requestContext"].get("requestId", ""))


def _words(text: str) -> Markup:
    return element("p", text)


def _home() -> Markup:
    return element("p", parts.link("To the overview", "/dashboard"))
