"""An account that is refused holds its jobs, and only its own, until it is connected again."""

import io
import json

import pytest

from local.sandbox.faults import ExpiredToken, RefuseRefresh, RevokedToken, ServerError
from sluice.platform import aws
from sluice.platform.clock import HOUR, MINUTE
from tests.support.http import call
from tests.unit.market.world import CREDENTIALS, Json, World, item

API = "/v2/*"
TOKEN = "/oauth/token"


def account(world: World, tenant: str = "acme") -> Json:
    found: Json = call("GET", "/v1/accounts/stockx", tenant=tenant).json
    return found


def broken(world: World) -> list[Json]:
    """The events that say so."""
    return [detail for kind, detail in world.bus.events if kind == "account.broken"]


def test_a_token_that_is_refused_is_renewed_once_and_the_job_goes_on(acme: World) -> None:
    acme.sandbox.faults.set(ExpiredToken(path=API, first=2, last=2))
    [job] = acme.finish(item())
    assert (job["state"], job["attempts"], job["history"]) == ("succeeded", 1, [])
    assert len(acme.sandbox.requests(path=TOKEN)) == 2
    assert [entry.status for entry in acme.calls()] == [200, 401, 200, 200]
    assert acme.charged() == 4
    assert broken(acme) == []


def test_one_token_serves_all_jobs_and_ends_with_its_time(acme: World) -> None:
    acme.finish(item("DD1391-100"), item("CP9654"), item("M2002RDA"))
    assert len(acme.sandbox.requests(path=TOKEN)) == 1
    acme.clock.time += 12 * HOUR
    acme.finish(item("DD1391-100"))
    assert len(acme.sandbox.requests(path=TOKEN)) == 2
    assert {entry.status for entry in acme.calls()} == {200}


def test_a_second_401_breaks_the_account_and_holds_its_jobs(acme: World) -> None:
    acme.sandbox.faults.set(ExpiredToken(path=API))
    jobs = acme.finish(item("DD1391-100"), item("CP9654"), item("M2002RDA"))
    assert account(acme)["status"] == "BROKEN"
    assert len(acme.calls()) == 2, "the rest of the batch goes back without a call"
    for job in jobs:
        assert (job["state"], job["attempts"]) == ("queued", 0)
        assert (job["wait"]["reason"], job["wait"]["until"]) == ("account", None)
        assert "BROKEN: connect it again" in job["wait"]["message"]
    [event] = broken(acme)
    assert (event["account"], event["tenant"], event["status"]) == ("stockx:acme", "acme", "BROKEN")
    acme.clock.time += MINUTE
    acme.run()
    assert (len(acme.calls()), len(broken(acme)), acme.letters()) == (2, 1, [])


def test_another_account_goes_on(acme: World) -> None:
    acme.connect("bolt")
    acme.sandbox.faults.set(ExpiredToken(path=API, account="acme"))
    [held] = acme.enqueue(item("DD1391-100"))
    [free] = acme.enqueue(item("CP9654"), tenant="bolt")
    acme.run()
    assert acme.job(held)["wait"]["reason"] == "account"
    assert acme.job(free, "bolt")["state"] == "succeeded"


def test_connecting_again_releases_the_jobs(acme: World) -> None:
    acme.sandbox.faults.set(RevokedToken(path=API), RefuseRefresh(first=2))
    [job] = acme.finish(item())
    assert account(acme)["status"] == "EXPIRED"
    acme.sandbox.faults.clear()
    acme.bus.invoked.clear()
    acme.connect("acme")
    assert acme.bus.invoked == ["scheduler"], "they run at once"
    acme.run()
    done = acme.job(job["jobId"])
    assert (done["state"], done["attempts"]) == ("succeeded", 1)
    assert account(acme)["status"] == "ACTIVE"


def test_an_account_that_was_never_any_good_calls_no_price(acme: World) -> None:
    acme.sandbox.world.accounts.revoke("acme")
    [job] = acme.finish(item())
    assert (job["wait"]["reason"], acme.calls()) == ("account", [])
    assert account(acme)["status"] == "EXPIRED"
    assert acme.charged() == 0


