"""The recipes of docs/operate/issuers.md make tokens that pass."""

import re
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from local.cloud.cloud import ROOT
from sluice.platform.http import jwt as tokens
from tests.support import process

PAGE = (ROOT / "docs" / "operate" / "issuers.md").read_text(encoding="utf-8")
COGNITO, OWN = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


class Keys(jwt.PyJWKClient):
    """The keys that a recipe publishes."""

    def __init__(self, published: dict[str, Any]) -> None:
        super().__init__("https://issuer.example/jwks.json")
        self._published = published

    def fetch_data(self) -> Any:
        return self._published


@pytest.fixture
def issued(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What the recipe of an own issuer leaves behind."""
    monkeypatch.setenv("JWT_ISSUER", "https://issuer.example")
    monkeypatch.setenv("JWT_AUDIENCE", "sluice")
    process.forget()
    made: dict[str, Any] = {}
    exec(OWN, made)
    yield made
    monkeypatch.undo()
    process.forget()


def test_the_token_of_an_own_issuer_passes(issued: dict[str, Any]) -> None:
    caller = tokens.check(issued["token"], Keys(issued["jwks"]))
    assert (caller.tenant, caller.subject, sorted(caller.roles)) == ("acme", "ann", ["admin"])


def test_the_claims_of_cognitos_trigger_pass(issued: dict[str, Any]) -> None:
    made: dict[str, Any] = {}
    exec(COGNITO, made)
    user = {"custom:tenant": "acme", "custom:roles": "user operator"}
    answer = made["handler"]({"request": {"userAttributes": user}, "response": {}}, None)
    added = answer["response"]["claimsAndScopeOverrideDetails"]["idTokenGeneration"]["claimsToAddOrOverride"]
    standard = {name: value for name, value in issued["claims"].items() if name not in ("tenant", "roles")}
    token = jwt.encode({**standard, **added}, issued["key"], algorithm="RS256", headers={"kid": "2026-11"})
    assert tokens.check(token, Keys(issued["jwks"])).roles == {"user", "operator"}
