"""What somebody gets who mistypes a command: one sentence that says what is wrong and what to do, and nothing is done.

The stage behind it is the real one: its handlers refuse what the command lets through.
"""

from importlib import import_module
from pathlib import Path

import pytest

from sluice.capabilities import KINDS, ROUTE_MODULES
from tests.support.command import Shell, in_environment
from tests.support.http import call
from tests.support.letters import write
from tests.support.wire import api_of
from tests.unit.api.test_operator import Work, work  # noqa: F401 - the fixture

JOB = "market.refresh:stockx:A1:us-10:USD"
HELP = "--help` shows what it takes"
# What is typed, the exit code, and what is said of it.
TYPED: list[tuple[str, int, str]] = [
    # Of the command itself.
    ("jbos", 2, f"sluice: No such command 'jbos'. Did you mean 'jobs'? `sluice {HELP}"),
    ("jobs --frobnicate", 2, f"sluice jobs: No such option '--frobnicate'; `sluice jobs {HELP}"),
    ("jobs --limit many", 2, "'many' is no whole number"),
    ("jobs --limit 0", 2, "0 is not in the range 1<=x<=10000"),
    ("jobs --state running", 2, "'running' is not one of 'queued', 'leased', 'waiting'"),
    ("jobs --since yesterday", 2, "'yesterday' is no time: write 2h (so long ago), 2026-11-22T12:00:00Z"),
    ("jobs --count --sku A", 2, "--count does not go with --sku: leave one of them out"),
    ("price A", 2, f"sluice price: Missing argument 'SIZE'; `sluice price {HELP}"),
    ("pause stockx:acme", 2, "Missing option '--reason'"),
    ("import /nowhere.csv", 2, "File '/nowhere.csv' does not exist"),
    ("config set /nowhere.json", 2, "'/nowhere.json': No such file or directory"),
    # Nothing that is meant, or everything.
    ("cancel", 2, "say what is meant: ids, or at least one filter; this would be everything there is"),
    (f"cancel {JOB} --sku A", 2, "name what is meant, or filter for it, not both"),
    ("cancel --state queued", 2, "add --yes to do it: nobody can be asked here, and nothing was done"),
    ("disconnect stockx", 2, "add --yes to do it"),
    ("list ebay end A-1", 2, "add --yes to do it"),
    # Filters that the stage does not take.
    ("jobs --account stockx", 4, "account must be a marketplace and the name of a tenant, as in `stockx:NAME`"),
    (
        "cancel --account stockx",
        4,
        "filter.account must be a marketplace and the name of a tenant, as in `stockx:NAME`",
    ),
    ("jobs --tenant Acme!", 4, "tenant must be a tenant's name: a-z, 0-9 and -, 64 at most"),
    ("jobs --since 2h --until 3h", 4, "to must be later than from"),
    ("events --type job.exploded", 4, "type must be 'job.succeeded', 'job.dead', "),
    ("jobs --kind market.refrsh", 4, "kind must be 'catalog.enrich', 'market.refresh', "),
    ("jobs --count --kind market.refrsh", 4, "kind must be 'catalog.enrich', 'market.refresh', "),
    ("jobs --text a --kind market.refrsh", 4, "kind must be 'catalog.enrich', 'market.refresh', "),
    ("cancel --kind market.refrsh --yes", 4, "filter.kind must be 'catalog.enrich', 'market.refresh', "),
    ("dead --kind market.refrsh", 4, "kind must be 'catalog.enrich', 'market.refresh', "),
    ("replay --kind market.refrsh --yes", 4, "filter.kind must be 'catalog.enrich', 'market.refresh', "),
    ("replay --code=", 4, "filter.code must have at least 1 character"),
    ("jobs --tenant globex", 4, "only the role platform sees the work of other tenants"),
    # What is not there.
    ("why nowhere", 4, "there is no job 'nowhere' of yours; `sluice jobs` lists them"),
    ("dead nowhere", 4, "there is no such dead letter; `sluice dead` lists those that there are"),
    ("actions show nowhere", 4, "there is no such action; `sluice actions` lists those that there are"),
    ("actions stop nowhere", 4, "there is no such action; `sluice actions` lists those that there are"),
    ("budgets stockx:globex", 4, "there is no such budget; `sluice budgets` lists those that there are"),
    ("resume stockx:acme", 4, "there is no such pause; `sluice pauses` lists those that there are"),
    ("list stockx show nowhere", 4, "there is no such listing; `sluice list stockx show` lists those that there are"),
    ("cancel nowhere", 1, "unknown: nowhere"),
    (f"retry nowhere {JOB}", 1, "unknown: nowhere"),
    ("acknowledge nowhere", 1, "unknown: nowhere"),
    # What is not now, and what to type then.
    ("price A 10 --marketplace alias", 1, "no alias account is connected; connect one with `sluice connect alias`"),
    ("list stockx create B 10 5", 4, "sku is not in the catalog; `sluice price B SIZE` looks it up"),
    ("notifications test", 4, "no address is given: give one with `sluice notifications set ADDRESS TYPE`"),
    ("notifications summary 8 --zone Nowhere", 4, "summary.zone is no time zone; give one as Europe/Berlin"),
    ("pause stockx:acme --reason x --until 2020-01-01T00:00:00Z", 4, "until must be later than now, "),
    ("pause nowhere --reason x", 4, "name must be a marketplace or a service"),
    ("config show", 4, "not allowed: this needs the permission deployment:read"),
]
OF_PLATFORM: list[tuple[str, int, str]] = [
    ("config revert 99", 4, "there is no such version; `sluice config history` lists those that there are"),
    ("config what-if nowhere:acme windows=5/hour", 4, "there is no such budget"),
    ("config what-if stockx:acme windows=5/year", 2, "'windows=5/year' is no limit: write it as windows=50/hour"),
    ("config what-if stockx:acme colour=5", 4, "unknown limit 'colour'; limits are windows, interval_ms"),
    ("replay a-letter", 4, "tenant is needed where dead letters are named"),
]
OWN = [(*row, "operator") for row in TYPED] + [(*row, "platform") for row in OF_PLATFORM]


