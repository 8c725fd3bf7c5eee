"""`/_sandbox/`: the switches and the log over HTTP, for whoever runs in another process. No marketplace's part."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.sandbox.ebay.inventory import control as ebay_control
from local.sandbox.faults import FAULTS, Latency
from local.sandbox.limits import Limits
from local.sandbox.report import TEN_MINUTES_MS
from local.sandbox.shops.shops import SHOPS, ShopState
from local.sandbox.stockx import selling_bodies
from local.sandbox.stockx.inputs import RefusedError
from local.sandbox.stockx.listings import Change, OperationType
from local.sandbox.world import World

Endpoint = Callable[[Request], Awaitable[Response]]


class LogFilter(BaseModel):
    """The query of `GET /_sandbox/requests`: see `Log.entries`."""

    model_config = ConfigDict(extra="forbid")

    marketplace: str | None = None
    account: str | None = None
    method: str | None = None
    path: str = "*"
    status: int | None = None
    fault: str | None = None
    after: int = Field(default=0, ge=0)


class Publishing(BaseModel):
    """The body of `PUT /_sandbox/accounts/{account}/ebay_listings/{listing_id}`: see `Sandbox.publish`."""

    model_config = ConfigDict(extra="forbid")

    known_after_s: float | None = Field(default=None, ge=0)


class ClockSetting(BaseModel):
    """The body of `PUT /_sandbox/clock`: how far the marketplaces' clocks are ahead."""

    model_config = ConfigDict(extra="forbid")

    ahead_s: float = Field(default=0, ge=-3_600, le=3_600)


class ByHand(BaseModel):
    """The body of `POST …/listings/{listing_id}/operations`: what the owner does elsewhere."""

    model_config = ConfigDict(extra="forbid")

    operation: OperationType
    amount: str | None = None
    currency: str | None = None
    active: bool | None = None
    via: str = "WEB"


class ReportQuery(BaseModel):
    """The query of `GET /_sandbox/report`."""

    model_config = ConfigDict(extra="forbid")

    duplicates_within_ms: int = Field(default=TEN_MINUTES_MS, ge=1)


