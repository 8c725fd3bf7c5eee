"""Keys: what is stored keeps its meaning, and each lane in which a job may stand is found again."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sluice.jobs.model import keys
from sluice.jobs.model.redaction import HIDDEN, fields, redact

tenants = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
shards = st.integers(1, 5)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def test_numbers_that_stored_jobs_carry_mean_the_same_in_every_version() -> None:
    """A job that waits, and one that runs, is found by the version after."""
    assert keys.PRIORITIES == {"manual": 200, "hot": 150, "background": 100}
    assert keys.leased_lanes() == ["leased#0", "leased#1", "leased#2", "leased#3"]
    assert [keys.priority_name(number) for number in (200, 150, 100, 175)] == ["manual", "hot", "background", "175"]


@given(tenants, names, shards, st.sampled_from(list(keys.PRIORITIES.values())), st.booleans())
def test_each_lane_in_which_a_job_may_wait_is_among_its_accounts(
    tenant: str, name: str, many: int, priority: int, by_account: bool
) -> None:
    account = keys.account("stockx", tenant)
    budget = keys.budget(account, by_account=by_account)
    lane = keys.lane(budget, account, priority, keys.job_id("test.work", name), many)
    lanes = keys.lanes_of(budget, account, priority, many)
    assert lane in lanes
    assert len(set(lanes)) == many
    told = (keys.lane_budget(lane), keys.lane_account(lane), keys.lane_priority(lane))
    assert told == (budget, account, str(priority))
    assert not keys.is_poll_lane(lane)


@given(tenants, names, shards, st.booleans())
def test_a_job_that_waits_for_the_marketplace_stands_in_a_lane_of_the_poller(
    tenant: str, name: str, many: int, by_account: bool
) -> None:
    account = keys.account("stockx", tenant)
    budget = keys.budget(account, by_account=by_account)
    lane = keys.poll_lane(budget, account, keys.job_id("test.work", name), many)
    assert keys.is_poll_lane(lane)
    assert (keys.lane_budget(lane), keys.lane_account(lane)) == (budget, account)


@given(names)
def test_a_running_job_stands_where_the_rescue_looks(name: str) -> None:
    assert keys.leased_lane(keys.job_id("test.work", name)) in keys.leased_lanes()


@given(st.lists(names, min_size=1, max_size=4))
@example(["a/b:c#d", "ä ?"])
def test_an_id_is_one_text_that_tells_its_parts(parts: list[str]) -> None:
    identity = keys.job_id("test.work", *parts)
    assert keys.job_parts(identity) == ["test.work", *parts]
    assert keys.is_job_id(identity)
    assert keys.subject(identity) == keys.job_id("test.work", *parts[:2])


@pytest.mark.parametrize("text", ["", "a b", "a#b", "a/b", "ä", "x" * 1_025, "a\n"])
def test_what_no_id_has_is_none(text: str) -> None:
    assert not keys.is_job_id(text)


@pytest.mark.parametrize(
    ("stored", "application", "charged", "spoken"),
    [
        ("stockx:acme", None, "stockx:acme", "stockx:acme"),
        ("stockx:acme", "3f9c", "stockx:acme", "stockx:acme"),
        ("ebay", "3f9c", "ebay:app.3f9c", "ebay (this application)"),
        ("ebay", None, "ebay", "ebay"),
    ],
)
def test_a_budget_is_its_accounts_or_its_applications(
    stored: str, application: str | None, charged: str, spoken: str
) -> None:
    budget = keys.charged_to(stored, application)
    assert (budget, keys.spoken(budget)) == (charged, spoken)
    assert keys.application_of(budget) == (application if keys.is_shared(stored) else None)
    assert keys.service_of(budget) == stored.partition(":")[0]


@pytest.mark.parametrize(
    ("budget", "other"),
    [("stockx:acme", "stockx:bolt"), ("ebay", "ebay"), ("ebay-marketing:acme", "ebay-marketing:bolt")],
)
def test_another_tenants_budget_stands_for_them(budget: str, other: str) -> None:
    assert keys.budget_of_another(budget, "bolt") == other


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("stockx:acme is BROKEN", "stockx:acme is BROKEN"),
        ("account stockx:bolt is BROKEN", "account stockx:(another seller) is BROKEN"),
        ("stockx:bolt and ebay:acme", "stockx:(another seller) and ebay:acme"),
        ("stockx:acme-2 and stockx:ac", "stockx:(another seller) and stockx:(another seller)"),
        (
            "account stockx:bolt is EXPIRED: stockx POST /oauth/token: 403 Forbidden: no such token\nof bolt",
            "account stockx:(another seller) is EXPIRED",
        ),
        ("account stockx:acme is EXPIRED: connect it, then", "account stockx:acme is EXPIRED: connect it, then"),
        ("market.refresh:stockx:bolt", "market.refresh:stockx:bolt"),
        ("nothing:bolt", "nothing:bolt"),
    ],
)
def test_nobody_is_told_through_whose_account_a_shared_job_runs(text: str, shown: str) -> None:
    """The middle of a job id is a part of the work, and no account."""
    assert redact(text, "acme") == shown


def test_what_its_name_calls_a_secret_is_never_shown_however_deep_it_lies() -> None:
    stored = {
        "sku": "a-1",
        "access_token": "t",
        "list": [{"client_secret": "s", "ask_price": 3}, 4],
        "in": {"Password": "p", "apikey": "k", "Cookie": {"a": 1}},
        "refresh_token": None,
        "authorization": "",
    }
    assert fields(stored) == {
        "sku": "a-1",
        "accessToken": HIDDEN,
        "list": [{"client_secret": HIDDEN, "ask_price": 3}, 4],
        "in": {"Password": HIDDEN, "apikey": HIDDEN, "Cookie": HIDDEN},
        "refreshToken": None,
        "authorization": "",
    }
