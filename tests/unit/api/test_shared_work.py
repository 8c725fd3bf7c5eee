"""What several tenants want is charged to one of them, whose account has shown that it works."""

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.ledger import SLOTS, Budget
from sluice.jobs.budgets.pace import UNSLOWED
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import BudgetClosed
from sluice.jobs.queue import claim, finish
from sluice.jobs.queue.lanes import Lane
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.item import TOKEN, Proof, Status
from sluice.platform import tables
from sluice.platform.clock import HOUR, MINUTE
from sluice.platform.config.document import Config
from sluice.platform.config.services import LIMITS
from tests.unit.api.conftest import CREDENTIALS, Cloud


def payer(job_id: str) -> str:
    return str(Job.get(job_id, consistent_read=True).tenant)


def test_made_up_keys_draw_nobodys_work_to_them(acme: Cloud) -> None:
    """`mallory` connected while the marketplace could not be asked, and asks for what `acme` waits for, as manual."""
    jobs = acme.enqueue("acme", "A", "B", "C")
    accounts.connect("stockx", "mallory", CREDENTIALS, acme.now)
    assert acme.enqueue("mallory", "A", "B", "C", priority="manual") == jobs
    assert {payer(job_id) for job_id in jobs} == {"acme"}
    accounts.mark("stockx:mallory", Status.BROKEN, "made up", acme.now, 1)
    assert {payer(job_id) for job_id in acme.enqueue("acme", "A", "B", "C")} == {"acme"}


def test_who_asks_more_urgently_and_has_a_working_account_pays(acme: Cloud) -> None:
    jobs = acme.enqueue("acme", "A")
    acme.connect("globex")
    assert acme.enqueue("globex", "A", priority="manual") == jobs
    assert payer(jobs[0]) == "globex"


def test_work_that_waits_for_made_up_keys_goes_to_the_next_who_asks(acme: Cloud) -> None:
    accounts.connect("stockx", "mallory", CREDENTIALS, acme.now)
    jobs = acme.enqueue("mallory", "A")
    assert acme.enqueue("acme", "A") == jobs
    assert payer(jobs[0]) == "acme"


def test_only_accounts_that_work_and_have_shown_it_are_given_work_of_others(cloud: Cloud) -> None:
    for tenant, proofs in (("good", [Proof(verified=True)]), ("unknown", []), ("broken", [Proof(verified=True)])):
        accounts.connect("stockx", tenant, CREDENTIALS, cloud.now, proofs)
    accounts.mark("stockx:broken", Status.BROKEN, "refused", cloud.now, 1, TOKEN)
    named = {f"stockx:{tenant}" for tenant in ("good", "unknown", "broken", "nobody")}
    assert accounts.working(named) == {"stockx:good"}
    accounts.verify("stockx:unknown", 1, cloud.now)
    assert accounts.working(named) == {"stockx:good", "stockx:unknown"}


def test_who_waits_for_a_budget_that_takes_no_calls_takes_the_work_over_and_is_served_at_once(acme: Cloud) -> None:
    """`mallory` has 429 on its calls, and has asked first."""
    acme.connect("mallory")
    jobs = acme.enqueue("mallory", "A", priority="manual")
    ledger.close("stockx:mallory", acme.now + HOUR, "429")
    Lane("nudge", "scheduler").delete()  # a run of the scheduler has answered that
    acme.invoked.clear()
    assert acme.enqueue("acme", "A", priority="manual") == jobs
    assert payer(jobs[0]) == "acme"
    assert [function for function, _ in acme.invoked] == ["scheduler"]


def test_who_waits_for_calls_that_refusals_have_slowed_down_takes_the_work_over(acme: Cloud) -> None:
    """`mallory` asked first, and its calls come one in twenty seconds for a while, though its budget is open."""
    acme.connect("mallory")
    jobs = acme.enqueue("mallory", "A", priority="manual")
    slow("mallory", acme)
    assert acme.enqueue("acme", "A", priority="manual") == jobs
    assert payer(jobs[0]) == "acme"


def test_slow_calls_draw_nobodys_work_to_them(acme: Cloud) -> None:
    acme.connect("mallory")
    slow("mallory", acme)
    jobs = acme.enqueue("acme", "A", priority="hot")
    assert acme.enqueue("mallory", "A", priority="manual") == jobs
    assert payer(jobs[0]) == "acme"
    slow("acme", acme)
    assert acme.enqueue("mallory", "A", priority="manual") == jobs
    assert payer(jobs[0]) == "acme", "nothing is gained by another that is slow too"


def test_background_work_stays_where_calls_are_slow(acme: Cloud) -> None:
    """Nobody waits for it, and whoever asked first pays for it."""
    acme.connect("mallory")
    jobs = acme.enqueue("mallory", "A")
    slow("mallory", acme)
    assert acme.enqueue("acme", "A") == jobs
    assert payer(jobs[0]) == "mallory"


def slow(tenant: str, cloud: Cloud) -> None:
    """The marketplace has refused its calls again and again, and its budget is open once more."""
    limits = LIMITS["stockx"]
    slowed = UNSLOWED
    for _ in range(5):
        slowed = slowed.refused(limits.pace)
    tables.update(Budget, (f"stockx:{tenant}", SLOTS), ledger.slow_writes(slowed))
    assert ledger.read(f"stockx:{tenant}", cloud.now).slowed == slowed


def test_what_was_put_off_with_anothers_closed_budget_is_due_at_once_for_who_takes_it_over(acme: Cloud) -> None:
    """`mallory` asked first, had a 429, and its run was put off until its budget opens."""
    acme.connect("mallory")
    jobs = acme.enqueue("mallory", "A", priority="manual")
    running = claim.claim(Candidate.of(Job.get(jobs[0])), acme.now, MINUTE)
    assert running
    ledger.close("stockx:mallory", acme.now + HOUR, "429")
    finish.fail(running, BudgetClosed("429", retry_at=acme.now + HOUR), acme.now, Config(), chance=0)
    acme.enqueue("acme", "A", priority="manual")
    job = Job.get(jobs[0], consistent_read=True)
    assert job.tenant == "acme"
    assert (job.due_at or 0) <= acme.now
