"""Connecting accounts, and saying that one is broken."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sluice.marketplaces import registry
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.table import Account, Proof, Status
from sluice.marketplaces.accounts.views import view
from sluice.platform import aws, tables
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.refused import Refused
from tests.unit.marketplaces.fakes import ACCOUNT, CREDENTIALS, NOON

CREDENTIALS_OF_SELLER = {name: CREDENTIALS[name] for name in ("client_id", "client_secret", "refresh_token")}


def test_a_new_account(account: Account) -> None:
    assert (account.account, account.tenant, account.marketplace) == (ACCOUNT, "acme", "stockx")
    assert (account.status, account.token_version) == ("ACTIVE", 1)
    assert not account.token
    assert accounts.unseal(account) == (CREDENTIALS, None)
    shown = view(account)
    assert shown == {
        "account": ACCOUNT,
        "marketplace": "stockx",
        "status": "UNVERIFIED",
        "reason": shown["reason"],
        "grants": [
            {
                "grant": "seller",
                "serves": "prices and listings",
                "status": "UNVERIFIED",
                "reason": shown["reason"],
                "verifiedAt": None,
            }
        ],
        "connectedAt": "2026-11-22T12:00:00.000Z",
        "updatedAt": "2026-11-22T12:00:00.000Z",
    }
    accounts.verify(ACCOUNT, 1, NOON + SECOND)
    [grant] = view(_found())["grants"]
    assert (grant["status"], grant["reason"], grant["verifiedAt"]) == ("ACTIVE", None, "2026-11-22T12:00:01.000Z")


def test_connecting_again_forgets_the_token_and_what_was_wrong(account: Account) -> None:
    accounts.claim_refresh(ACCOUNT, 1, NOON, NOON + MINUTE)
    accounts.store_token(ACCOUNT, 1, "token-1", NOON + MINUTE, NOON, None)
    assert accounts.mark(ACCOUNT, Status.BROKEN, "401", NOON, 2)
    accounts.connect("stockx", "acme", CREDENTIALS | {"api_key": "another-key"}, NOON + SECOND)
    again = _found()
    assert (again.status, again.token_version) == ("ACTIVE", 3)
    assert not any((again.reason, again.token, again.token_expires_at, again.refreshing_until))
    assert accounts.unseal(again)[0]["api_key"] == "another-key"
    assert again.connected_at == NOON + SECOND


def test_one_accounts_secrets_do_not_open_as_anothers(account: Account) -> None:
    account.account = "stockx:mallory"
    with pytest.raises(ClientError, match="InvalidCiphertext"):
        accounts.unseal(account)


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"api_key": None}, "api_key", "is missing"),
        ({"api_key": ""}, "api_key", "is missing"),
        ({"api_key": 5}, "api_key", "is missing"),
        ({"api_key": ["secret-value"]}, "api_key", "is missing"),
        ({"refresh_token": "x" * 2049}, "refresh_token", "at most 2048 characters, not 2049"),
        ({"client_id": "secret value"}, "client_id", "visible ASCII"),
        ({"client_id": "secret\nvalue"}, "client_id", "visible ASCII"),
        ({"client_id": "secret\u00e9"}, "client_id", "visible ASCII"),
        ({"password": "secret-value"}, "password", "is unknown"),
    ],
)
def test_credentials_that_cannot_be_right(change: dict[str, Any], field: str, message: str, cloud: None) -> None:
    with pytest.raises(Refused, match=message) as caught:
        accounts.connect("stockx", "acme", CREDENTIALS | change, NOON)
    assert [problem.field for problem in caught.value.fields] == [field]
    assert "secret" not in str(caught.value).replace("client_secret", "")
    assert accounts.find(ACCOUNT) is None


@pytest.mark.parametrize(
    ("marketplace", "given", "wrong"),
    [
        ("stockx", {}, ["api_key", "client_id", "client_secret", "refresh_token"]),
        ("stockx", {"api_key": 5, "client_id": "a b", "extra": "x"}, ["extra", *CREDENTIALS]),
        ("alias", {"token": "x"}, ["token", "personal_access_token"]),
        ("ebay", {}, ["client_id", "client_secret"]),
    ],
)
def test_all_that_is_wrong_is_named_at_once(
    marketplace: str, given: dict[str, Any], wrong: list[str], cloud: None
) -> None:
    with pytest.raises(Refused) as caught:
        accounts.connect(marketplace, "acme", given, NOON)
    assert [problem.field for problem in caught.value.fields] == wrong


def test_the_longest_credentials_are_stored(cloud: None) -> None:
    longest = {field.name: "x" * field.most for field in registry.get("stockx").credentials}
    assert accounts.unseal(accounts.connect("stockx", "acme", longest, NOON))[0] == longest


def test_an_unknown_marketplace(cloud: None) -> None:
    with pytest.raises(registry.UnknownMarketplace):
        accounts.connect("nowhere", "acme", CREDENTIALS, NOON)


def test_statuses_of_many(cloud: None) -> None:
    assert accounts.statuses([]) == {}
    ids = [accounts.connect("stockx", f"tenant-{number}", CREDENTIALS, NOON).account for number in range(3)]
    accounts.mark(ids[1], Status.EXPIRED, "old", NOON, 1)
    many = [*ids, *(f"stockx:missing-{number}" for number in range(120))]
    assert accounts.statuses(many) == {ids[0]: "ACTIVE", ids[1]: "EXPIRED", ids[2]: "ACTIVE"}


def test_only_one_caller_breaks_an_account(account: Account) -> None:
    assert accounts.mark(ACCOUNT, Status.BROKEN, "401", NOON, 1)
    assert not accounts.mark(ACCOUNT, Status.REVOKED, "401 again", NOON + SECOND, 1)
    assert (_found().status, _found().reason) == (Status.BROKEN, "401")


def test_a_late_401_does_not_break_what_was_connected_again(account: Account) -> None:
    accounts.connect("stockx", "acme", CREDENTIALS, NOON)
    assert not accounts.mark(ACCOUNT, Status.BROKEN, "401 for the old token", NOON, 1)
    assert _found().status == Status.ACTIVE


def test_the_grants_of_an_ebay_account_are_shown_and_break_apart(cloud: None) -> None:
    application = {name: CREDENTIALS[name] for name in ("client_id", "client_secret")}
    account = accounts.connect("ebay", "acme", application, NOON, [Proof(verified=True)])
    shown = {one["grant"]: one["status"] for one in view(account)["grants"]}
    assert shown == {"application": "ACTIVE", "seller": "NOT_CONNECTED"}
    proofs = [Proof(verified=True), Proof(verified=True)]
    accounts.connect("ebay", "acme", CREDENTIALS_OF_SELLER, NOON, proofs)
    assert accounts.mark("ebay:acme", Status.REVOKED, "taken back", NOON, 2, accounts.USER_TOKEN)
    found = accounts.find("ebay:acme")
    assert found
    told = view(found)
    assert (told["status"], told["reason"]) == ("ACTIVE", None)
    assert [(one["status"], one["reason"]) for one in told["grants"]] == [("ACTIVE", None), ("REVOKED", "taken back")]
    assert accounts.statuses(["ebay:acme"]) == {"ebay:acme": "ACTIVE"}
    assert accounts.statuses(["ebay:acme"], "ebay") == {"ebay:acme": "ACTIVE"}
    assert accounts.statuses(["ebay:acme"], "ebay-marketing") == {"ebay:acme": "REVOKED"}


def test_disconnecting_leaves_no_secret_and_forgets_nothing_that_protects(account: Account) -> None:
    accounts.store_token(ACCOUNT, 1, "token-in-the-clear", NOON + MINUTE, NOON, None)
    assert accounts.disconnect(ACCOUNT, NOON)
    item = aws.client("dynamodb").get_item(TableName=tables.name("accounts"), Key={"account": {"S": ACCOUNT}})["Item"]
    assert not [name for name, value in item.items() if "B" in value]
    assert accounts.find(ACCOUNT) is None
    assert accounts.statuses([ACCOUNT]) == {}
    assert not accounts.disconnect(ACCOUNT, NOON), "there is none any more"
    assert not accounts.mark(ACCOUNT, Status.BROKEN, "a late 401", NOON, 2)
    with pytest.raises(tables.ConditionFailed):
        accounts.store_token(ACCOUNT, 2, "a late renewal", NOON, NOON, None)
    again = accounts.connect("stockx", "acme", CREDENTIALS, NOON)
    assert again.token_version == 4, "a late 401 for version 1 or 2 cannot break it"
    assert not accounts.mark(ACCOUNT, Status.BROKEN, "a late 401", NOON, 2)


def test_what_is_not_there_cannot_be_disconnected(cloud: None) -> None:
    assert not accounts.disconnect("stockx:nobody", NOON)
    assert (
        not aws.client("dynamodb")
        .get_item(TableName=tables.name("accounts"), Key={"account": {"S": "stockx:nobody"}})
        .get("Item")
    )


def test_marking_what_is_not_there_writes_nothing(cloud: None) -> None:
    assert not accounts.mark("stockx:nobody", Status.BROKEN, "401", NOON, 0)
    assert accounts.find("stockx:nobody") is None


def test_one_claim_at_a_time_and_for_a_time(account: Account) -> None:
    accounts.claim_refresh(ACCOUNT, 1, NOON, NOON + MINUTE)
    with pytest.raises(tables.ConditionFailed) as caught:
        accounts.claim_refresh(ACCOUNT, 1, NOON + SECOND, NOON + 2 * MINUTE)
    assert caught.value.item is not None
    accounts.claim_refresh(ACCOUNT, 1, NOON + MINUTE, NOON + 2 * MINUTE)
    with pytest.raises(tables.ConditionFailed):
        accounts.claim_refresh(ACCOUNT, 2, NOON + 5 * MINUTE, NOON + 6 * MINUTE)


def test_a_slow_refresh_does_not_overwrite_a_newer_token(account: Account) -> None:
    accounts.store_token(ACCOUNT, 1, "new", NOON + MINUTE, NOON, None)
    with pytest.raises(tables.ConditionFailed):
        accounts.store_token(ACCOUNT, 1, "old", NOON + MINUTE, NOON, None)
    assert accounts.unseal(_found())[1] == "new"


def test_no_secret_stands_in_the_table(account: Account) -> None:
    accounts.store_token(ACCOUNT, 1, "token-in-the-clear", NOON + MINUTE, NOON, None)
    item = aws.client("dynamodb").get_item(TableName=tables.name("accounts"), Key={"account": {"S": ACCOUNT}})["Item"]
    for secret in (*CREDENTIALS.values(), "token-in-the-clear"):
        assert secret not in str(item)


def _found() -> Account:
    found = accounts.find(ACCOUNT)
    assert found is not None
    return found
