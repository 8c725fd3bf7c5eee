"""`python -m local.sandbox --port 0 --seed 7`: serve until SIGTERM or Ctrl-C.

One line of JSON on standard output says that it is ready and where: `{"url": "http://127.0.0.1:40123", "seed": 7}`.
"""

import argparse
import json
import signal
from threading import Event

from local.sandbox.faults import Latency
from local.sandbox.limits import Limits
from local.sandbox.server import Sandbox


def main(arguments: list[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    limits = Limits() if options.no_limits else None
    latency = Latency(delay_ms=options.latency_ms, jitter_ms=options.jitter_ms)
    over = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    with Sandbox(options.seed, port=options.port, products=options.products, limits=limits, latency=latency) as sandbox:
        print(json.dumps({"url": sandbox.url, "seed": options.seed}), flush=True)
        over.wait()


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    made = argparse.ArgumentParser(prog="python -m local.sandbox", description="Play the marketplaces on loopback.")
    made.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    made.add_argument("--seed", type=int, default=7, help="the same seed gives the same story (default 7)")
    made.add_argument("--products", type=int, default=0, help="synthetic products besides the named ones")
    made.add_argument("--latency-ms", type=int, default=0, help="added to every answer")
    made.add_argument("--jitter-ms", type=int, default=0, help="up to this much more, by seed")
    made.add_argument("--no-limits", action="store_true", help="take calls at any rate")
    return made


if __name__ == "__main__":
    main()
