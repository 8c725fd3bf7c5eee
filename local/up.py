"""`make up`: the local cloud, the sandbox and the deployed template, until Ctrl-C.

The ports are the same each time, or the next free ones. `.local/env` has the settings for other terminals. With
`KEEP=1` what the cloud has is kept in `.local/kept`, and there again at the next `make up KEEP=1`.
"""

import os
import signal
import sys
import threading
from os.path import relpath

from local import env_file, sam_template
from local.cloud.cloud import free_port
from local.env_file import ENV, FOLDER, SAM_TEMPLATE
from local.front import Front
from local.laptop import STACK, Laptop, Ports, keep_parent_environment_clean
from sluice_command.golden_set import items

TENANT = "demo"
KEPT = FOLDER / "kept"
CLOUD_PORT, SANDBOX_PORT, ISSUER_PORT, PAGES_PORT = 4566, 4620, 4680, 4740


def main() -> int:
    """Run until interrupted; returns the exit code."""
    keep = KEPT if os.environ.get("KEEP", "0") not in ("", "0") else None
    keep_parent_environment_clean()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    ports = Ports(free_port(CLOUD_PORT), free_port(SANDBOX_PORT), free_port(ISSUER_PORT))
    try:
        with Laptop(say=lambda line: print(f"  {line}", flush=True), ports=ports, keep=keep) as laptop:
            laptop.connect(TENANT)
            with Front(laptop.stack.api_url, free_port(PAGES_PORT)) as front:
                env_file.write(settings(laptop), sam_template.made(laptop))
                print(_help(front.url), flush=True)
                stop.wait()
                env_file.remove()
            print("\nstopping" + (", and keeping what the cloud has" if keep else ""), flush=True)
    finally:
        env_file.remove()
    print("stopped; nothing is left running" + (f"; {relpath(KEPT)} has it for KEEP=1" if keep else ""))
    return 0


def settings(laptop: Laptop) -> dict[str, str]:
    """What other terminals need."""
    return {
        "API": laptop.stack.api_url,
        "TOKEN": laptop.token(TENANT),
        "SANDBOX": f"{laptop.sandbox.url}/_sandbox",
        **dict(sorted(laptop.cloud.environment.items())),
    }


def _help(pages: str) -> str:
    first = items()[0]
    body = f'{{"items": [{{"sku": "{first["sku"]}", "size": "{first["size"]}", "priority": "manual"}}]}}'
    return f"""
Tenant {TENANT} has StockX, Alias and eBay connected. Try, in another terminal, in this folder:

  export PATH="$PWD/.venv/bin:$PATH"
  sluice price {first["sku"]} {first["size"]}      # the command finds this stage by itself (docs/command.md)
  sluice status
  sluice golden                   # the ten SKUs of the golden set on each marketplace, with a verdict
  sluice enrich                   # fills the gaps of the catalog
  sluice notifications mails      # no mail leaves this machine; this lists what would be sent (docs/notifications.md)

The dashboard, for a browser (docs/dashboard.md): {pages}/dashboard

The API itself, the marketplaces' switches and record of calls (docs/sandbox.md), the cloud for AWS tools ({STACK}):

  source {relpath(ENV)}
  curl -s -X POST $API/v1/market/refresh -H "authorization: Bearer $TOKEN" -d '{body}'
  curl -s "$API/v1/market/prices?sku={first["sku"]}" -H "authorization: Bearer $TOKEN"
  curl -s $SANDBOX/report
  make invoke FUNCTION=scheduler EVENT=events/scheduler_each_minute.json
  sam local invoke WorkerFunction -t {relpath(SAM_TEMPLATE)} …      # in a container, see docs/command.md

Ctrl-C stops everything."""


if __name__ == "__main__":
    sys.exit(main())
