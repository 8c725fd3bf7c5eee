"""Operations that are under way, written straight into the tables: what workers leave for the poller, in seconds."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from bench.engine import CATALOG, FreeCalls
from bench.seed import BATCH, THREADS
from local.sandbox.stockx import bodies
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import WAITING
from sluice.jobs.queue import lanes
from sluice.listings.stockx.changes import Action, Change, ListingStatus, Submission
from sluice.listings.stockx.kinds import SINGLE
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.selling import MOST_BATCH_ITEMS, BatchAsk, Terms
from sluice.marketplaces.stockx.selling import Selling
from sluice.platform.clock import MINUTE, SystemClock

# Sends a call to the sandbox: method, path, body.
Sandbox = Callable[..., Any]


def under_way(dynamodb: Any, sandbox: Sandbox, tenant: str, count: int) -> None:
    """`count` creates of `tenant` that were submitted a minute ago, and are over at the marketplace. All are due."""
    account, now = keys.account("stockx", tenant), SystemClock().now()
    product = CATALOG.product(1)
    assert product
    variant = bodies.variant_id(product.variants[0])
    selling = Selling.open(account, FreeCalls(), SystemClock())
    item = BatchAsk(Terms("150", "USD"), variant_id=variant)
    sandbox("PUT", "/_sandbox/faults", [{"kind": "at_once"}])
    for _ in range(0, count, MOST_BATCH_ITEMS):
        selling.submit_batch("create", [item] * MOST_BATCH_ITEMS)
    lane = keys.poll_lane(account, account, "", 1)
    lanes.mark(lane, now)
    jobs, listings = [], []
    for operation in _operations(sandbox, tenant)[:count]:
        listing_id = str(uuid4())
        job_id = keys.job_id(SINGLE[Action.CREATE].name, "stockx", tenant, listing_id)
        change = Change(1, Action.CREATE, job_id, now - MINUTE, "bench", Terms("150", "USD"))
        sent = Submission(change, now - MINUTE, 1, operation["listingId"], operation["operationId"])
        jobs.append(_job(job_id, account, lane, sent.payload(listing_id), now))
        listings.append(_listing(listing_id, account, variant, change, now))
    with ThreadPoolExecutor(THREADS) as pool:
        for table, rows in ((Job.Meta.table_name, jobs), (Listing.Meta.table_name, listings)):
            chunks = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
            list(pool.map(lambda chunk, table=table: _write(dynamodb, table, chunk), chunks))


def _operations(sandbox: Sandbox, tenant: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox("GET", f"/_sandbox/accounts/{tenant}/operations")["operations"]
    return found


def _job(job_id: str, account: str, lane: str, payload: dict[str, Any], now: int) -> dict[str, Any]:
    tenant = account.partition(":")[2]
    return Job(
        job_id,
        kind=SINGLE[Action.CREATE].name,
        state=WAITING,
        lane=lane,
        due_at=now,
        lease=1,
        attempts=0,
        priority=keys.MANUAL,
        tenant=tenant,
        tenants={tenant},
        account=account,
        budget=account,
        calls=1,
        payload=payload,
        begun=True,
        created_at=now - MINUTE,
        updated_at=now - MINUTE,
    ).to_dynamodb_dict()


def _listing(listing_id: str, account: str, variant: str, change: Change, now: int) -> dict[str, Any]:
    return Listing(
        account.partition(":")[2],
        listing_id,
        account=account,
        marketplace="stockx",
        variant_id=variant,
        status=str(ListingStatus.PENDING),
        amount=change.terms.amount,
        currency=change.terms.currency,
        changes={"1": change.encode()},
        last_change=1,
        running=1,
        created_at=now - MINUTE,
        updated_at=now - MINUTE,
    ).to_dynamodb_dict()


def _write(dynamodb: Any, table: str, rows: Sequence[dict[str, Any]]) -> None:
    left = {table: [{"PutRequest": {"Item": row}} for row in rows]}
    while left:
        left = dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"]
