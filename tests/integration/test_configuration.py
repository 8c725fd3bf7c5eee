"""The configuration of a deployed stack is changed while it runs."""

from local.laptop import Laptop
from sluice.platform.config.live import READ_AGAIN_MS
from sluice.platform.config.services import LIMITS
from tests.integration.levers import spend
from tests.support.stack import until


def change(laptop: Laptop, document: str) -> None:
    name = laptop.stack.outputs["ConfigurationParameterName"]
    laptop.cloud.client("ssm").put_parameter(Name=name, Value=document, Overwrite=True)


def test_a_pause_takes_effect_without_a_deployment_and_an_invalid_document_changes_nothing(laptop: Laptop) -> None:
    laptop.connect_stockx("paused")
    api = laptop.api("paused")
    body = {"items": [{"sku": "DD1391-100", "size": "12", "priority": "background"}]}
    laptop.cloud.invoke(laptop.stack.function("scheduler"), {})
    assert api.get("/health")["configuration"] == "ok"
    # Else a scheduler that has not read the change yet may run the job while it is waited for.
    spend(laptop, "paused", LIMITS["stockx"].per_day or 0)

    operations = laptop.api("operations", "platform")
    operations.post("/v1/operator/pauses", {"name": "market.refresh:stockx", "reason": "a look at its prices"})
    [asked] = api.post("/v1/market/refresh", body)["items"]
    job = asked["jobId"]

    def waits(reason: str) -> bool:
        return bool((api.job(job)["wait"] or {}).get("reason") == reason)

    def refused() -> bool:
        return bool(api.get("/health")["configuration"] == "refused")

    assert READ_AGAIN_MS < 60_000
    until(lambda: waits("paused"), "the pause is in force")
    change(laptop, '{"engine": {"batch": 0}}')
    until(refused, "the invalid document is refused")
    assert waits("paused"), "a refused document ends no pause"
    change(laptop, "{}")
    operations.delete("/v1/operator/pauses/market.refresh:stockx")
    until(lambda: not waits("paused") and not refused(), "the pause is over")
    spend(laptop, "paused", 0)

    def done() -> bool:
        laptop.cloud.invoke(laptop.stack.function("scheduler"), {})
        return bool(api.job(job)["state"] == "succeeded")

    until(done, "the job is done")
