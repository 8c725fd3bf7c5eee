"""The dashboard's pages: who may see them, what they show, and what their buttons do. Without a browser."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx
import pytest

from local.issuer import Issuer
from sluice.dashboard import assets, pages, sendable, sessions, site
from sluice.dashboard import issuer as at_issuer
from sluice.dashboard.pages import MORE, PAGES
from sluice.dashboard.visit import is_ours
from sluice.operator import counts
from sluice.platform import aws
from sluice.platform.clock import SystemClock
from sluice.platform.config import live
from sluice.platform.config.pauses import Pause, Pauses
from sluice.platform.http import answers
from sluice.platform.http.auth import Caller
from sluice.platform.http.errors import AnswerTooLarge
from tests.support import dashboard
from tests.support.clock import VirtualClock
from tests.support.dashboard import HOST, Shown, request
from tests.support.dashboard_page import form_of, look, send, signed_in
from tests.support.patience import SECONDS
from tests.support.stream import changes
from tests.unit.api.conftest import Cloud

COOKIE, SIGN_IN = site.SESSION_COOKIE, site.SIGN_IN_COOKIE
# They name the thing in their query.
OF_ONE_THING = {key for key in MORE if key.startswith("GET ")} - {"GET /dashboard/checks/slow"}
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>'\""


@pytest.fixture
def shop(acme: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """`acme` has a job; what pages ask goes to the API's own handlers."""
    monkeypatch.setattr(aws, "invoke", dashboard.api)
    acme.healthy()
    changes("jobs")
    acme.enqueue("acme", "DD1391-100")
    counts.follow(changes("jobs"))
    return acme


def job_in(text: str) -> str:
    """The address of the first job of a page."""
    return unescape(re.findall(r'href="(/dashboard/job[?][^"]+)"', text)[0])


# Who may see them


@pytest.mark.parametrize("key", [key for key in PAGES if key.startswith("GET ")])
def test_nobody_sees_a_page_without_a_session(shop: Cloud, key: str) -> None:
    path = re.sub(r"<\w+>", "x", key.partition(" ")[2])
    shown = request("GET", path, query="state=queued")
    assert (shown.status, shown.to) == (303, f"/dashboard/sign-in?back={quote(path, safe='')}%3Fstate%3Dqueued")


def test_a_made_up_session_is_none(shop: Cloud) -> None:
    assert request("GET", "/dashboard", cookies={COOKIE: "made-up"}).status == 303
    # Whoever reads the table has the hash, which is no session.
    signed_in()
    [item] = sessions.SessionItem.scan()
    assert request("GET", "/dashboard", cookies={COOKIE: item.session}).status == 303


