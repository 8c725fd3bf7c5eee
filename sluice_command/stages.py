"""The stages that the command knows, and the token for each.

A deployed stage is written down in `stages.json` in the user's configuration folder, which its owner alone can read.
The stage on this machine is never written down: `make up` leaves its settings in `.local/env`, where they are found.
"""

import json
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import click

from sluice_command import tokens
from sluice_command.errors import NoStage, NotSignedIn

LOCAL = "local"
ENV_FILE = Path(".local") / "env"
URL, TOKEN, SANDBOX = "API", "TOKEN", "SANDBOX"
# Where the stages are written down instead of the user's configuration folder.
FOLDER = "SLUICE_CONFIG_FOLDER"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
HINT = (
    "`sluice use NAME --api URL` chooses a deployed one (its stack's output ApiUrl); `make up` starts one on this"
    " machine, which is found by itself"
)


@dataclass(frozen=True)
class Issuer:
    """Where a stage's tokens come from, for `sluice login`. refresh_token: gets the next one without a person."""

    url: str
    client_id: str
    audience: str | None = None
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Stage:
    """One stage. url: its API's. sandbox: where the marketplaces are played, of the stage on this machine."""

    name: str
    url: str
    token: str | None = field(default=None, repr=False)
    issuer: Issuer | None = None
    sandbox: str | None = None

    def signed_in(self) -> str:
        """The token.

        Raises:
            NotSignedIn: there is none.
        """
        if not self.token:
            raise NotSignedIn(f"you are not signed in to the stage {self.name}: run `sluice login --stage {self.name}`")
        return self.token


@dataclass(frozen=True)
class Book:
    """What is written down. current: the stage that is used when none is named."""

    current: str | None
    stages: Mapping[str, Stage]

    def with_stage(self, stage: Stage) -> "Book":
        """With `stage` added, or in place of the one of its name, and chosen."""
        return Book(stage.name, {**self.stages, stage.name: stage})


def safe_url(url: str) -> str:
    """`url`, if a token may be sent there.

    Raises:
        NoStage: the token would travel in the clear.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url.rstrip("/")
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return url.rstrip("/")
    raise NoStage(
        f"{url!r} must begin with https://, so that nobody on the way reads the token (http:// only on this machine)"
    )


def find(name: str | None) -> Stage:
    """The stage called `name`; without one: that of the environment, else the chosen one, else that on this machine.

    Raises:
        NoStage: there is none.
        NotSignedIn: the environment's token cannot be one.
    """
    book = load()
    if name is None and (found := _of_environment()):
        return found
    wanted = name or book.current
    if wanted is None:
        if local := of_this_machine():
            return local
        raise NoStage(f"no stage is chosen: {HINT}")
    if wanted == LOCAL:
        if local := of_this_machine():
            return local
        raise NoStage(f"no stage runs on this machine: `make up` starts one ({ENV_FILE} is not here or above)")
    if wanted not in book.stages:
        known = ", ".join([*book.stages, LOCAL])
        raise NoStage(f"there is no stage {wanted!r}; known are {known}. `sluice use {wanted} --api URL` adds it")
    return book.stages[wanted]


def of_this_machine(folder: Path | None = None) -> Stage | None:
    """The stage that `make up` runs, from the nearest `.local/env` in or above the working folder.

    Raises:
        NoStage: the file names an address that is not on this machine.
    """
    here = (folder or Path.cwd()).resolve()
    for above in (here, *here.parents):
        path = above / ENV_FILE
        if not path.is_file():
            continue
        said = dict(exports(path.read_text(encoding="utf-8")))
        url = said.get(URL, "")
        if urlsplit(url).hostname not in _LOOPBACK:
            raise NoStage(f"{path} names {url!r}, which is not on this machine: `make up` writes it anew")
        return Stage(LOCAL, safe_url(url), said.get(TOKEN), sandbox=said.get(SANDBOX))
    return None


def load() -> Book:
    """What is written down.

    Raises:
        NoStage: the file cannot be read.
    """
    path = _path()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Book(None, {})
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        said = json.loads(text)
        stages = {
            name: Stage(name, **{**one, "issuer": Issuer(**one["issuer"]) if one.get("issuer") else None})
            for name, one in said["stages"].items()
        }
        return Book(said["current"], stages)
    except (ValueError, KeyError, TypeError, OSError):
        raise NoStage(f"{path} cannot be read: remove it, and choose your stages again with `sluice use`") from None


def save(book: Book) -> None:
    """Write it down, readable by its owner alone. It is there whole, or as it was before."""
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    stages = {
        name: {key: value for key, value in asdict(one).items() if key != "name"} for name, one in book.stages.items()
    }
    text = json.dumps({"current": book.current, "stages": stages}, indent=2)
    handle, temporary = tempfile.mkstemp(dir=path.parent)  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def keep_token(stage: Stage, token: str | None, issuer: Issuer | None = None) -> Stage:
    """Write down a new token for a stage that is written down; the stage with it."""
    book = load()
    renewed = replace(stage, token=token, issuer=issuer or stage.issuer)
    save(Book(book.current, {**book.stages, stage.name: renewed}))
    return renewed


def exports(text: str) -> Iterator[tuple[str, str]]:
    """What a file of lines `export NAME=value` sets."""
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if len(words) == 2 and words[0] == "export" and "=" in words[1]:
            name, _, value = words[1].partition("=")
            yield name, value


def _path() -> Path:
    return Path(os.environ.get(FOLDER) or click.get_app_dir("sluice")) / "stages.json"


def _of_environment() -> Stage | None:
    """The stage that `API` and `TOKEN` name, as a program or a script sets them."""
    url, token = os.environ.get(URL), os.environ.get(TOKEN)
    if not url and not token:
        return None
    for name, value, what in ((URL, url, "the stage's base URL"), (TOKEN, token, "a token for it")):
        if not value:
            raise NoStage(f"{URL} and {TOKEN} go together: set {name} to {what}, or neither")
    return Stage("of the environment", safe_url(url or ""), tokens.check(token or ""), sandbox=os.environ.get(SANDBOX))
