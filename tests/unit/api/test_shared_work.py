"""What several tenants want is charged to one of them, whose account has shown that it works."""

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.ledger import SLOTS, Budget
from sluice.jobs.budgets.pace import UNSLOWED
from sluice.jobs.model import keys
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
from tests.support.http import call
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


def test_nobody_makes_anothers_background_urgent_at_the_others_cost(acme: Cloud) -> None:
    """`mallory`, whose calls are used up, asks as manual for all that `acme` has in the background, and forces it.

    Else what a person of `acme` asks for would stand behind it, and the calls kept for that be used up.
    """
    acme.connect("mallory")
    jobs = acme.enqueue("acme", "A", "B", "C")
    ledger.close("stockx:mallory", acme.now + HOUR, "429")
    assert acme.enqueue("mallory", "A", "B", "C", priority="manual") == jobs
    urgent = acme.enqueue("acme", "D", priority="manual")
    lanes = {str(Job.get(job_id).lane).rpartition("#")[0] for job_id in jobs}
    assert (lanes, Job.get(urgent[0]).lane.rpartition("#")[0]) == ({"stockx:acme#100"}, "stockx:acme#200")


def test_who_takes_work_over_and_goes_leaves_it_as_urgent_as_it_was(acme: Cloud) -> None:
    """`mallory` can run it, asks as manual for all that `acme` has in the background, and takes that back."""
    acme.connect("mallory")
    [job_id] = acme.enqueue("acme", "A")
    acme.enqueue("mallory", "A", priority="manual")
    assert (payer(job_id), Job.get(job_id).priority) == ("mallory", keys.MANUAL)
    assert call("DELETE", f"/v1/jobs/{job_id}", tenant="mallory").json["outcome"] == "withdrawn"
    assert (payer(job_id), Job.get(job_id).priority) == ("acme", keys.BACKGROUND)


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
