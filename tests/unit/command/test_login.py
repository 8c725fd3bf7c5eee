"""Signing in by the device flow, and a token that is renewed without a person; the issuer is played."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jwt
import pytest

from tests.support.command import URL, Shell

ISSUER = "https://issuer.example"
USE = ("use", "prod", "--api", URL, "--issuer", ISSUER, "--client-id", "sluice-command", "--audience", "sluice")


@dataclass
class Issuer:
    """The issuer, and the stage that takes its tokens. answers: to the token call, one after the other."""

    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    devices: bool = True
    refused: set[str] = field(default_factory=set)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl(request.content.decode()))
        self.asked.append((request.url.path, form))
        match request.url.path:
            case "/.well-known/openid-configuration":
                places = {"token_endpoint": f"{ISSUER}/token"}
                device = {"device_authorization_endpoint": f"{ISSUER}/device"} if self.devices else {}
                return httpx.Response(200, json={**places, **device})
            case "/device":
                body = {
                    "device_code": "the-device",
                    "user_code": "ABCD-EFGH",
                    "verification_uri": f"{ISSUER}/activate",
                    "expires_in": 600,
                    "interval": 5,
                }
                return httpx.Response(200, json=body)
            case "/token":
                status, answer = self.answers.pop(0)
                return httpx.Response(status, json=answer)
            case _:
                if request.headers["authorization"].removeprefix("Bearer ") in self.refused:
                    return httpx.Response(403, json={"message": "Forbidden"})
                return httpx.Response(200, json={"jobs": [], "next": None})


def token(name: str = "first", lives: float = 3_600) -> str:
    claims = {"jti": name, "sub": "someone@acme", "tenant": "acme", "roles": ["user"], "exp": int(time.time() + lives)}
    return jwt.encode(claims, "k" * 32, algorithm="HS256")


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Issuer:
    for name in ("API", "TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLUICE_CONFIG_FOLDER", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return Issuer()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def shell(issuer: Issuer, waits: list[float]) -> Shell:
    shell = Shell(httpx.MockTransport(issuer), waits.append)
    assert shell.run(*USE).code == 0
    return shell


PENDING = (400, {"error": "authorization_pending"})


def test_a_person_agrees_in_a_browser(issuer: Issuer, shell: Shell, waits: list[float], tmp_path: Path) -> None:
    good = token()
    issuer.answers = [PENDING, (400, {"error": "slow_down"}), (200, {"access_token": good, "refresh_token": "again"})]
    ran = shell.run("login")
    assert ran.code == 0, ran
    assert f"Open {ISSUER}/activate in a browser, and check that it shows the code ABCD-EFGH" in ran.err
    assert ran.out.startswith("signed in to prod as someone@acme of acme (user) until ")
    assert waits == [5, 5, 10], "as the issuer asked"
    form = dict(issuer.asked)["/device"]
    assert form == {"client_id": "sluice-command", "scope": "openid offline_access", "audience": "sluice"}
    kept = json.loads((tmp_path / "stages.json").read_text())["stages"]["prod"]
    assert (kept["token"], kept["issuer"]["refresh_token"]) == (good, "again")
    assert not any(secret in ran.out + ran.err for secret in (good, "the-device", "again"))


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ((400, {"error": "access_denied"}), 3, "gives no token: access_denied; `sluice login` begins anew"),
        ((400, {"error": "expired_token"}), 1, "the code is too old"),
        ((500, {}), 3, "gives no token: no reason given"),
    ],
)
def test_a_person_who_does_not_agree(
    issuer: Issuer, shell: Shell, answer: tuple[int, dict[str, Any]], code: int, words: str
) -> None:
    issuer.answers = [PENDING, answer]
    ran = shell.run("login")
    assert (ran.code, words in ran.err) == (code, True), ran


def test_nobody_agrees_at_all(issuer: Issuer, shell: Shell) -> None:
    issuer.answers = [PENDING] * 1_000
    ran = shell.run("login")
    assert (ran.code, "nobody agreed in time" in ran.err) == (1, True)


def test_an_issuer_without_a_device_flow(issuer: Issuer, shell: Shell) -> None:
    issuer.devices = False
    ran = shell.run("login")
    assert ran.code == 3
    assert "has no device flow: get a token from it in another way, and paste it" in ran.err


def test_a_token_that_ends_is_renewed_without_a_person(issuer: Issuer, shell: Shell) -> None:
    issuer.answers = [(200, {"access_token": token(lives=30), "refresh_token": "again"})]
    assert shell.run("login").code == 0
    issuer.answers = [(200, {"access_token": token("second")})]
    assert shell.run("jobs").code == 0
    path, form = issuer.asked[-2]
    assert (path, form["grant_type"], form["refresh_token"]) == ("/token", "refresh_token", "again")
    assert shell.run("jobs").code == 0, "it is kept"
    assert issuer.answers == []


def test_a_token_that_the_stage_refuses_is_renewed_once(issuer: Issuer, shell: Shell) -> None:
    first = token()
    issuer.answers = [(200, {"access_token": first, "refresh_token": "again"})]
    shell.run("login")
    issuer.refused = {first}
    issuer.answers = [(200, {"access_token": token("second")})]
    assert shell.run("jobs").code == 0


def test_where_nothing_renews_it_a_person_signs_in(issuer: Issuer, shell: Shell) -> None:
    first = token()
    issuer.answers = [(200, {"access_token": first, "refresh_token": "again"})]
    shell.run("login")
    issuer.refused = {first}
    issuer.answers = [(400, {"error": "invalid_grant"})]
    ran = shell.run("jobs")
    assert ran.code == 3
    assert ran.err == "sluice: the stage does not accept your token; `sluice login` signs in again\n"


def test_a_token_that_the_stage_refuses_does_not_replace_a_good_one(
    issuer: Issuer, shell: Shell, tmp_path: Path
) -> None:
    first, bad = token(), token("bad")
    issuer.answers = [(200, {"access_token": first, "refresh_token": "again"})]
    shell.run("login")
    issuer.refused = {bad}
    issuer.answers = [(200, {"access_token": token("second"), "refresh_token": "another"})]
    ran = shell.run("login", "--token-file", "-", typed=bad)
    assert (ran.code, "the stage does not accept your token" in ran.err) == (3, True), ran
    kept = json.loads((tmp_path / "stages.json").read_text())["stages"]["prod"]
    assert (kept["token"], kept["issuer"]["refresh_token"]) == (first, "again")


def test_issuer_and_client_go_together(shell: Shell) -> None:
    ran = shell.run("use", "prod", "--issuer", ISSUER)
    assert (ran.code, "--issuer and --client-id go together" in ran.err) == (2, True)
