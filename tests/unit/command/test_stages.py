"""Which stage is meant, where its token is kept, and what is said when there is none."""

import json
import os
import stat
from pathlib import Path

import httpx
import jwt
import pytest

from sluice_command import tokens
from tests.support.command import SECRET, URL, Shell

UNTIL = tokens.moment(4_102_444_800)
ANSWERS = httpx.MockTransport(lambda _: httpx.Response(200, json={"jobs": [], "next": None}))


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's configuration folder, and an empty working folder."""
    for name in ("API", "TOKEN", "SANDBOX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLUICE_CONFIG_FOLDER", str(tmp_path / "config"))
    (tmp_path / "work" / "inner").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "config"


@pytest.fixture
def shell(folder: Path) -> Shell:
    return Shell(ANSWERS)


def token(tenant: str = "acme", ends: int = 4_102_444_800) -> str:
    claims = {"sub": f"someone@{tenant}", "tenant": tenant, "roles": ["user", "operator"], "exp": ends}
    return jwt.encode(claims, "k" * 32, algorithm="HS256")


def local(api: str = "http://127.0.0.1:4566/api") -> str:
    """Have `make up` left its settings; the token in them."""
    Path(".local").mkdir(exist_ok=True)
    made = token("demo")
    Path(".local/env").write_text(f"# made by make up\nexport API={api}\nexport TOKEN='{made}'\n", encoding="utf-8")
    return made


def test_without_a_stage_it_says_how_to_choose_one(shell: Shell) -> None:
    ran = shell.run("jobs")
    assert ran.code == 3
    assert ran.err.startswith("sluice: no stage is chosen: `sluice use NAME --api URL` chooses a deployed one")
    assert "`make up`" in ran.err
    assert ran.err.count("\n") == 1


def test_a_stage_is_chosen_and_signed_in_to_with_a_pasted_token(shell: Shell, folder: Path) -> None:
    assert "not signed in yet" in shell.run("use", "prod", "--api", f"{URL}/").err
    assert "run `sluice login --stage prod`" in shell.run("jobs").err
    pasted = token()
    ran = shell.run("login", typed=f"{pasted}\n")
    assert ran.code == 0
    assert ran.out == f"signed in to prod as someone@acme of acme (operator, user) until {UNTIL}\n"
    assert pasted not in ran.out + ran.err
    assert shell.run("jobs").err == "no job matches\n"
    shown = shell.run("use")
    assert shown.rows == [["*", "prod", URL, f"someone@acme of acme (operator, user) until {UNTIL}"]]
    assert pasted not in shown.out
    assert "forgotten" in shell.run("logout").out
    assert shell.run("jobs").code == 3
    assert "signedInAs" in shell.run("use", "--json").out


def test_tokens_are_kept_in_a_file_for_its_owner_alone(shell: Shell, folder: Path) -> None:
    before = os.umask(0)
    try:
        shell.run("use", "prod", "--api", URL)
        shell.run("login", "--token-file", "-", typed=token())
    finally:
        os.umask(before)
    file = folder / "stages.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == ["stages.json"]
    file.chmod(0o644)
    shell.run("use")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600, "what somebody has opened is closed again"


def test_a_stage_with_a_new_url_forgets_the_token_of_the_old_one(shell: Shell, folder: Path) -> None:
    shell.run("use", "prod", "--api", URL)
    shell.run("login", "--token-file", "-", typed=token())
    shell.run("use", "prod", "--api", "https://other.example")
    assert json.loads((folder / "stages.json").read_text())["stages"]["prod"]["token"] is None


def test_the_stage_on_this_machine_is_found_by_itself(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    made = local()
    monkeypatch.chdir("inner")
    sent: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"jobs": [], "next": None})

    assert Shell(httpx.MockTransport(note)).run("jobs").code == 0
    assert str(sent[0].url).startswith("http://127.0.0.1:4566/api/v1/jobs")
    assert sent[0].headers["authorization"] == f"Bearer {made}"
    assert "nothing to do: local has its token" in shell.run("login").out
    assert shell.run("use").rows[0][:2] == ["*", "local"]


def test_a_chosen_stage_goes_before_that_on_this_machine(shell: Shell) -> None:
    local()
    shell.run("use", "prod", "--api", URL)
    assert [row[:2] for row in shell.run("use").rows] == [["*", "prod"], ["", "local"]]
    assert shell.run("use", "local").code == 0
    assert [row[:2] for row in shell.run("use").rows] == [["", "prod"], ["*", "local"]]
    assert "run `sluice login --stage prod`" in shell.run("jobs", "--stage", "prod").err
    assert "run `sluice login --stage prod`" in shell.run("--stage", "prod", "jobs").err


def test_a_local_stage_that_is_elsewhere_is_not_believed(shell: Shell) -> None:
    local("https://elsewhere.example")
    ran = shell.run("jobs")
    assert ran.code == 3
    assert "which is not on this machine" in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("jobs", "--stage", "prd"), "there is no stage 'prd'; known are prod, local"),
        (("use", "new"), "there is no stage 'new' yet: `sluice use new --api URL` says where it is"),
        (("use", "new", "--api", "http://api.example"), "must begin with https://, so that nobody on the way reads"),
        (("use", "new", "--api", "api.example"), "must begin with https://"),
        (("use", "local"), "no stage runs on this machine: `make up` starts one"),
        (("login", "--stage", "prod", "--token-file", "-"), "a token is one JWT without blanks"),
    ],
)
def test_a_stage_that_cannot_be_used_is_refused(shell: Shell, arguments: tuple[str, ...], words: str) -> None:
    shell.run("use", "prod", "--api", URL)
    ran = shell.run(*arguments, typed="Bearer abc\n")
    assert ran.code == 3
    assert words in ran.err


def test_an_expired_token_is_not_taken(shell: Shell) -> None:
    shell.run("use", "prod", "--api", URL)
    ran = shell.run("login", "--token-file", "-", typed=token(ends=1_700_000_000))
    assert ran.code == 3
    assert "this token was good until 2023-11-1" in ran.err


def test_the_environment_goes_before_all_of_them(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.run("use", "prod", "--api", URL)
    monkeypatch.setenv("API", "http://api.example")
    assert "go together: set TOKEN to a token for it" in shell.run("jobs").err
    monkeypatch.setenv("TOKEN", "Bearer x")
    assert "must begin with https://" in shell.run("jobs").err
    monkeypatch.setenv("API", "http://localhost:1")
    assert "one JWT without blanks" in shell.run("jobs").err
    monkeypatch.setenv("TOKEN", SECRET)
    assert shell.run("jobs").code == 0
    assert "unset API and TOKEN to sign in" in shell.run("login").err


def test_a_file_that_cannot_be_read_says_what_to_do(shell: Shell, folder: Path) -> None:
    shell.run("use", "prod", "--api", URL)
    (folder / "stages.json").write_text("{")
    ran = shell.run("jobs")
    assert ran.code == 3
    assert "cannot be read: remove it, and choose your stages again" in ran.err
