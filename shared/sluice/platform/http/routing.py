"""Routes as values: what is dispatched, checked and documented comes from the same `Route`.

```
 event ─► resolve ─► the Route that Powertools finds ─► caller ─► permission ─► path, query, body ─► call ─► answer
                                                          401        403             400, 413        HttpError
```
A POST with the header `Idempotency-Key` is done once: after the permission it is claimed or answered (`idempotency`).

A function's handler is `app = http.app(routes)` and `return http.resolve(app, event, context)`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.platform import races, usage
from sluice.platform.clock import Clock, SystemClock
from sluice.platform.config import live
from sluice.platform.http import answers, auth, etags, idempotency, parameters
from sluice.platform.http import body as body_of
from sluice.platform.http.auth import Caller, Permission
from sluice.platform.http.errors import (
    AnswerTooLarge,
    HttpError,
    Internal,
    MethodNotAllowed,
    NotFound,
    Unavailable,
    Unsupported,
)
from sluice.platform.http.models import Body, Query, check
from sluice.platform.observe import logger

JSON = "application/json"
# Of a body that a route reads by itself; UTF-16 is told by its bytes.
CHARSETS = ("", "utf-8", "utf8", "us-ascii", "utf-16", "utf-16le", "utf-16be")

# Answers are one tenant's business, so nobody on the way may keep them. A route says so if its answer may be kept.
PRIVATE = {"Cache-Control": "no-store"}


class Upload(NamedTuple):
    """A body that the route reads by itself: its bytes, and which of the route's media types it is."""

    raw: bytes
    media_type: str


B = TypeVar("B", bound=Body | Upload | None)
Q = TypeVar("Q", bound=Query | None)

clock: Clock = SystemClock()


class HttpRequest(NamedTuple, Generic[B, Q]):
    """One checked request.

    path: its parameters as the gateway gives them. now: epoch ms. seed: the same whenever this request is sent again
    under its `Idempotency-Key`; what it makes is named by it where nothing else names it. version: of the thing that it
    is about, by its header `If-Match`, where the route takes one.
    """

    id: str
    path: Mapping[str, str]
    body: B
    query: Q
    now: int
    caller: Caller | None = None
    seed: str | None = None
    version: int | None = None

    @property
    def tenant(self) -> str:
        """Whose data this request may see."""
        return self._known_caller().tenant

    @property
    def subject(self) -> str:
        """Who asks: the user of the tenant, as their issuer names them."""
        return self._known_caller().subject

    def _known_caller(self) -> Caller:
        if self.caller is None:
            raise RuntimeError("a public route has no caller")
        return self.caller


# A typed dict, answered as JSON with the route's status; or a whole response, where that does not fit.
Answer = Mapping[str, Any] | Response[Any]


class Route(NamedTuple, Generic[B, Q]):
    """One operation of the API.

    path: as OpenAPI writes it, `/v1/jobs/{job_id}`. call: does the work. answer: the typed dict that it returns, or a
    content type. permission: what the caller needs; None makes the route public. body, query: what they must look like.
    uploads: the media types of a body that the route reads by itself, with what the document says of each.
    errors: the refusals that `call` may raise, besides those that every route has. asks: how many items a request asks
    for, where its tenant's allowance counts them. versioned: it takes `If-Match`. most_bytes: of a body that may
    be longer than others. shows_secret: its answer is shown once and kept nowhere, so a repeat cannot have it.
    """

    method: str
    path: str
    summary: str
    call: Callable[[HttpRequest[B, Q]], Answer]
    answer: type | str
    permission: Permission | None
    body: type[B] | None = None
    query: type[Q] | None = None
    status: int = 200
    errors: tuple[type[HttpError], ...] = ()
    uploads: Mapping[str, type] | None = None
    asks: Callable[[HttpRequest[B, Q]], int] | None = None
    versioned: bool = False
    most_bytes: int = body_of.MOST_BYTES
    shows_secret: bool = False

    @property
    def is_repeatable(self) -> bool:
        """Whether it takes an `Idempotency-Key`. What is no POST may be sent again as it is."""
        return self.method == "POST" and self.permission is not None and not self.shows_secret

    @property
    def is_tagged(self) -> bool:
        """Whether its answer has an ETag (see `etags`)."""
        return self.method == "GET" and self.permission is not None and not isinstance(self.answer, str)

    @property
    def parameters(self) -> list[str]:
        """The names of the path's parameters."""
        return re.findall(r"\{(\w+)\}", self.path)


Routes = Sequence[Route[Any, Any]]


def app(routes: Routes) -> APIGatewayHttpResolver:
    """A resolver that answers `routes`, and everything else with an error of the one shape."""
    resolver = APIGatewayHttpResolver(serializer=answers.written)
    for route in routes:
        pattern = re.sub(r"\{(\w+)\}", r"<\1>", route.path)
        resolver.route(pattern, route.method)(_endpoint(resolver, route))

    @resolver.not_found
    def nowhere(_: NotFoundError) -> Response[Any]:
        path = resolver.current_event.path
        allowed = sorted({route.method for route in routes if _matches(route, path)})
        error = MethodNotAllowed(allowed) if allowed else NotFound("there is nothing at this path")
        return _refusal(error, resolver.current_event.raw_event)

    def failed(error: Exception) -> Response[Any]:
        event = resolver.current_event.raw_event
        if isinstance(error, HttpError):
            return _refusal(error, event)
        if isinstance(error, races.Contention):
            logger.warning("others were first each time", extra={"api_request_id": _request_id(event)}, exc_info=error)
            return _refusal(Unavailable("others have changed it all the time; send this again"), event)
        logger.exception("the request failed", extra={"api_request_id": _request_id(event)})
        return _refusal(Internal(), event)

    resolver.exception_handler(Exception)(failed)
    return resolver


