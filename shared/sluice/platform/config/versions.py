"""The versions of the document: the SSM parameter as whoever changes it reads and writes it (`live` reads what holds).

SSM keeps the last 100 versions, each with its text, when it was written and by whom as AWS knows them: the function
that wrote it, or the person who did so with `aws ssm`.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from sluice.platform import aws
from sluice.platform.settings import settings

# A standard parameter holds so much.
MOST_BYTES: Final = 4_096


class Unwritten(Exception):  # noqa: N818 - an answer: nothing was changed
    """The document could not be written, and is as it was."""


class Version(NamedTuple):
    """One version of the document. at: when it was written, epoch ms. by: who wrote it, as AWS names them."""

    number: int
    text: str
    at: int = 0
    by: str = ""


def newest() -> Version:
    """The version that was written last."""
    return _version(aws.client("ssm").get_parameter(Name=_name())["Parameter"])


def history() -> list[Version]:
    """All versions that SSM keeps, newest first."""
    return sorted(_history(), key=lambda one: one.number, reverse=True)


def write(text: str) -> int:
    """Make `text` the newest version; its number.

    Raises:
        Unwritten: it was not written, as far as can be seen.
    """
    try:
        # Once: were it sent again after a lost answer, it would be two versions.
        done = aws.client("ssm", once=True).put_parameter(Name=_name(), Value=text, Overwrite=True)
        return int(done["Version"])
    except (BotoCoreError, ClientError) as error:
        with suppress(BotoCoreError, ClientError):
            found = newest()
            if found.text == text:
                return found.number
        raise Unwritten(str(error)) from error


def _history() -> Iterator[Version]:
    page: dict[str, Any] = {"NextToken": ""}
    while "NextToken" in page:
        after = {"NextToken": page["NextToken"]} if page["NextToken"] else {}
        page = aws.client("ssm").get_parameter_history(Name=_name(), **after)
        yield from map(_version, page["Parameters"])


def _version(found: dict[str, Any]) -> Version:
    at = found.get("LastModifiedDate")
    return Version(
        found["Version"], found["Value"], int(at.timestamp() * 1_000) if at else 0, found.get("LastModifiedUser", "")
    )


def _name() -> str:
    here = settings()
    if here.on_a_laptop and not here.config_parameter:
        return f"/{here.stack}/configuration"
    return here.require("config_parameter")