@pytest.mark.parametrize("fault", [ServerError(path=TOKEN), ServerError(path=TOKEN, status=500)])
def test_a_token_server_that_fails_breaks_no_account(acme: World, fault: ServerError) -> None:
    acme.sandbox.faults.set(fault.model_copy(update={"last": 1}))
    [job] = acme.finish(item())
    assert (job["state"], job["error"]["code"], account(acme)["status"]) == ("queued", "unavailable", "ACTIVE")
    assert acme.charged() == 0
    acme.run_until(lambda: acme.job(job["jobId"])["state"] == "succeeded", minutes=5)


def test_two_sellers_share_one_job_and_one_call(acme: World) -> None:
    acme.connect("bolt")
    [mine] = acme.enqueue(item())
    answer = acme.ask(item(), tenant="bolt").json["items"][0]
    assert (answer["outcome"], answer["jobId"]) == ("merged", mine)
    acme.run()
    assert acme.job(mine)["result"] == acme.job(mine, "bolt")["result"]
    assert {entry.account for entry in acme.calls()} == {"acme"}
    assert call("GET", f"/v1/jobs/{mine}", tenant="carl").status == 404


def test_a_request_of_another_seller_takes_over_from_a_broken_account(acme: World) -> None:
    acme.sandbox.faults.set(ExpiredToken(path=API, account="acme"))
    [job] = acme.finish(item())
    assert job["wait"]["reason"] == "account"
    acme.connect("bolt")
    assert acme.ask(item(), tenant="bolt").json["items"][0]["outcome"] == "merged"
    acme.run()
    for tenant in ("acme", "bolt"):
        assert acme.job(job["jobId"], tenant)["state"] == "succeeded"
    assert [entry.account for entry in acme.calls() if entry.status == 200] == ["bolt"] * 3
    assert account(acme)["status"] == "BROKEN"


def test_a_request_of_another_seller_takes_over_from_a_closed_budget(acme: World) -> None:
    acme.configure(limits={"stockx": {"windows": [{"calls": 3, "per": "hour"}]}})
    acme.connect("bolt")
    acme.finish(item("DD1391-100"))
    [job] = acme.finish(item("CP9654"))
    assert job["wait"]["reason"] == "no_budget"
    acme.enqueue(item("CP9654"), tenant="bolt")
    acme.run()
    assert acme.job(job["jobId"])["state"] == "succeeded"


def test_no_log_event_answer_or_table_shows_a_secret(
    acme: World, log: io.StringIO, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A story in which everything goes wrong that has to do with credentials. What is sealed in it is secret."""
    secrets, seal = set[str](), aws.encrypt

    def noted(text: str, context: dict[str, str]) -> bytes:
        secrets.update(json.loads(text).values() if text.startswith("{") else [text])
        return seal(text, context)

    monkeypatch.setattr(aws, "encrypt", noted)
    acme.connect("acme")
    acme.sandbox.faults.set(
        ServerError(path=TOKEN, last=1), ExpiredToken(path=API, first=2, last=2), ServerError(path="*/market-data")
    )
    jobs = acme.enqueue(item("DD1391-100"), item("CP9654"))
    for _ in range(3):
        acme.run()
        acme.clock.time += MINUTE
    acme.sandbox.faults.set(ExpiredToken(path=API))
    acme.run()
    acme.sandbox.faults.set(RefuseRefresh())
    acme.connect("acme")
    acme.run()
    assert len(broken(acme)) >= 2
    assert len(secrets) >= len(CREDENTIALS) + 3, "two refresh tokens, and an access token before and after a 401"
    paths = [*(f"/v1/jobs/{job_id}" for job_id in jobs), "/v1/jobs", "/v1/accounts", "/v1/accounts/stockx", "/health"]
    answers = [call("GET", path).text for path in paths]
    tables = [
        json.dumps(acme.store.items(name), default=repr)
        for name in ("accounts", "jobs", "dead_letters", "runs", "budgets")
    ]
    assert "job not done" in log.getvalue()
    printed = capsys.readouterr()
    events = json.dumps(acme.bus.events)
    for text in (log.getvalue(), printed.out, printed.err, events, *map(str, acme.bus.dead), *answers, *tables):
        assert not [secret for secret in secrets if secret in text or secret[-24:] in text]
