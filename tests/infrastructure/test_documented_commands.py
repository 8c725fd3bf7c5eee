"""Each command that the pages show, and that messages name, is there with its options and arguments.

What can run on this machine is held against what it calls: our command, `make`, our modules, the API's routes. What
needs an AWS account says so where it stands, and is held against AWS's own description of its calls. A command of which
nothing is known here is not shown.
"""

import importlib
import json
import re
import shlex
from pathlib import Path
from typing import Any

import botocore.session
import click
import pytest
from botocore import xform_name

from local.cloud.cloud import ROOT
from sluice_command.main import cli
from sluice_command.session import Session
from tests.support.http import route_functions
from tests.support.shell import Block, blocks, commands

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
SOURCES = sorted((ROOT / "sluice_command").rglob("*.py"))
# Files that examples name.
FILES = ("record.json", "alias.json", "limits.json", "configuration.json", "FILE")
SHELL = ("sh", "bash", "shell", "console")
NEEDS_AWS = re.compile(r"\bneeds? (?:\w+ )?AWS\b|need credentials for the AWS account")
# Of the AWS CLI, and no call of AWS's.
HIGH_LEVEL = {("logs", "tail"), ("s3", "mb"), ("s3", "sync")}
GLOBAL_OPTIONS = {"query", "output", "region", "profile"}
# What the shell or somebody else brings. Each is shown by a test, marked with what it needs, or a word of the shell.
OTHERS = {
    **dict.fromkeys(("export", "source", "eval", "git", "jq", "outputs"), ""),
    **dict.fromkeys(("openapi-python-client", "npx"), "tests/unit/api/test_clients.py"),
    "sudo": "needs WSL",
}
SERVED = [re.compile(re.sub(r"\{\w+\}", "[^/]+", key)) for key in route_functions()]
TARGETS = set(re.findall(r"^([\w-]+):.*?## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
VARIABLES = {"ENVIRONMENT", "FUNCTION", "EVENT", "KEEP", "PYTHON"}


def name(value: object) -> str:
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else str(value)


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


def check_sluice(line: str, *, whole: bool) -> None:
    """whole: with every argument that it needs."""
    _, *words = shlex.split(line.replace("…", ""))
    command, context, words = find(words)
    assert context.parent or words, f"{line}: names no command"
    name = context.info_name
    with command.make_context(name, words, parent=context.parent, resilient_parsing=not whole, obj=Session()):
        pass


def check_make(words: list[str]) -> None:
    for word in words:
        variable, is_variable, _ = word.partition("=")
        assert variable in (VARIABLES if is_variable else TARGETS), f"make has no {word}"


def check_python(words: list[str]) -> None:
    """`-m MODULE …`, with arguments that the module takes; a line of code is shown where it stands."""
    if words[0] == "-c":
        compile(words[1], "<page>", "exec")
        return
    assert words[0] == "-m"
    _, module, *arguments = words
    if module == "bench" and arguments[:1] == ["cost"]:
        module, arguments = "bench.cost", arguments[1:]
    if module == "bench":
        assert set(arguments) <= set(importlib.import_module("bench.one").NAMES)
        return
    for found in (module, f"{module}.__main__"):
        if hasattr(loaded := importlib.import_module(found), "parser"):
            loaded.parser().parse_args(arguments)
            return
    raise AssertionError(f"{module} takes no arguments")


def check_curl(words: list[str]) -> None:
    options = {words[at]: words[at + 1] for at in range(len(words) - 1) if words[at] in ("-X", "-d")}
    [url] = [word for word in words if word.startswith(("$API", "$SANDBOX"))]
    if (body := options.get("-d")) is not None:
        json.loads(body)
    if url.startswith("$API"):
        method = options.get("-X", "POST" if body else "GET")
        path = url.removeprefix("$API").partition("?")[0]
        assert any(route.fullmatch(f"{method} {path}") for route in SERVED), f"{method} {path} is not served"


def check_aws(words: list[str]) -> None:
    """A call of AWS, with options that it has."""
    service, operation, *rest = words
    options = [word.removeprefix("--").partition("=")[0] for word in rest if word.startswith("--")]
    if (service, operation) in HIGH_LEVEL:
        return
    model = botocore.session.get_session().get_service_model(service)
    called = {xform_name(one, "-"): one for one in model.operation_names}
    assert operation in called, f"AWS has no {service} {operation}"
    shape: Any = model.operation_model(called[operation]).input_shape
    members = shape.members if shape else {}
    known = {xform_name(one, "-") for one in members} | GLOBAL_OPTIONS
    known |= {f"no-{xform_name(one, '-')}" for one, member in members.items() if member.type_name == "boolean"}
    assert not sorted(set(options) - known), f"{service} {operation} has no such option"
    missing = {xform_name(one, "-") for one in (shape.required_members if shape else ())} - set(options)
    assert not missing, f"{service} {operation} needs {sorted(missing)}"


def check(line: str, block: Block) -> None:
    """Whether `line`, of `block`, is a command that is there."""
    words = shlex.split(line.replace("…", ""))
    match words[0].removeprefix(".venv/bin/"):
        case "sluice":
            check_sluice(line, whole=True)
        case "make":
            check_make(words[1:])
        case "python":
            check_python(words[1:])
        case "curl":
            check_curl(words[1:])
        case "aws":
            assert NEEDS_AWS.search(block.before + block.text), f"{line}: the page does not say that this needs AWS"
            check_aws(words[1:])
        case ".cache/sam/bin/sam":
            needed = "needs Docker" if words[1] == "local" else None
            said = needed in block.before if needed else NEEDS_AWS.search(block.before + block.text)
            assert said, f"{line}: the page does not say what this needs"
            assert words[1] in ("deploy", "delete", "local")
        case other:
            assert other in OTHERS, f"{line}: no test runs this, and nothing says what it needs"
            if OTHERS[other].startswith("needs"):
                assert OTHERS[other] in block.text


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_each_command_of_a_page_is_there(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file in FILES:
        Path(file).write_text("{}", encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    for block in blocks(text):
        if block.language in SHELL:
            for line in commands(block.text):
                check(line, block)
    for line in inline(text):
        check_sluice(line, whole=False)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_block_with_commands_says_that_it_is_for_a_shell(page: Path) -> None:
    ours = re.compile(r"^(?:make|sluice|aws|curl|source|export|\.venv/bin/\S+|\.cache/sam\S+) \S", re.MULTILINE)
    unnamed = [block.text for block in blocks(page.read_text(encoding="utf-8")) if not block.language]
    assert not [text for text in unnamed if ours.search(text)]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_each_command_that_a_message_names_is_there(path: Path) -> None:
    for line in inline(path.read_text(encoding="utf-8")):
        check_sluice(line, whole=False)


def test_the_reference_has_every_command() -> None:
    text = (ROOT / "docs" / "command.md").read_text(encoding="utf-8")
    assert not [
        name for name in cli.commands if not re.search(rf"`(?:sluice )?{name}\b", text) and f"sluice {name}" not in text
    ]


@pytest.mark.parametrize(
    "line",
    [
        "sluice jbos",
        "sluice jobs --colour red",
        "sluice list stockx crate A 10 175",
        "make demonstration",
        "make deploy STAGE=dev",
        ".venv/bin/python -m bench cost --tasks 5",
        ".venv/bin/python -m bench everything",
        'curl -s "$API/v1/nothing"',
        "curl -s -X POST $API/v1/market/refresh -d '{'",
        "aws dynamodb describe-tabel --table-name x",
        "aws dynamodb describe-table --table x",
        "aws dynamodb describe-table",
        ".cache/sam/bin/sam destroy",
        "terraform apply",
    ],
)
def test_what_is_not_there_is_found(line: str) -> None:
    with pytest.raises((AssertionError, click.ClickException, SystemExit, ValueError)):
        check(line, Block("sh", line, "this needs AWS"))


@pytest.mark.parametrize("line", ["aws sts get-caller-identity", ".cache/sam/bin/sam deploy --guided"])
def test_what_needs_aws_must_say_so(line: str) -> None:
    check(line, Block("sh", line, "Commands that begin with `aws` need AWS."))
    with pytest.raises(AssertionError, match="does not say"):
        check(line, Block("sh", line, "Do this:"))


def test_a_block_is_read_as_a_shell_would() -> None:
    text = """
# needs AWS
export TABLE=jobs   # the name
for one in $(aws dynamodb list-tables --output text); do
  aws dynamodb delete-table --table-name "$one" && echo 'a | b; c'
done
outputs() { aws sts get-caller-identity; }
curl -d '{
  "a": 1
}' \\
  $API/x | jq .
"""
    assert [line.split()[0] for line in commands(text)] == ["export", "aws", "aws", "echo", "aws", "curl", "jq"]