def test_a_session_ends_when_it_is_idle_and_when_it_is_old(shop: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    idle, used = signed_in(), signed_in()
    clock = VirtualClock(SystemClock().now())
    monkeypatch.setattr(site, "clock", clock)
    for _ in range(sessions.LONGEST_MS // (sessions.IDLE_MS // 2) - 1):
        clock.time += sessions.IDLE_MS // 2
        assert look("/dashboard/actions", used).status == 200
    assert look("/dashboard/actions", idle).status == 303
    clock.time += sessions.IDLE_MS // 2
    assert look("/dashboard/actions", used).status == 303


def test_a_user_is_told_that_operating_is_not_theirs(shop: Cloud) -> None:
    shown = look("/dashboard/jobs", signed_in("user"))
    assert shown.status == 403
    assert "operate:read" in shown.text


@pytest.mark.parametrize("role", ["user", "operator", "platform"])
def test_everybody_begins_at_a_page_that_is_theirs_and_is_shown_the_way_to_no_other(shop: Cloud, role: str) -> None:
    who = signed_in(role)
    first = look("/dashboard", who)
    if first.status == 303:
        first = look(first.to, who)
    assert first.status == 200
    ways = re.findall(r'<li><a href="([^"?]*)', first.text)
    assert ways
    assert {look(way, who).status for way in ways} == {200}


def test_another_tenant_sees_nothing_of_it(shop: Cloud) -> None:
    theirs = signed_in(tenant="globex")
    assert "DD1391-100" in look("/dashboard/jobs").text
    assert "DD1391-100" not in look("/dashboard/jobs", theirs).text
    assert "DD1391-100" not in look("/dashboard/jobs", theirs, "tenant=acme").text
    assert look(job_in(look("/dashboard/jobs").text), theirs).status == 404


def test_whoever_runs_the_deployment_sees_all_or_the_tenant_they_choose(shop: Cloud) -> None:
    platform = signed_in("platform", tenant="ops")
    assert "DD1391-100" in look("/dashboard/jobs", platform).text
    assert "DD1391-100" in look("/dashboard/jobs", platform, "tenant=acme").text
    chosen = look("/dashboard/jobs", platform, "tenant=globex")
    assert "DD1391-100" not in chosen.text
    assert "tenant globex" in chosen.text


# What they show


@pytest.mark.parametrize("key", [key for key in PAGES if key.startswith("GET ") and key not in OF_ONE_THING])
def test_each_page_says_what_it_is_and_loads_nothing_from_elsewhere(shop: Cloud, key: str) -> None:
    shown = look(key.partition(" ")[2], signed_in("operator", "platform"))
    assert shown.status == 200, shown.text
    assert shown.headers["Content-Security-Policy"] == sendable.POLICY
    assert shown.headers["Cache-Control"] == "no-store"
    assert "<h1>" in shown.text
    assert all(
        address.startswith(("/dashboard", "data:,", "#"))
        for address in re.findall(r'(?:src|href)="([^"]*)"', shown.text)
    )


def test_the_first_page_weighs_little(shop: Cloud) -> None:
    for number in range(30):
        shop.enqueue("acme", f"SKU-{number}")
    shown = request("GET", "/dashboard", cookies=signed_in(), headers={"Accept-Encoding": "gzip, br"})
    assert shown.headers["Content-Encoding"] == "gzip"
    parts = [shown.text, *(assets.read(name) for name in assets.TYPES)]
    assert sum(len(gzip.compress(part.encode())) for part in parts) < 50_000


def test_problems_stand_before_everything_else(shop: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Nothing is in the way" in look("/dashboard").text
    config = replace(live.current(), pauses=Pauses.of([Pause("stockx", since=1)]))
    monkeypatch.setattr(live, "current", lambda **_: config)
    text = look("/dashboard").text
    assert text.index("is paused by an operator") < text.index('class="tiles"')


def test_work_is_paused_and_resumed(shop: Cloud) -> None:
    who = signed_in("operator", "platform")
    form = form_of(look("/dashboard/pauses", who), "Pause")
    wrong = send("/dashboard/pauses", {**form, "name": "stockx", "reason": "works", "until": "yesterday"}, who)
    assert wrong.status == 400
    assert 'value="works"' in wrong.text
    assert 'class="wrong" id="wrong-until"' in wrong.text
    mended = {**form_of(wrong, "Pause"), "name": "stockx", "reason": "works"}
    assert send("/dashboard/pauses", mended, who).status == 303
    shown = look("/dashboard/pauses", who)
    assert "works" in shown.text
    assert [send("/dashboard/pauses/resume", form_of(shown, "Resume"), who).status for _ in range(2)] == [303, 303]
    assert "Nothing is paused" in look("/dashboard/pauses", who).text


def test_a_job_says_why_it_waits(shop: Cloud) -> None:
    job = job_in(look("/dashboard/jobs").text)
    shown = look(job)
    assert shown.status == 200
    assert 'class="told"' in shown.text
    assert "What happened" in shown.text


def test_what_users_wrote_is_shown_as_text(shop: Cloud) -> None:
    shown = look("/dashboard/jobs", query=urlencode({"text": HOSTILE, "kind": HOSTILE}))
    assert "<script>alert" not in shown.text
    assert "<img" not in shown.text
    assert unescape(re.findall(r'name="text" value="([^"]*)"', shown.text)[0]) == HOSTILE


@pytest.mark.parametrize(
    ("query", "field"), [("state=wrong", "state"), ("from=yesterday", "from"), ("account=!", "account")]
)
def test_a_hand_made_address_shows_the_page_with_the_reason(shop: Cloud, query: str, field: str) -> None:
    shown = look("/dashboard/jobs", query=query)
    assert shown.status == 400
    assert 'role="search"' in shown.text
    assert 'class="wrong"' in shown.text or f"{field}: " in shown.text


def test_a_table_can_be_sorted_and_taken_along(shop: Cloud) -> None:
    shop.enqueue("acme", "AA0000-001")
    ids = [
        [
            row.partition(",")[0]
            for row in look("/dashboard/jobs", query=f"sort={sort}&format=csv").text.split("\r\n")[1:-1]
        ]
        for sort in ("id", "-id")
    ]
    assert ids[0] == sorted(ids[0]) == ids[1][::-1]
    assert len(ids[0]) == 2
    shown = look("/dashboard/jobs", query="format=csv")
    assert shown.headers["Content-Disposition"] == 'attachment; filename="sluice-jobs.csv"'


def test_a_csv_runs_no_formula(shop: Cloud) -> None:
    from sluice.dashboard.table import Column, Table
    from sluice.dashboard.visit import Visit

    visit = Visit(sessions.Session(Caller("acme", frozenset({"operator"}), "ada"), "key"), "/dashboard", "1", 0)
    rows: list[dict[str, Any]] = [{"a": "=1+1"}, {"a": "fine"}, {"a": -3}]
    text = Table(visit, {"a": Column("A", lambda row: row["a"])}, rows, "", "").csv()
    assert text.split("\r\n")[1:] == ["'=1+1", "fine", "-3", ""]


def test_a_part_that_fails_is_said_and_nothing_else_of_it(shop: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(function: str, event: dict[str, Any]) -> Any:
        raise aws.FunctionFailed(function)

    monkeypatch.setattr(aws, "invoke", fails)
    shown = look("/dashboard")
    assert shown.status == 502
    assert "Try again in a moment" in shown.text


@pytest.mark.parametrize("query", ["", "format=csv"])
@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_a_page_that_cannot_be_sent_says_so(
    shop: Cloud, monkeypatch: pytest.MonkeyPatch, query: str, encoding: str
) -> None:
    """Lambda would fail where nobody can tell the reader why."""
    who = signed_in()
    monkeypatch.setattr(aws, "invoke", lambda *asked: everything_fits(monkeypatch, lambda: dashboard.api(*asked)))
    monkeypatch.setattr(answers, "MOST_BYTES", 20)
    shown = request("GET", "/dashboard/jobs", query=query, cookies=who, headers={"accept-encoding": encoding})
    assert (shown.status, shown.headers["Content-Type"]) == (500, sendable.HTML)
    assert "more than the 6 MB that can be sent" in shown.text
    assert shown.headers["Content-Security-Policy"] == sendable.POLICY
    assert "Content-Encoding" not in shown.headers


def everything_fits(monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any]) -> Any:
    with monkeypatch.context() as patch:
        patch.setattr(answers, "MOST_BYTES", 6 * 1024 * 1024)
        return make()


def test_a_page_of_an_answer_that_cannot_be_sent_does_not_ask_to_try_again(
    shop: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(function: str, event: dict[str, Any]) -> Any:
        body = AnswerTooLarge().body("1")
        return {"statusCode": AnswerTooLarge.status, "headers": {}, "body": json.dumps(body)}

    monkeypatch.setattr(aws, "invoke", too_large)
    shown = look("/dashboard/jobs")
    assert shown.status == 500
    assert "more than the 6 MB that can be sent" in shown.text
    assert "Try again" not in shown.text


def test_half_of_a_letter_in_what_others_have_written_is_shown_as_such(
    shop: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older tables may hold it, and JSON can spell it; no page can."""

    def odd(function: str, event: dict[str, Any]) -> Any:
        answer = dashboard.api(function, event)
        return {**answer, "body": answer["body"].replace("DD1391-100", "DD1391 \\ud83d")}

    monkeypatch.setattr(aws, "invoke", odd)
    shown = look("/dashboard/jobs")
    assert shown.status == 200
    assert "DD1391 \ufffd" in shown.text


# What their buttons do


def test_a_button_cancels_a_job_once_however_often_it_is_pressed(shop: Cloud) -> None:
    who = signed_in()
    page = job_in(look("/dashboard/jobs", who).text)
    form = form_of(look(page, who), "Cancel")
    answers = [send("/dashboard/actions", form, who) for _ in range(2)]
    assert [answer.status for answer in answers] == [303, 303]
    assert answers[0].to == answers[1].to
    action = look(answers[0].to, who)
    assert "1 done" in action.text
    assert "cancelled" in look(page, who).text


def test_many_are_counted_and_shown_before_anything_is_done(shop: Cloud) -> None:
    shop.enqueue("acme", "AA0000-001", "AA0000-002")
    who = signed_in()
    shown = look("/dashboard/jobs", who, "state=queued&sku=AA0000")
    form = form_of(shown, "Cancel…")
    assert {name: form[name] for name in form if name.startswith("filter.")} == {
        "filter.state": "queued",
        "filter.sku": "AA0000",
    }
    asked = send("/dashboard/actions/count", {**form, "action": "cancel"}, who)
    assert asked.status == 200
    assert "Cancel 2?" in asked.text
    done = send("/dashboard/actions", {**form_of(asked, "Cancel 2"), "reason": "wrong sizes"}, who)
    assert done.status == 303
    assert "wrong sizes" in look(done.to, who).text


def test_an_empty_filter_is_refused_with_the_reason(shop: Cloud) -> None:
    who = signed_in()
    form = form_of(look("/dashboard/jobs", who, "state=queued"), "Cancel…")
    del form["filter.state"]
    shown = send("/dashboard/actions/count", {**form, "action": "cancel"}, who)
    assert shown.status == 400
    assert "everything there is" in shown.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://["},
    ],
)
def test_a_form_from_elsewhere_does_nothing(shop: Cloud, headers: dict[str, str]) -> None:
    who = signed_in()
    page = job_in(look("/dashboard/jobs", who).text)
    form = form_of(look(page, who), "Cancel")
    before = shop.content()
    assert send("/dashboard/actions", form, who, headers).status == 403
    assert shop.content() == before


def test_a_browser_that_tells_no_site_is_known_by_its_origin(shop: Cloud) -> None:
    who = signed_in()
    form = form_of(look("/dashboard", who), "Sign out")
    assert send("/dashboard/sign-out", form, who, {"origin": f"https://{HOST}"}).status == 303


def test_a_form_without_the_key_of_its_session_does_nothing(shop: Cloud) -> None:
    who, other = signed_in(), signed_in()
    page = job_in(look("/dashboard/jobs", who).text)
    form = form_of(look(page, other), "Cancel")
    before = shop.content()
    for wrong in (form, {**form, "form_key": ""}):
        assert send("/dashboard/actions", wrong, who).status == 403
    assert shop.content() == before


def test_a_form_sent_after_the_session_leads_back_to_its_page(shop: Cloud) -> None:
    form = form_of(look("/dashboard/jobs", query="state=queued"), "Cancel…")
    shown = send("/dashboard/actions/count", {**form, "action": "cancel"}, {})
    assert shown.status == 401
    assert 'href="/dashboard/sign-in?back=%2Fdashboard%2Fjobs%3Fstate%3Dqueued"' in shown.text


def test_signing_out_ends_the_session(shop: Cloud) -> None:
    who = signed_in()
    shown = send("/dashboard/sign-out", form_of(look("/dashboard", who), "Sign out"), who)
    assert shown.to == "/dashboard/signed-out"
    assert "Max-Age=0" in shown.cookies[COOKIE]
    assert look("/dashboard", who).status == 303


# Signing in


@pytest.fixture
def issuer(shop: Cloud) -> Iterator[Issuer]:
    with dashboard.issuer() as made:
        yield made


def at_the_issuer(begun: Shown, tenant: str = "acme", roles: str = "operator") -> str:
    """Choose who one is at the issuer; the query with which the browser comes back."""
    answer = httpx.get(f"{begun.to}&{urlencode({'tenant': tenant, 'roles': roles})}", timeout=SECONDS)
    assert answer.status_code == 303, answer.text
    assert urlsplit(answer.headers["location"]).path == "/dashboard/signed-in"
    return urlsplit(answer.headers["location"]).query


def cookie(shown: Shown, name: str) -> dict[str, str]:
    return {name: shown.cookies[name].partition(";")[0]}


def test_signing_in_leads_back_to_where_one_wanted_to_go(issuer: Issuer) -> None:
    begun = request("GET", "/dashboard/sign-in", query="back=%2Fdashboard%2Fjobs%3Fstate%3Dqueued")
    assert begun.status == 303
    query = at_the_issuer(begun)
    shown = request("GET", "/dashboard/signed-in", query=query, cookies=cookie(begun, SIGN_IN))
    assert (shown.status, shown.to) == (303, "/dashboard/jobs?state=queued")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in shown.cookies[COOKIE].split("; ")
    page = look("/dashboard/jobs", cookie(shown, COOKIE))
    assert "someone@acme · tenant acme" in page.text


def test_a_sign_in_is_good_once_in_one_browser_for_ten_minutes(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, other = (request("GET", "/dashboard/sign-in") for _ in range(2))
    query = at_the_issuer(begun)
    # Somebody has me follow a link with their code, to be signed in as them.
    assert request("GET", "/dashboard/signed-in", query=query, cookies=cookie(other, SIGN_IN)).status == 403
    assert request("GET", "/dashboard/signed-in", query=query).status == 403
    assert request("GET", "/dashboard/signed-in", query=query, cookies=cookie(begun, SIGN_IN)).status == 303
    assert request("GET", "/dashboard/signed-in", query=query, cookies=cookie(begun, SIGN_IN)).status == 403
    clock = VirtualClock(SystemClock().now() + sessions.SIGN_IN_MS)
    late = at_the_issuer(other)
    monkeypatch.setattr(site, "clock", clock)
    assert "ten minutes" in request("GET", "/dashboard/signed-in", query=late, cookies=cookie(other, SIGN_IN)).text


def test_an_id_token_of_another_sign_in_is_refused(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = request("GET", "/dashboard/sign-in")
    query = at_the_issuer(begun)
    token = issuer.token("acme", ("operator",), aud=issuer.client_id, nonce="another")
    monkeypatch.setattr(at_issuer, "tokens", lambda *_: {"id_token": token, "access_token": issuer.token("acme")})
    shown = request("GET", "/dashboard/signed-in", query=query, cookies=cookie(begun, SIGN_IN))
    assert shown.status == 403
    assert "belongs to another sign-in" in shown.text


def test_whom_the_api_would_not_take_is_told_so(issuer: Issuer) -> None:
    begun = request("GET", "/dashboard/sign-in")
    shown = request(
        "GET", "/dashboard/signed-in", query=at_the_issuer(begun, roles="nothing"), cookies=cookie(begun, SIGN_IN)
    )
    assert shown.status == 403
    assert "roles" in shown.text
    assert COOKIE not in shown.cookies


def test_an_issuer_that_does_not_answer_is_said(issuer: Issuer) -> None:
    issuer.stop()
    shown = request("GET", "/dashboard/sign-in")
    assert shown.status == 503
    assert "does not answer" in shown.text


def test_a_refusal_of_the_issuer_is_told_without_its_words(issuer: Issuer) -> None:
    begun = request("GET", "/dashboard/sign-in")
    state = parse_qs(urlsplit(begun.to).query)["state"][0]
    query = urlencode({"state": state, "error": "access_denied", "error_description": HOSTILE})
    shown = request("GET", "/dashboard/signed-in", query=query, cookies=cookie(begun, SIGN_IN))
    assert shown.status == 403
    assert "alert" not in shown.text


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/v1/jobs",
        "javascript:alert(1)",
        "/dashboard\n",
        "/dashboards",
        "//[",
        "//\u2100",
    ],
)
def test_nobody_is_sent_to_another_site(back: str) -> None:
    assert not is_ours(back)


@pytest.mark.parametrize("back", ["//[", "//\u2100", "\\"])
def test_an_address_that_is_none_leads_nowhere_and_fails_nothing(shop: Cloud, back: str) -> None:
    assert request("GET", "/dashboard/sign-in", query=urlencode({"back": back})).status == 503
    answer = send("/dashboard/actions", {"back": back}, {})
    assert (answer.status, "Sign in" in answer.text) == (401, True)


@pytest.mark.parametrize("back", ["/dashboard", "/dashboard?tenant=acme", "/dashboard/jobs?state=dead"])
def test_pages_of_the_dashboard_are_known(back: str) -> None:
    assert is_ours(back)


# How they ask


# What a page may import of Sluice besides the dashboard: names, and who may do what.
# `money` and `limits` are how an amount, and a window of calls, are written; they are pure rules.
FOR_PAGES = {
    "sluice.capabilities",
    "sluice.platform.addresses",
    "sluice.platform.config.limits",
    "sluice.platform.http.auth",
    "sluice.platform.money",
}


def test_a_page_is_made_of_what_the_api_answers_and_of_nothing_else() -> None:
    for module in Path(pages.__file__).parent.rglob("*.py"):
        named = re.findall(r"^\s*(?:from|import) ([\w.]+)", module.read_text(encoding="utf-8"), re.MULTILINE)
        ours = {one for one in named if one.startswith("sluice")}
        assert {one for one in ours if not one.startswith("sluice.dashboard")} <= FOR_PAGES, module
        assert not {one.partition(".")[0] for one in named} & {"boto3", "botocore", "pynamodb", "httpx", "os"}, module


def test_no_page_reads_a_table() -> None:
    for module in Path(site.__file__).parent.rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        if module.name != "sessions.py":
            assert "tables" not in re.findall(r"import (\w+)", text), module
            assert "pynamodb" not in text, module
