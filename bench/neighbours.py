"""What a hostile tenant costs its neighbours: the same wishes of two tenants, alone and beside it, on the real stack.

Everything runs on this machine's cores, the hostile one's requests too, which in AWS have machines of their own: so it
does one deed a second, within small allowances. What each deed does to the engine's order is the same at any speed.
"""

import json

from bench.row import Row
from local import neighbours
from local.laptop import Laptop
from local.neighbours import Run

MOST_RATIO = 1.2
WHAT = {
    "price": "manual price, from the request to its end",
    "listing": "listing, from the request to its confirmation",
    "ad": "promotion, from its second to its ad",
    "event": "webhook, from the end of a job to its receiver",
}


def run() -> list[Row]:
    alone, beside = measured(hostile=False), measured(hostile=True)
    deeds = f"{sum(beside.deeds.values())} deeds of a hostile third, {_refused(beside)} of them refused"
    rows = []
    for what, measure in WHAT.items():
        p95 = [_p95(found.waits(what)) / 1_000 for found in (alone, beside)]
        conditions = (
            f"two tenants, {len(alone.waits(what))} each run, local cloud, beside {deeds}; "
            f"p95 {p95[0]:.2f} s alone, {p95[1]:.2f} s beside it"
        )
        rows.append(Row(f"neighbours: p95 of a {measure}", conditions, p95[1] / p95[0], "times", most=MOST_RATIO))
    lost = len(alone.missing()) + len(beside.missing()) + len(alone.refused) + len(beside.refused)
    rows.append(
        Row("neighbours: wishes refused or never done", f"{len(beside.asks)} wishes beside {deeds}", lost, most=0)
    )
    return rows


def measured(*, hostile: bool) -> Run:
    """One run on a stack of its own."""
    configuration = json.dumps(neighbours.CONFIGURATION)
    with Laptop(latency_ms=20, products=neighbours.PRODUCTS, configuration=configuration) as laptop:
        neighbours.warm_up(laptop)
        return neighbours.play(laptop, hostile=hostile)


def _p95(waits: list[int]) -> int:
    return waits[len(waits) * 95 // 100]


def _refused(found: Run) -> int:
    return sum(number for deed, number in found.deeds.items() if not deed.endswith(": done"))
