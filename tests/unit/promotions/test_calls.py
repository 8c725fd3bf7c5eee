"""Which calls an ad costs besides those of the marketplace. On AWS each is time of whoever waits, and money."""

from tests.support.ads import Seller
from tests.support.store import Answer, Request, Send, Store


def test_the_calls_of_an_ad_from_its_second_to_its_end(seller: Seller, tables: Store) -> None:
    """Of the second of two in a run, each at a second of its own: what the run has found out by then it knows."""
    made = list[str]()

    def around(request: Request, send: Send) -> Answer:
        parts = request.parameters.get("Key", request.parameters.get("Item", {}))
        names = [parts[name]["S"] for name in ("job_id", "window", "scope") if name in parts]
        made.append(f"{request.operation} {''.join(names).partition('#')[0]}".strip())
        return send()

    [first] = seller.ask("110551000001")
    seller.later(5)
    [second] = seller.ask("110551000002")
    seller.later(50)
    tables.around = around
    assert seller.work()["stats"]["succeeded"] == 2
    tables.around = None
    ended = max(at for at, call in enumerate(made) if call.endswith(first))
    assert made[ended:] == [
        f"UpdateItem {first}",  # it is done
        "UpdateItem seats",  # it leaves its seat
        "UpdateItem seats",  # the second takes one,
        "UpdateItem 2026-11-22@America/Los_Angeles",  # reserves its calls,
        f"UpdateItem {second}",  # is claimed,
        "PutItem batch",  # and is started
        "UpdateItem slots",  # when its three calls may start
        f"UpdateItem {second}",  # it has begun: from here on it may be there
        f"UpdateItem {second}",
        "UpdateItem seats",
        "PutItem run",
        "UpdateItem hours",
    ]
