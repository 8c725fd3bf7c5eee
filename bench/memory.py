"""How much memory a run of 50 jobs takes: each function's process, and the local cloud with the sandbox beside it."""

import json
import re
from pathlib import Path

from bench.engine import items
from bench.row import Row
from local.laptop import Laptop
from local.sandbox.limits import Limits as Quota

TENANT = "memory"
PRODUCTS, SIZES = 10, 5
JOBS = PRODUCTS * SIZES
FUNCTION_MIB, ALL_MIB = 256, 2048
MIB = 1024 * 1024
# Limits wide enough that all 50 run within a minute and several functions run at once.
INTERVAL, PER_HOUR = 100, 1_000
SECONDS = 120


def run() -> list[Row]:
    limits = {"interval_ms": INTERVAL, "windows": [{"calls": PER_HOUR, "per": "hour"}]}
    with Laptop(configuration=json.dumps({"limits": {"stockx": limits}}), products=PRODUCTS) as laptop:
        laptop.sandbox.set_limits(Quota(interval_ms=INTERVAL, tolerance_ms=INTERVAL, per_hour=PER_HOUR))
        laptop.connect_stockx(TENANT)
        api = laptop.api(TENANT)
        wanted = [
            {"sku": item.sku, "size": item.size, "priority": "manual"} for item in items(range(1, PRODUCTS + 1), SIZES)
        ]
        api.post("/v1/market/refresh", {"items": wanted})
        api.wait(
            lambda: sum(job["state"] == "succeeded" for job in api.get("/v1/jobs", limit=100)["jobs"]) == JOBS,
            SECONDS,
            f"{JOBS} jobs done",
        )
        memory = laptop.cloud.peak_memory()
    conditions = f"{JOBS} jobs of {PRODUCTS} unknown products on the local cloud"
    rows = [
        Row(f"peak memory of {name.removeprefix('sluice-local-')}", conditions, peak / MIB, "MiB", most=FUNCTION_MIB)
        for name, peak in sorted(memory.functions.items())
    ]
    everything = "peaks of all processes added up: local cloud, functions, sandbox and client; " + conditions
    return [
        *rows,
        Row("peak memory of everything", everything, (memory.total + _own_peak()) / MIB, "MiB", most=ALL_MIB),
    ]


def _own_peak() -> int:
    """The peak of this process, in which the sandbox runs."""
    status = Path("/proc/self/status")
    found = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE) if status.exists() else None
    return int(found[1]) * 1024 if found else 0
