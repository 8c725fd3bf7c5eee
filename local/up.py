"""`make up`: the local cloud, the sandbox and the deployed template, until Ctrl-C."""

import signal
import sys
import threading

from local.front import Front
from local.laptop import STACK, Laptop, keep_parent_environment_clean
from sluice_command.golden_set import items

TENANT = "demo"


def main() -> int:
    """Run until interrupted; returns the exit code."""
    keep_parent_environment_clean()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Laptop(say=lambda line: print(f"  {line}", flush=True)) as laptop:
        laptop.connect(TENANT)
        with Front(laptop.stack.api_url) as front:
            print(_help(laptop, front.url), flush=True)
            stop.wait()
    print("\nstopped; nothing is left running")
    return 0


def _help(laptop: Laptop, pages: str) -> str:
    first = items()[0]
    settings = " ".join(f"{name}={value}" for name, value in sorted(laptop.cloud.environment.items()))
    body = f'{{"items": [{{"sku": "{first["sku"]}", "size": "{first["size"]}", "priority": "manual"}}]}}'
    return f"""
Tenant {TENANT} has StockX, Alias and eBay connected. Try, in another terminal:

  export API={laptop.stack.api_url}
  export TOKEN={laptop.token(TENANT)}
  curl -s -X POST $API/v1/market/refresh -H "authorization: Bearer $TOKEN" -d '{body}'
  curl -s "$API/v1/market/prices?sku={first["sku"]}" -H "authorization: Bearer $TOKEN"
  curl -s $API/v1/jobs -H "authorization: Bearer $TOKEN"
  make golden    # the ten SKUs of the golden set on each marketplace, with a verdict
  make enrich    # fills the gaps of the catalog

The dashboard, for a browser (docs/dashboard.md): {pages}/dashboard

The marketplaces' faults, limits and record of calls (docs/sandbox.md):

  export SANDBOX={laptop.sandbox.url}/_sandbox
  curl -s $SANDBOX/report

The local cloud, for AWS tools; the stack is {STACK} (docs/configuration.md):

  export {settings}

Ctrl-C stops everything."""


if __name__ == "__main__":
    sys.exit(main())
