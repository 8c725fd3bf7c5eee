"""Access tokens: kept, shared, renewed by one worker at a time, and given up."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.access_tokens import CLAIM_MS, EARLY_MS, LOOK_MS, WAIT_MS, Tokens
from sluice.marketplaces.accounts.oauth import Fresh
from sluice.marketplaces.accounts.table import Account, Status
from sluice.marketplaces.accounts.token_cache import Cache
from sluice.marketplaces.http.errors import AccountBroken, GrantRefused, TokenBusy, Unavailable
from sluice.platform import aws
from sluice.platform.clock import HOUR, MINUTE, SECOND
from tests.support.patience import SECONDS
from tests.unit.marketplaces.conftest import Events
from tests.unit.marketplaces.fakes import ACCOUNT, CREDENTIALS, NOON, WatchedClock

pytestmark = pytest.mark.usefixtures("account")


class Server:
    """A token server: gives `t1`, `t2`, … and writes down for which refresh token."""

    def __init__(self, lives: int = 12 * HOUR) -> None:
        self.asked: list[str] = []
        self.lives = lives
        self.failure: Exception | None = None
        self.renewed: str | None = None

    def __call__(self, credentials: Mapping[str, str]) -> Fresh:
        self.asked.append(credentials["refresh_token"])
        if self.failure:
            raise self.failure
        return Fresh(f"t{len(self.asked)}", self.lives, self.renewed)


@pytest.fixture
def server() -> Server:
    return Server()


def _worker(server: Server, clock: WatchedClock) -> Tokens:
    """A process of its own: what it knows, no other does."""
    return Tokens(ACCOUNT, server, clock, Cache())


def _found() -> Account:
    found = accounts.find(ACCOUNT)
    assert found is not None
    return found


def test_the_first_token_is_made_and_kept(server: Server, clock: WatchedClock) -> None:
    tokens = _worker(server, clock)
    access = tokens.get()
    assert (access.token, access.version, access.expires_at) == ("t1", 2, NOON + 12 * HOUR)
    assert access.credentials == CREDENTIALS
    assert tokens.get() is access
    assert server.asked == [CREDENTIALS["refresh_token"]]
    assert _found().refreshing_until is None


def test_another_worker_takes_it_from_the_table(server: Server, clock: WatchedClock) -> None:
    _worker(server, clock).get()
    assert _worker(server, clock).get().token == "t1"
    assert len(server.asked) == 1


def test_tokens_of_one_process_share_what_it_knows(
    server: Server, clock: WatchedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    Tokens(ACCOUNT, server, clock).get()
    monkeypatch.setattr(accounts, "find", _must_not_be_called)
    assert Tokens(ACCOUNT, server, clock).get().token == "t1"


def test_it_is_renewed_before_it_ends(server: Server, clock: WatchedClock) -> None:
    tokens = _worker(server, clock)
    tokens.get()
    clock.time = NOON + server.lives - EARLY_MS - 1
    assert tokens.get().token == "t1"
    clock.time += 1
    assert tokens.get().token == "t2"


def test_the_refresh_token_is_kept_unless_another_one_comes(server: Server, clock: WatchedClock) -> None:
    tokens = _worker(server, clock)
    tokens.get()
    assert accounts.unseal(_found())[0] == CREDENTIALS
    server.renewed = "refresh-2"
    tokens.replace(tokens.get())
    assert accounts.unseal(_found())[0] == CREDENTIALS | {"refresh_token": "refresh-2"}
    tokens.replace(tokens.get())
    assert server.asked[-1] == "refresh-2"


def test_connecting_again_is_noticed(server: Server, clock: WatchedClock) -> None:
    tokens = _worker(server, clock)
    tokens.get()
    accounts.connect("stockx", "acme", CREDENTIALS | {"api_key": "key-2"}, NOON)
    assert tokens.get().credentials["api_key"] == CREDENTIALS["api_key"]
    clock.time += LOOK_MS
    assert tokens.get().credentials["api_key"] == "key-2"


def test_of_two_workers_one_renews_and_the_other_waits_for_its_token(server: Server, clock: WatchedClock) -> None:
    asked, answer = threading.Event(), threading.Event()

    def slow(credentials: Mapping[str, str]) -> Fresh:
        asked.set()
        assert answer.wait(SECONDS)
        return server(credentials)

    first = threading.Thread(target=Tokens(ACCOUNT, slow, WatchedClock(), Cache()).get)
    first.start()
    assert asked.wait(SECONDS)

    def first_finishes() -> None:
        answer.set()
        first.join(SECONDS)

    clock.on_wait = first_finishes
    access = Tokens(ACCOUNT, _must_not_be_called, clock, Cache()).get()
    assert (access.token, clock.waits) == ("t1", 1)


def test_threads_of_one_worker_make_one_token(server: Server, clock: WatchedClock) -> None:
    tokens, got = _worker(server, clock), list[str]()
    threads = [threading.Thread(target=lambda: got.append(tokens.get().token)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["t1"] * 8
    assert len(server.asked) == 1


def test_while_another_worker_renews_it_a_living_token_is_used(server: Server, clock: WatchedClock) -> None:
    tokens = _worker(server, clock)
    access = tokens.get()
    clock.time = access.expires_at - MINUTE
    accounts.claim_refresh(ACCOUNT, access.version, clock.time, clock.time + CLAIM_MS)
    assert tokens.get() is access
    assert (clock.waits, len(server.asked)) == (0, 1)


def test_waiting_for_another_worker_ends(server: Server, clock: WatchedClock) -> None:
    accounts.claim_refresh(ACCOUNT, 1, NOON, NOON + CLAIM_MS)
    with pytest.raises(TokenBusy) as caught:
        _worker(server, clock).get()
    assert clock.time == NOON + WAIT_MS
    assert caught.value.retry_at == NOON + CLAIM_MS
    assert caught.value.whole_batch
    assert server.asked == []


def test_a_worker_that_died_is_taken_over_from(server: Server, clock: WatchedClock) -> None:
    accounts.claim_refresh(ACCOUNT, 1, NOON - CLAIM_MS, NOON + SECOND)
    assert _worker(server, clock).get().token == "t1"
    assert clock.time >= NOON + SECOND


def test_a_refresh_that_fails_leaves_the_account_as_it_is(server: Server, clock: WatchedClock, events: Events) -> None:
    server.failure = Unavailable("down", status=503)
    with pytest.raises(Unavailable):
        _worker(server, clock).get()
    assert (_found().status, _found().token_version, events) == (Status.ACTIVE, 1, [])
    server.failure = None
    clock.time += CLAIM_MS
    assert _worker(server, clock).get().token == "t2"


def test_a_refresh_that_fails_early_does_not_matter_yet(server: Server, clock: WatchedClock) -> None:
    tokens = _worker(server, clock)
    access = tokens.get()
    clock.time = access.expires_at - MINUTE
    server.failure = Unavailable("down")
    assert [tokens.get() for _ in range(3)] == [access] * 3
    assert len(server.asked) == 2
    clock.time += MINUTE
    with pytest.raises(Unavailable):
        tokens.get()


def test_a_refused_token_is_replaced_by_the_newer_one(server: Server, clock: WatchedClock) -> None:
    mine, other = _worker(server, clock), _worker(server, clock)
    old = mine.get()
    newer = other.replace(other.get())
    assert mine.replace(old) == newer
    assert len(server.asked) == 2


def test_two_threads_refused_with_one_token_make_one_new(server: Server, clock: WatchedClock) -> None:
    tokens = _worker(server, clock)
    old = tokens.get()
    assert tokens.replace(old) is tokens.replace(old)
    assert len(server.asked) == 2


def test_connected_again_while_the_token_was_renewed(clock: WatchedClock) -> None:
    def slow(credentials: Mapping[str, str]) -> Fresh:
        if credentials["api_key"] != "key-2":
            accounts.connect("stockx", "acme", CREDENTIALS | {"api_key": "key-2"}, NOON)
            return Fresh("token of the old connection", HOUR)
        return Fresh("token of the new one", HOUR)

    access = Tokens(ACCOUNT, slow, clock, Cache()).get()
    assert (access.token, access.credentials["api_key"]) == ("token of the new one", "key-2")
    assert accounts.unseal(_found())[1] == "token of the new one"


@pytest.mark.parametrize(
    ("code", "message", "status"),
    [
        ("invalid_grant", "Unknown or invalid refresh token.", Status.EXPIRED),
        ("invalid_grant", "The refresh token was revoked.", Status.REVOKED),
        ("invalid_client", "Unauthorized", Status.BROKEN),
        ("unauthorized_client", "Grant type not allowed", Status.BROKEN),
    ],
)
def test_credentials_that_get_no_token(
    code: str, message: str, status: Status, server: Server, clock: WatchedClock, events: Events
) -> None:
    server.failure = GrantRefused(message, status=403, code=code)
    first, second = _worker(server, clock), _worker(server, clock)
    for tokens in (first, second):
        with pytest.raises(AccountBroken, match=f"is {status}") as caught:
            tokens.get()
        assert caught.value.whole_batch
    assert (_found().status, _found().reason) == (status, message)
    assert len(server.asked) == 1
    ((kind, detail),) = events
    assert kind == "account.broken"
    assert detail == {
        "version": 1,
        "account": ACCOUNT,
        "marketplace": "stockx",
        "tenant": "acme",
        "grant": "seller",
        "status": status,
        "reason": message,
        "at": "2026-11-22T12:00:00.000Z",
    }


def test_giving_up_breaks_the_account_once(server: Server, clock: WatchedClock, events: Events) -> None:
    workers = [_worker(server, clock) for _ in range(3)]
    accesses = [worker.get() for worker in workers]
    for worker, access in zip(workers, accesses, strict=True):
        assert isinstance(worker.give_up(access, "401 twice"), AccountBroken)
    assert _found().status == Status.BROKEN
    assert len(events) == 1
    with pytest.raises(AccountBroken, match="is BROKEN: connect it"):
        workers[0].get()


def test_giving_up_a_token_that_is_no_longer_the_accounts(server: Server, clock: WatchedClock, events: Events) -> None:
    tokens = _worker(server, clock)
    access = tokens.get()
    accounts.connect("stockx", "acme", CREDENTIALS, NOON)
    tokens.give_up(access, "401 twice")
    assert (_found().status, events) == (Status.ACTIVE, [])
    assert tokens.get().token == "t2"


# --- an account with a token for its application and one for its user ---


def _user(server: Server, clock: WatchedClock) -> Tokens:
    return Tokens(ACCOUNT, server, clock, Cache(), accounts.USER_TOKEN)


def test_two_tokens_of_an_account_are_made_kept_and_renewed_apart(server: Server, clock: WatchedClock) -> None:
    application, user = _worker(server, clock), _user(server, clock)
    assert (application.get().token, user.get().token) == ("t1", "t2")
    assert user.replace(user.get()).token == "t3"
    fresh = [tokens.get().token for tokens in (application, _worker(server, clock), _user(server, clock))]
    assert fresh == ["t1", "t1", "t3"]
    assert len(server.asked) == 3


def test_renewing_one_does_not_keep_the_other_waiting(server: Server, clock: WatchedClock) -> None:
    accounts.claim_refresh(ACCOUNT, 1, NOON, NOON + CLAIM_MS)
    assert _user(server, clock).get().token == "t1"
    assert clock.waits == 0


def test_a_new_token_of_the_one_is_no_answer_to_a_refused_other(server: Server, clock: WatchedClock) -> None:
    """Else the second 401 would come from the very token that was refused, and break the account."""
    application, user = _worker(server, clock), _user(server, clock)
    refused = user.get()
    application.replace(application.get())
    assert user.replace(refused).token != refused.token


def test_connecting_again_forgets_both(server: Server, clock: WatchedClock) -> None:
    _worker(server, clock).get()
    user = _user(server, clock)
    old = user.get()
    accounts.connect("stockx", "acme", CREDENTIALS, NOON)
    found = _found()
    assert not any((found.token, found.user_token, found.token_expires_at, found.user_token_expires_at))
    assert isinstance(user.give_up(old, "401 twice"), AccountBroken)
    assert _found().status == Status.ACTIVE


@pytest.mark.parametrize("broken", ["application", "user"])
def test_one_that_is_refused_leaves_the_other_as_it_is(broken: str, clock: WatchedClock, events: Events) -> None:
    accounts.connect("ebay", "acme", {name: CREDENTIALS[name] for name in ("client_id", "client_secret")}, NOON)

    def mint(_: Mapping[str, str]) -> Fresh:
        return Fresh("t", HOUR)

    places = {"application": accounts.TOKEN, "user": accounts.USER_TOKEN}
    tokens = {name: Tokens("ebay:acme", mint, clock, Cache(), place) for name, place in places.items()}
    tokens[broken].give_up(tokens[broken].get(), "401 twice")
    with pytest.raises(AccountBroken, match="is BROKEN"):
        tokens[broken].get()
    [other] = places.keys() - {broken}
    assert tokens[other].get().token == "t"
    [(_, detail)] = events
    assert detail["grant"] == {"application": "application", "user": "seller"}[broken]


def test_the_first_call_that_is_answered_proves_the_grant_once(server: Server, clock: WatchedClock) -> None:
    tokens = _worker(server, clock)
    access = tokens.get()
    assert _found().verified_at is None
    clock.time += MINUTE
    tokens.accepted(access)
    assert _found().verified_at == NOON + MINUTE
    clock.time += MINUTE
    for again in (tokens, _worker(server, clock)):
        again.accepted(again.get())
    assert _found().verified_at == NOON + MINUTE


def test_an_answer_to_an_old_token_proves_nothing_of_what_was_connected_since(
    server: Server, clock: WatchedClock
) -> None:
    tokens = _worker(server, clock)
    access = tokens.get()
    accounts.connect("stockx", "acme", CREDENTIALS, NOON)
    tokens.accepted(access)
    assert _found().verified_at is None


def test_a_disconnected_account_gets_no_token(server: Server, clock: WatchedClock) -> None:
    tokens = _worker(server, clock)
    tokens.get()
    assert accounts.disconnect(ACCOUNT, NOON)
    clock.time += LOOK_MS
    with pytest.raises(AccountBroken, match="is not connected: connect it"):
        tokens.get()


def test_a_bus_that_fails_holds_the_account_all_the_same(
    server: Server, clock: WatchedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = _worker(server, clock)
    access = tokens.get()
    monkeypatch.setattr(aws, "put_event", _must_not_be_called)
    assert isinstance(tokens.give_up(access, "401 twice"), AccountBroken)
    assert _found().status == Status.BROKEN


def test_an_account_that_is_not_there(clock: WatchedClock, server: Server) -> None:
    with pytest.raises(AccountBroken, match="account stockx:nobody is not connected"):
        Tokens("stockx:nobody", server, clock, Cache()).get()


def test_a_process_forgets_before_it_grows_too_large() -> None:
    cache = Cache()
    first = cache.of("a")
    assert cache.of("a") is first
    for number in range(1_100):
        cache.of(str(number))
    assert cache.of("a") is not first


def _must_not_be_called(*_: Any) -> Any:
    raise AssertionError("nobody may ask for this")
