"""Each condition of the engine's writes is there for a promise: taken out, some order of events breaks that promise.

The stories are those of `test_model`, in which nothing is broken. Some conditions say the same in two ways, so that one
holds what the other would: the lease and the state of a job that is cancelled, or the lease and its end of one that is
rescued. Of such, both are taken out.
"""

import pytest

from tests.model.explore import Broken, explore
from tests.model.fences import removed
from tests.model.machine import machine
from tests.model.stories import LONG, STORIES

LATE = "a lease ends while somebody is at work"
TWICE = "a message comes twice"
URGENT = "one asks more and more urgently"
BEGUN = "cancelled after it has begun"
REPLAYED = "a letter is replayed twice"
ENDS = "every end of a run"

# Whose write, which attributes of its condition, in which story, and what is broken without it.
FENCES = [
    ("ask", "state", "two ask", "enqueue said created and it was raised"),
    ("ask", "job_id", "one of two cancels", "enqueue said created and it was merged"),
    ("ask", "priority", URGENT, "enqueue said raised and it was merged"),
    ("ask", "rerun", URGENT, "a job is less urgent than its payer has asked"),
    ("ask", "tenant", "cancelled, and asked for more urgently", "is queued and stands in"),
    ("cancel", "begun lease", BEGUN, "what had begun was cancelled"),
    ("cancel", "state lease", BEGUN, "went from leased to cancelled"),
    ("cancel", "priority priorities", "another cancels, and it is asked for more urgently", "is queued and stands in"),
    ("cancel", "for", "cancelled, and asked for once more", "a job has forgotten for whom it will run"),
    ("cancel", "tenants for", "one of two cancels", "a job has forgotten for whom it will run"),
    ("dispatch", "due_at", ENDS, "was claimed before it was due"),
    ("dispatch", "lane", "two ask", "a job was claimed in a lane that it had left"),
    ("dispatch", "state lane due_at", LATE, "its lease moved by something else than a claim"),
    ("work", "lease", LATE, "a late worker wrote"),
    ("work", "state", LATE, "went from queued to succeeded"),
    ("work", "rerun", "two ask", "ended though it was asked for again while it ran"),
    ("work", "rerun_askers", "three ask", "a job has forgotten for whom it will run"),
    ("work", "scope", TWICE, "has two owners"),
    ("replay", "replayed_at", REPLAYED, "a letter was replayed twice"),
    ("replay", "state", "replayed and asked for", "a job has forgotten for whom it will run"),
    ("rescue", "lease due_at", LATE, "runs though its lease is over"),
    ("rescue", "scope", LATE, "a batch was taken from who had taken it"),
]


@pytest.mark.parametrize(("actor", "attributes", "story", "promise"), FENCES)
def test_without_it_a_promise_is_broken(actor: str, attributes: str, story: str, promise: str) -> None:
    with machine() as made, removed(made, actor, *attributes.split()), pytest.raises(Broken, match=promise) as broken:
        explore(made.begin((STORIES | LONG)[story]), most=20_000)
    assert broken.value.story, "the way there is told"
