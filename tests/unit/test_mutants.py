"""The tool behind `make mutants`: what it changes, and that it tells what was noticed from what was not."""

import ast
import subprocess
import sys
from random import Random

import pytest

from tests.mutants.__main__ import explained, made
from tests.mutants.mutations import mutants
from tests.mutants.reach import ENGINE, ROOT

WRITES = """
def end(job, now):
    actions = [Job.state.set("queued"), *released(job)]
    tables.update(Job, job, actions, (Job.lease == job.lease) & (Job.due_at <= now), token=1)
"""
REST = '''
LEAST: int | None = 3

def least(name: str | None, *, most: int = 5) -> int:
    """At most 7."""
    if name in known and not name:
        logger.warning("more than 9", extra={"name": 1 + 1})
        raise ValueError(f"{most + 1}")
    return min(most, LEAST or 0)

THREADS = 16

class Late(Exception):
    least = Number(null=True)

    def __init__(self, until: int) -> None:
        super().__init__(f"not before {until + 1}")
'''


def changed(source: str) -> set[str]:
    return {one.after for one in mutants("file.py", source)}


def test_each_write_and_each_part_of_a_condition_is_left_out_once() -> None:
    update = "tables.update(Job, job, actions"
    assert changed(WRITES) == {
        "actions = [*released(job)]",
        'actions = [Job.state.set("queued")]',
        f"{update}, (Job.lease == job.lease), token=1)",
        f"{update}, (Job.due_at <= now), token=1)",
        f"{update}, token=1)",
        f"{update}, (Job.lease != job.lease) & (Job.due_at <= now), token=1)",
        f"{update}, (Job.lease == job.lease) & (Job.due_at < now), token=1)",
        f"{update}, (Job.lease == job.lease) & (Job.due_at <= now))",
        f"{update}, (Job.lease == job.lease) & (Job.due_at <= now), token=2)",
        "pass",
    }


def test_what_is_only_said_or_as_good_is_left_as_it_is() -> None:
    assert changed(REST) == {
        "LEAST: int | None = 4",
        "def least(name: str | None, *, most: int = 6) -> int:",
        "if (not name):",
        "if (name in known):",
        "if True:",
        "if False:",
        "if name not in known and not name:",
        "if name in known and name:",
        "pass",
        "return most",
        "return (LEAST or 0)",
        "return min(most, LEAST)",
        "return min(most, 0)",
        "return min(most, LEAST or 1)",
    }


def test_who_reaches_a_change_is_found_by_its_statement_or_its_constant() -> None:
    of = {one.after: (one.where, one.lines, one.name) for one in mutants("file.py", REST)}
    assert of["LEAST: int | None = 4"] == ("", (2, 2), "LEAST")
    assert of["if True:"] == ("least", (6, 6), "")


def test_each_mutant_of_the_engine_is_a_program() -> None:
    for one in Random(7).sample(made([]), 150):
        ast.parse(one.source)
        assert one.source != (ENGINE / one.file).read_text()


def test_each_mutant_that_is_explained_can_still_be_made() -> None:
    """A reason for code that is no more would hide nothing, and mislead."""
    reasons = explained()
    keys = {one.key for file in {file for file, *_ in reasons} for one in made([file])}
    assert not reasons.keys() - keys
    assert all(len(reason) > 20 for reason in reasons.values())


TRIALS = """
from tests.mutants import trial
from tests.mutants.__main__ import made
from tests.mutants.reach import Reach

trial.LEAST_S = 1
test = "tests/property/test_pace.py::TEST"
reach = Reach({test: 0.1}, {"budgets/pace.py": {line: frozenset([test]) for line in range(99)}}, ())
found = {one.after: one for one in made(["budgets/pace.py"])}
told = {}
trial.Trials(reach, 60).run([found[after] for after in AFTERS], lambda one: told.update({one.mutant.after: one.what}))
print(*(told[after] for after in AFTERS))
"""


@pytest.mark.parametrize(
    ("test", "afters", "what"),
    [
        (
            "test_whatever_happens_the_pace_stays_between_the_configured_one_and_the_bound",
            [
                "doubled = min(3 * self.of(usual), MOST_TIMES * usual)",
                "doublings = min(max(0, self.refusals - 1), 33)",
                'def refused(self, configured: int, *, pace_is_meant: bool = False, spacing: int = 0) -> "Slowed":',
                "PACE_PAUSE_MS = 11 * MINUTE",
            ],
            ["caught", "survived", "caught", "survived"],
        ),
    ],
)
def test_a_mutant_is_caught_by_a_test_that_fails(test: str, afters: list[str], what: list[str]) -> None:
    program = TRIALS.replace("TEST", test).replace("AFTERS", repr(afters))
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout.split() == what, run.stderr