@pytest.mark.parametrize(("typed", "code", "said", "role"), OWN, ids=[row[0] for row in OWN])
def test_a_mistake_is_told_with_what_to_do(
    work: Work,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    typed: str,
    code: int,
    said: str,
    role: str,
) -> None:
    in_environment(monkeypatch, tmp_path)
    work.cloud.enqueue("acme", "A-1")
    before = work.cloud.content()
    ran = Shell(api_of("acme", roles=role)).run(*typed.split())
    assert (ran.code, said in ran.out + ran.err) == (code, True), ran
    assert "Traceback" not in ran.err
    if code in (2, 4):
        told = [line for line in ran.err.splitlines() if line.startswith("sluice")]
        assert len(told) == 1, "it is one sentence"
        assert work.cloud.content() == before


def test_whoever_runs_the_deployment_and_has_no_work_of_their_own_sees_everybodys(
    work: Work,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    in_environment(monkeypatch, tmp_path)
    [job_id] = work.cloud.enqueue("acme", "A-1")
    write()
    work.count()
    shell = Shell(api_of("operations", roles="platform"))
    assert [row[0] for row in shell.run("jobs").rows] == [job_id]
    assert len(shell.run("dead").rows) == 1
    assert shell.run("why", job_id).code == 0
    assert "connect" not in shell.run("status").err, "it has no accounts, and may see none"
    nobody = Shell(api_of("operations", roles="nobody"))
    assert (nobody.run("jobs").code, nobody.run("dead").code, nobody.run("why", job_id).code) == (3, 3, 3)


NOT_KNOWN = "is not known here; known are "


def test_a_name_that_is_not_known_is_told_with_those_that_are(work: Work) -> None:  # noqa: F811
    """An unknown filter, in a query or in a body: what to write in its place stands in the answer, once."""
    told = call("GET", "/v1/operator/jobs", query={"colour": "red"}).fields["colour"]
    assert told.startswith(NOT_KNOWN)
    assert {"state", "kind", "from", "cursor"} <= set(told.removeprefix(NOT_KNOWN).split(", "))
    body = {"action": "cancel", "filter": {"colour": "red"}}
    told = call("POST", "/v1/operator/actions", body=body).fields["filter.colour"]
    assert {"state", "sku", "from"} <= set(told.removeprefix(NOT_KNOWN).split(", "))
    many = call("POST", "/v1/operator/actions", body={"action": "cancel", **{f"x{one}": 1 for one in range(500)}})
    assert many.text.count("known are") == 1


def test_each_filter_by_kind_names_the_kinds_that_there_are(work: Work) -> None:  # noqa: F811
    """A kind that is misspelt matches nothing, and nobody would know why."""
    filters = {
        (route.method, route.path): place
        for module in ROUTE_MODULES
        for route in import_module(module).ROUTES
        for place, model in (("query", route.query), ("body", route.body))
        if model and "kind" in model.model_fields
    }
    assert filters == {
        ("GET", "/v1/jobs"): "query",
        ("GET", "/v1/dead-letters"): "query",
        ("POST", "/v1/dead-letters/replay"): "body",
        ("GET", "/v1/operator/jobs"): "query",
        ("GET", "/v1/operator/jobs/counts"): "query",
        ("GET", "/v1/operator/dead-letters"): "query",
    }
    for (method, path), place in filters.items():
        answer = call(method, path, **{place: {"kind": "market.refrsh"}})
        assert answer.status == 400, path
        assert all(f"'{kind}'" in answer.fields["kind"] for kind in KINDS), path
