"""What a month costs: the calculator counts what the template has, and the page shows what it prints."""

import re
from datetime import date
from pathlib import Path

import pytest

from bench import cost
from bench.cost import Use
from bench.idle import RUNS_AN_HOUR
from local.cloud import template as templates

PAGE = Path(__file__).parents[2] / "docs" / "operate" / "cost.md"
RATES = {"rate(1 minute)": 60, "rate(5 minutes)": 12}


def total(use: Use) -> float:
    prices = cost.read_prices()
    return sum(cost.usd(line, prices) for line in cost.lines(use))


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, str]:
    """The bill as it is printed: for each line its USD."""
    assert cost.main(arguments) == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    return {row[0]: row[3] for row in rows if len(row) == 5}


def test_every_schedule_of_the_template_is_counted() -> None:
    template, found = templates.load(), dict[str, int]()
    for _, function in templates.resources(template, "AWS::Serverless::Function"):
        folder = Path(function["CodeUri"]).name
        for event in function.get("Events", {}).values():
            if event["Type"] != "Schedule" or event["Properties"]["Schedule"] == "rate(1 day)":
                continue
            schedule = event["Properties"]["Schedule"]
            if isinstance(schedule, dict):
                schedule = template["Parameters"][schedule["Ref"]]["Default"]
            found[folder] = found.get(folder, 0) + RATES[schedule]
    found["operation_poller"] *= 2  # by its queue too, half a minute later
    assert found == RUNS_AN_HOUR


def test_every_price_has_its_unit_its_page_and_the_day_from_which_it_is_known() -> None:
    prices = cost.read_prices()
    assert date.fromisoformat(prices["as_of"]) <= date.today()  # noqa: DTZ011 - a day
    assert prices["region"]
    for price in prices["prices"].values():
        assert price["usd"] > 0
        assert price["per"] >= 1
        assert price["unit"]
        assert price["page"].startswith("https://aws.amazon.com/")
    assert {line.price for line in cost.lines(Use(1))} == set(prices["prices"])


def test_more_work_costs_more_and_none_costs_what_stands_there() -> None:
    bills = [total(Use(jobs, looks=0)) for jobs in (0, 10_000, 1_000_000, 10_000_000)]
    assert bills == sorted(set(bills))
    assert bills[0] > 0
    assert total(Use(1_000, protected=False)) < total(Use(1_000))
    assert total(Use(1_000_000, calls=1)) > total(Use(1_000_000, calls=0.1))
    assert total(Use(1_000, webhooks=1_000_000)) > total(Use(1_000))


def test_the_page_shows_what_the_calculator_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """Line by line, and together within a tenth: a new measurement or one more alarm is no reason to write it anew."""
    text = PAGE.read_text(encoding="utf-8")
    assert "bench cost --jobs 1000000" in text
    rows = dict(re.findall(r"^\| ([\w :-]+?) \|.*\| \**([\d,.]+)\** \|$", text, re.MULTILINE))
    now = printed(capsys, "--jobs", "1000000")
    assert list(rows) == list(now)
    assert float(rows["together"]) == pytest.approx(float(now["together"]), rel=0.1)
