"""The state machine: the document draws the code's own table, and nothing can get stuck in it."""

import re
from pathlib import Path

import pytest

from sluice.jobs.model.states import ALL, CANCELLED, FINAL, LEASED, QUEUED, TRANSITIONS

DOCUMENT = (Path(__file__).parents[3] / "docs" / "state_machine.md").read_text(encoding="utf-8")

# A person's doing, or an accident's: no way out that a job may depend on.
NOT_BY_ITSELF = {"cancel", "discard"}


def rows() -> list[list[str]]:
    """The rows of the table of transitions."""
    table = DOCUMENT.split("| transition |")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_the_table_is_the_codes() -> None:
    assert rows() == [
        [name, ", ".join(sorted(arrow.sources)), arrow.target, "yes" if arrow.fenced else "no", arrow.why]
        for name, arrow in TRANSITIONS.items()
    ]


def test_the_drawing_is_the_codes() -> None:
    drawn = set(re.findall(r"^    (\S+) --> (\S+): (\S+)$", DOCUMENT, re.MULTILINE))
    coded = {(source, arrow.target, name) for name, arrow in TRANSITIONS.items() for source in arrow.sources}
    assert drawn == coded | {("[*]", QUEUED, "create")}


def test_every_state_is_named_in_the_table_of_lanes() -> None:
    table = DOCUMENT.split("| state | lane |")[1].split("\n\n")[0]
    assert {state for state in ALL if re.search(rf"\b{state}\b", table)} == ALL


@pytest.mark.parametrize("state", sorted(ALL - FINAL))
def test_each_unfinished_state_has_a_way_to_an_end_without_a_person(state: str) -> None:
    reached = {state}
    for _ in ALL:
        reached |= {
            arrow.target
            for name, arrow in TRANSITIONS.items()
            if name not in NOT_BY_ITSELF and arrow.sources & (reached - FINAL)
        }
    assert reached & (FINAL - {CANCELLED})


def test_a_final_state_is_left_by_a_new_request_alone() -> None:
    assert {name for name, arrow in TRANSITIONS.items() if arrow.sources & FINAL} == {"create"}


def test_whoever_ends_a_run_is_fenced() -> None:
    ends = {name for name, arrow in TRANSITIONS.items() if arrow.sources == {LEASED}}
    assert ends == {name for name, arrow in TRANSITIONS.items() if arrow.fenced}