def routes(world: World) -> list[Route]:
    async def health(_: Request) -> Response:
        names = [marketplace.name for marketplace in world.front.marketplaces]
        calls = len(world.log.entries())
        return JSONResponse({"status": "ok", "seed": world.seed, "marketplaces": names, "calls": calls})

    async def requests(request: Request) -> Response:
        wanted = LogFilter.model_validate(dict(request.query_params))
        rows = [entry.as_dict() for entry in world.log.entries(**wanted.model_dump())]
        return JSONResponse({"count": len(rows), "requests": rows})

    async def clear_requests(_: Request) -> Response:
        world.log.clear()
        return Response(status_code=204)

    async def show_report(request: Request) -> Response:
        query = ReportQuery.model_validate(dict(request.query_params))
        return JSONResponse(world.report(query.duplicates_within_ms).as_dict())

    async def faults(_: Request) -> Response:
        return JSONResponse(FAULTS.dump_python(world.faults.current, mode="json"))

    async def set_faults(request: Request) -> Response:
        world.faults.set(*FAULTS.validate_json(await request.body()))
        return await faults(request)

    async def latency(_: Request) -> Response:
        return _model(world.front.latency)

    async def set_latency(request: Request) -> Response:
        world.front.latency = Latency.model_validate_json(await request.body())
        return await latency(request)

    async def limits(request: Request) -> Response:
        return _model(world.quotas.of(_marketplace(request)))

    async def set_limits(request: Request) -> Response:
        world.quotas.set(_marketplace(request), Limits.model_validate_json(await request.body()))
        return await limits(request)

    async def connect(request: Request) -> Response:
        return JSONResponse(
            asdict(world.accounts.connect(request.path_params["account"], request.query_params.get("application", "")))
        )

    async def listings(request: Request) -> Response:
        rows = world.stockx.listings(request.path_params["account"], world.clock())
        return JSONResponse({"count": len(rows), "listings": [selling_bodies.listing(row) for row in rows]})

    async def operations(request: Request) -> Response:
        rows = world.stockx.operations(request.path_params["account"], world.clock())
        return JSONResponse({"count": len(rows), "operations": [selling_bodies.operation(row) for row in rows]})

    async def sell(request: Request) -> Response:
        account, listing_id = request.path_params["account"], request.path_params["listing_id"]
        return JSONResponse(selling_bodies.listing(world.stockx.sell(account, listing_id, world.front.now())))

    async def by_hand(request: Request) -> Response:
        account, listing_id = request.path_params["account"], request.path_params["listing_id"]
        wanted = ByHand.model_validate_json(await request.body())
        change = Change(wanted.amount, wanted.currency, active=wanted.active)
        done = world.stockx.by_hand(account, listing_id, wanted.operation, change, world.front.now(), wanted.via)
        return JSONResponse(selling_bodies.operation(done))

    async def move_product(request: Request) -> Response:
        try:
            world.catalog.move(request.path_params["style"])
        except KeyError:
            return JSONResponse({"error": "there is no such product with a name"}, 404)
        return Response(status_code=204)

    async def clock(_: Request) -> Response:
        return JSONResponse({"ahead_s": world.front.ahead_ms / 1000})

    async def set_clock(request: Request) -> Response:
        world.front.ahead_ms = round(ClockSetting.model_validate_json(await request.body()).ahead_s * 1000)
        return await clock(request)

    async def publish(request: Request) -> Response:
        wanted = Publishing.model_validate_json(await request.body() or "{}")
        account, listing_id = request.path_params["account"], request.path_params["listing_id"]
        return JSONResponse(asdict(world.ads.publish(account, listing_id, world.clock(), wanted.known_after_s)))

    async def ebay(request: Request) -> Response:
        return JSONResponse(ebay_control.shown(world.ebay.shop(request.path_params["account"])))

    async def ebay_deed(request: Request) -> Response:
        deed = ebay_control.Deed.model_validate_json(await request.body())
        ebay_control.do(world.ebay, request.path_params["account"], request.path_params["sku"], deed)
        return await ebay(request)

    async def ads(request: Request) -> Response:
        rows = [asdict(ad) for ad in world.ads.ads(request.path_params["account"])]
        return JSONResponse({"count": len(rows), "ads": rows, "repeated": dict(world.ads.repeated)})

    async def shops_(request: Request) -> Response:
        port = request.url.port
        rows = [
            {"name": shop.name, "system": shop.system, "url": f"http://{shop.host}:{port}{shop.path}"} for shop in SHOPS
        ]
        return JSONResponse({"count": len(rows), "shops": rows})

    async def set_shop(request: Request) -> Response:
        state = ShopState.model_validate_json(await request.body() or "{}")
        world.shelves.set(request.path_params["shop"], state)
        return _model(state)

    async def revoke(request: Request) -> Response:
        world.accounts.revoke(request.path_params["account"])
        return Response(status_code=204)

    async def expire(request: Request) -> Response:
        world.accounts.expire(request.path_params["account"])
        return Response(status_code=204)

    def _marketplace(request: Request) -> str:
        names = [marketplace.name for marketplace in world.front.marketplaces]
        name: str = request.path_params["marketplace"]
        if name not in names:
            raise ValueError(f"no marketplace {name!r}; there are {', '.join(names)}")
        return name

    table: list[tuple[str, str, Endpoint]] = [
        ("GET", "/health", health),
        ("GET", "/requests", requests),
        ("DELETE", "/requests", clear_requests),
        ("GET", "/report", show_report),
        ("GET", "/faults", faults),
        ("PUT", "/faults", set_faults),
        ("GET", "/latency", latency),
        ("PUT", "/latency", set_latency),
        ("POST", "/products/{style}/move", move_product),
        ("GET", "/clock", clock),
        ("PUT", "/clock", set_clock),
        ("GET", "/limits/{marketplace}", limits),
        ("PUT", "/limits/{marketplace}", set_limits),
        ("PUT", "/accounts/{account}", connect),
        ("DELETE", "/accounts/{account}", revoke),
        ("DELETE", "/accounts/{account}/access_tokens", expire),
        ("GET", "/accounts/{account}/listings", listings),
        ("GET", "/accounts/{account}/operations", operations),
        ("POST", "/accounts/{account}/listings/{listing_id}/order", sell),
        ("POST", "/accounts/{account}/listings/{listing_id}/operations", by_hand),
        ("PUT", "/accounts/{account}/ebay_listings/{listing_id}", publish),
        ("GET", "/accounts/{account}/ebay", ebay),
        ("POST", "/accounts/{account}/ebay/{sku}", ebay_deed),
        ("GET", "/accounts/{account}/ads", ads),
        ("GET", "/shops", shops_),
        ("PUT", "/shops/{shop}", set_shop),
    ]
    return [Route(path, _explained(endpoint), methods=[method]) for method, path, endpoint in table]


def _explained(endpoint: Endpoint) -> Endpoint:
    """`endpoint`, with what was wrong in the request as a 400 instead of a 500."""

    async def run(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ValidationError as error:
            wrong = [{"where": ".".join(map(str, each["loc"])), "what": each["msg"]} for each in error.errors()]
            return JSONResponse({"errors": wrong}, status_code=400)
        except (ValueError, RefusedError) as error:
            return JSONResponse({"errors": [{"where": request.url.path, "what": str(error)}]}, status_code=400)

    return run


def _model(model: BaseModel) -> Response:
    body: Any = TypeAdapter(type(model)).dump_python(model, mode="json")
    return JSONResponse(body)
