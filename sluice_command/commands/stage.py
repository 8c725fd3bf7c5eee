"""`sluice use`, `login`, `logout`: which stage the command works against, and as whom."""

import time
from dataclasses import replace
from typing import TextIO

import click

from sluice_command import stages, tokens
from sluice_command.api import Api
from sluice_command.errors import NoStage, NotSignedIn
from sluice_command.login import IssuerClient
from sluice_command.options import Command, pass_session
from sluice_command.session import Session
from sluice_command.stages import Issuer, Stage


@click.command(cls=Command)
@click.argument("name", metavar="[STAGE]", required=False)
@click.option("--api", metavar="URL", help="The URL of its API, the stack's output ApiUrl. Needed the first time.")
@click.option("--issuer", metavar="URL", help="The issuer of its tokens, the deployment's parameter JwtIssuer.")
@click.option("--client-id", metavar="ID", help="This command's client at that issuer, for `sluice login`.")
@click.option("--audience", metavar="TEXT", help="Asked of the issuer for a token; the parameter JwtAudience.")
@pass_session
def use(
    session: Session, name: str | None, api: str | None, issuer: str | None, client_id: str | None, audience: str | None
) -> None:
    """Choose the stage to work against; without STAGE, show those that are known.

    \b
    sluice use prod --api https://a1b2.execute-api.us-east-1.amazonaws.com
    sluice use local      # the one that `make up` runs here
    """
    if name is None:
        _show(session)
        return
    if (issuer is None) != (client_id is None):
        raise click.UsageError("--issuer and --client-id go together: the client is one of that issuer's")
    book = stages.load()
    if name == stages.LOCAL:
        if api or issuer:
            raise click.UsageError("the stage local says by itself where it is: leave --api and --issuer out")
        found = stages.find(name)
        stages.save(stages.Book(name, book.stages))
        session.screen.say(f"local: {found.url}, found in {stages.ENV_FILE}; you are signed in there")
        return
    known = book.stages.get(name)
    if known is None and api is None:
        raise NoStage(f"there is no stage {name!r} yet: `sluice use {name} --api URL` says where it is")
    stage = _changed(
        known or Stage(name, ""), api, Issuer(issuer, client_id, audience) if issuer and client_id else None
    )
    stages.save(book.with_stage(stage))
    session.screen.say(f"{name}: {stage.url}")
    if not stage.token:
        session.screen.note("not signed in yet: `sluice login`")


@click.command(cls=Command)
@click.option("--token-file", type=click.File("r"), help="Read the token from this file; - is standard input.")
@pass_session
def login(session: Session, token_file: TextIO | None) -> None:
    """Sign in to the stage: in a browser if its issuer is known (`sluice use --issuer`), else by pasting a token.

    The stage on this machine needs no signing in.
    """
    stage = stages.find(session.stage_name)
    if stage.name == stages.LOCAL:
        session.screen.say(f"nothing to do: local has its token in {stages.ENV_FILE}: {tokens.who(stage.signed_in())}")
        return
    if stage.name not in stages.load().stages:
        raise NotSignedIn(f"the environment's {stages.TOKEN} is used: unset {stages.URL} and {stages.TOKEN} to sign in")
    if token_file is not None:
        token, issuer = tokens.check(token_file.read()), None
    elif stage.issuer:
        token, issuer = _in_browser(session, stage.issuer)
    else:
        token, issuer = tokens.check(click.prompt("Token", hide_input=True, err=True)), None
    if since := tokens.expired_since(token, time.time()):
        raise NotSignedIn(f"this token was good until {since}: get a new one from the issuer")
    with Api(stage.url, token, session.wire) as api:
        api.get("/v1/jobs", limit=1)  # whether the stage takes this very token
    stages.keep_token(stage, token, issuer)
    session.screen.say(f"signed in to {stage.name} as {tokens.who(token)}")


@click.command(cls=Command)
@pass_session
def logout(session: Session) -> None:
    """Forget the token of the stage."""
    stage = stages.find(session.stage_name)
    if stage.name not in stages.load().stages:
        raise NoStage(f"the token of the stage {stage.name} is not kept by this command")
    stages.keep_token(stage, None, replace(stage.issuer, refresh_token=None) if stage.issuer else None)
    session.screen.say(f"the token for {stage.name} is forgotten here; it is good until it ends")


def _in_browser(session: Session, issuer: Issuer) -> tuple[str, Issuer]:
    with IssuerClient(issuer, session.wire) as client:
        code = client.begin()
        session.screen.note(f"Open {code.page} in a browser, and check that it shows the code {code.user_code}")
        session.goes_on = "you are not signed in; the code is of no use to anybody soon"
        granted = client.wait(code, session.rest)
    return granted.token, replace(issuer, refresh_token=granted.refresh_token)


def _changed(stage: Stage, api: str | None, issuer: Issuer | None) -> Stage:
    """With a new URL, and the token gone with the old one: it was for another stage."""
    url = stages.safe_url(api) if api else stage.url
    token = stage.token if url == stage.url else None
    return replace(stage, url=url, token=token, issuer=issuer or stage.issuer)


def _show(session: Session) -> None:
    book, local = stages.load(), stages.of_this_machine()
    known = [*book.stages.values(), *([local] if local else [])]
    current = session.stage.name if known else None
    rows = [
        (one.name == current, one.name, one.url, tokens.who(one.token) if one.token else "not signed in")
        for one in known
    ]
    session.screen.json(
        {"stages": [dict(zip(("current", "stage", "url", "signedInAs"), row, strict=True)) for row in rows]}
    )
    session.screen.table(
        ("", "stage", "API", "signed in as"),
        [("*" if chosen else "", *rest) for chosen, *rest in rows],
        none=f"no stage is known: {stages.HINT}",
    )


COMMANDS = (use, login, logout)
