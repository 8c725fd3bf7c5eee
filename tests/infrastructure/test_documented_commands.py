"""Each command that the pages show, and that messages name, is there with its options and arguments."""

import re
import shlex
from pathlib import Path

import click
import pytest

from sluice_command.main import cli
from sluice_command.session import Session

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
SOURCES = sorted((ROOT / "sluice_command").rglob("*.py"))
# Files that examples name.
FILES = ("record.json", "alias.json", "limits.json", "FILE")


def in_fences(text: str) -> list[str]:
    """The commands of blocks for a shell."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [re.split(r"\s+(?:#|\||&&)\s", line)[0] for line in lines if line.startswith("sluice ")]


def inline(text: str) -> list[str]:
    """The commands that sentences name."""
    return [found.split("|")[0] for found in re.findall(r"`(sluice [^`]+)`", text)]


def find(words: list[str]) -> tuple[click.Command, click.Context, list[str]]:
    """The command that `words` call, and what is left for it."""
    command: click.Command = cli
    context = click.Context(cli, info_name="sluice", obj=Session())
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, *words = words
        found = command.get_command(context, name)
        assert found, f"there is no {context.command_path} {name}"
        command, context = found, click.Context(found, info_name=name, parent=context)
    return command, context, words


def check(line: str, *, whole: bool) -> None:
    """whole: with every argument that it needs."""
    _, *words = shlex.split(line.replace("…", ""))
    command, context, words = find(words)
    assert context.parent or words, f"{line}: names no command"
    name = context.info_name
    with command.make_context(name, words, parent=context.parent, resilient_parsing=not whole, obj=Session()):
        pass


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_of_a_page_is_there(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        Path(name).write_text("{}", encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    for line in in_fences(text):
        check(line, whole=True)
    for line in inline(text):
        check(line, whole=False)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_command_that_a_message_names_is_there(path: Path) -> None:
    for line in inline(path.read_text(encoding="utf-8")):
        check(line, whole=False)


def test_the_reference_has_every_command() -> None:
    text = (ROOT / "docs" / "command.md").read_text(encoding="utf-8")
    assert not [
        name for name in cli.commands if not re.search(rf"`(?:sluice )?{name}\b", text) and f"sluice {name}" not in text
    ]


@pytest.mark.parametrize("line", ["sluice jbos", "sluice jobs --colour red", "sluice list stockx crate A 10 175"])
def test_what_is_not_there_is_found(line: str) -> None:
    with pytest.raises((AssertionError, click.ClickException)):
        check(line, whole=True)