def resolve(resolver: APIGatewayHttpResolver, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP API event (payload format 2.0), and log one line about it. Bodies are never logged."""
    started = clock.now()
    answer = resolver.resolve(parameters.by_route(event), context)
    if not answers.fits(answer["body"]):
        logger.error("the answer is too large to be sent", extra={"bytes": answers.size(answer["body"])})
        body = answers.written(AnswerTooLarge().body(_request_id(event)))
        answer = {
            **answer,
            "statusCode": AnswerTooLarge.status,
            "headers": {"Content-Type": JSON, **PRIVATE},
            "body": body,
        }
    line = {
        "method": event["requestContext"]["http"]["method"],
        "route": event.get("routeKey"),
        "status": answer["statusCode"],
        "ms": clock.now() - started,
        "tenant": auth.authorizer_context(event).get("tenant"),
        "api_request_id": _request_id(event),
    }
    logger.info("request", extra=line)
    return answer


def _endpoint(resolver: APIGatewayHttpResolver, route: Route[Any, Any]) -> Callable[..., Response[Any]]:
    def endpoint(**matched: str) -> Response[Any]:
        event = resolver.current_event.raw_event
        caller = None
        if route.permission is not None:
            caller = auth.caller(event)
            caller.require(route.permission)
        key = idempotency.header(event) if route.is_repeatable else None
        if key is None or caller is None:
            return _answer(route, event, matched, caller)
        return _answer_once(route, event, matched, caller, key)

    return endpoint


def _answer(
    route: Route[Any, Any],
    event: Mapping[str, Any],
    matched: Mapping[str, str],
    caller: Caller | None,
    seed: str | None = None,
) -> Response[Any]:
    answer = route.call(_checked(route, event, matched, caller, seed))
    if isinstance(answer, Response):
        return answer
    whole = Response(route.status, JSON, dict(answer), PRIVATE)
    return etags.unless_known(whole, answer, event) if route.is_tagged else whole


def _answer_once(
    route: Route[Any, Any], event: Mapping[str, Any], matched: Mapping[str, str], caller: Caller, key: str
) -> Response[Any]:
    """The answer to a request that may have been sent before. A repeat counts as a request that asks for nothing."""
    claim: idempotency.Claim | Response[str] | None = None
    try:
        path = {**matched, **(event.get("pathParameters") or {})}
        asked = idempotency.read(key, caller.tenant, f"{route.method} {route.path}", path, event)
        claim = idempotency.claim(asked, clock.now())
    finally:
        if not isinstance(claim, idempotency.Claim):
            _count(caller, 0, clock.now())
    if isinstance(claim, Response):
        return claim
    try:
        answer = _answer(route, event, matched, caller, asked.seed)
    except HttpError as error:
        answer = _refusal(error, event)
    except Exception:
        idempotency.release(claim)
        raise
    return idempotency.keep(claim, answer, clock.now())


def _count(caller: Caller, items: int, now: int) -> None:
    """Count one request, which asks for `items` items, for its tenant, or refuse it."""
    usage.charge(caller.tenant, items, now, live.current().tenants.allowed(caller.tenant))


def _checked(
    route: Route[Any, Any],
    event: Mapping[str, Any],
    matched: Mapping[str, str],
    caller: Caller | None,
    seed: str | None = None,
) -> HttpRequest[Any, Any]:
    """The request as the route wants it. It is counted for its tenant, once, whether it can be read or not."""
    now, items = clock.now(), 0
    try:
        request: HttpRequest[Any, Any] = HttpRequest(
            id=_request_id(event),
            path=parameters.path({**matched, **(event.get("pathParameters") or {})}),
            body=_body(route, event),
            query=parameters.query(route.query, event),
            now=now,
            caller=caller,
            seed=seed,
            version=parameters.version(event) if route.versioned else None,
        )
        items = route.asks(request) if route.asks else 0
    finally:
        if caller is not None:
            _count(caller, items, now)
    return request


def _body(route: Route[Any, Any], event: Mapping[str, Any]) -> Body | Upload | None:
    if route.uploads is None:
        return check(route.body, body_of.read(event, route.most_bytes)) if route.body else None
    media_type, charset = body_of.media_type(event)
    if media_type not in route.uploads:
        raise Unsupported(f"send {' or '.join(route.uploads)}, and say which in the header Content-Type")
    if charset not in CHARSETS:
        raise Unsupported(f"the body is said to be {charset[:32]}; send UTF-8")
    return Upload(body_of.raw(event, body_of.MOST_UPLOAD_BYTES), media_type)


def _matches(route: Route[Any, Any], path: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route.path), path) is not None


def _request_id(event: Mapping[str, Any]) -> str:
    return str(event["requestContext"].get("requestId", ""))


def _refusal(error: HttpError, event: Mapping[str, Any]) -> Response[Any]:
    return Response(error.status, JSON, error.body(_request_id(event)), {**PRIVATE, **error.headers})
