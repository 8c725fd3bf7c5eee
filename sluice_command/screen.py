"""What a person or a program sees: tables in a terminal, the same rows with tabs in a pipe, JSON where it is asked for.

What was asked for goes to standard output; progress, notes and errors go to standard error, so that a pipe gets the
answer alone. Text of others (titles, reasons, ids) is shown without its control characters: it cannot move the cursor.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from sluice_command.wording import as_commands

# Colours of words that say how something stands.
_COLOURS = {
    "green": "ok OK active ACTIVE succeeded finished done COMPLETED live pass delivered",
    "yellow": "waiting backlogged at_its_limit paused degraded postponed UNVERIFIED UNCONFIRMED PENDING",
    "red": "dead failing failed FAILED FAIL BROKEN EXPIRED REVOKED refused",
}
_COLOUR_OF = {word: colour for colour, words in _COLOURS.items() for word in words.split()}


class Bar:
    """How far something is: a bar in a terminal, else a line for each change of its text."""

    def __init__(self, progress: Progress, task: TaskID, screen: "Screen") -> None:
        self._progress, self._task, self._screen = progress, task, screen
        self._last = ""

    def show(self, done: int, total: int, text: str = "") -> None:
        """Say how far it is. total: 0 when nobody knows it. text: what it waits for, or counts."""
        self._progress.update(self._task, completed=done, total=max(total, done) or None, description=clean(text))
        line = f"{done}{f' of {total}' if total else ''} {text}".rstrip()
        if line != self._last and not self._screen.is_live:
            self._screen.note(line)
        self._last = line


class Screen:
    """Where the command writes. as_json: answers are one JSON document, for machines."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        # rich would take FORCE_COLOR for a terminal, and a pipe would get what is drawn for people.
        self._out, self._err = (
            Console(file=file, highlight=False, soft_wrap=True, force_terminal=file.isatty())
            for file in (sys.stdout, sys.stderr)
        )

    @property
    def is_terminal(self) -> bool:
        """Whether a person reads the answer."""
        return self._out.is_terminal

    @property
    def is_live(self) -> bool:
        """Whether a person sees progress, which is drawn over."""
        return self._err.is_terminal

    def json(self, answer: object) -> None:
        """The answer for machines. Without `as_json` it is left out: what is said for people says the same."""
        if self.as_json:
            self.document(answer)

    def line_of_json(self, answer: object) -> None:
        """One of many answers for machines, each in its line."""
        if self.as_json:
            print(_json(answer), file=sys.stdout, flush=True)

    def document(self, answer: object) -> None:
        """An answer that is JSON for people too."""
        print(_json(answer, indent=2), file=sys.stdout, flush=True)

    def say(self, text: str) -> None:
        """A part of the answer, for people. With JSON it is left out: the document says the same."""
        if not self.as_json:
            self._out.print(Text(clean(text)))

    def note(self, text: str) -> None:
        """What is said besides the answer."""
        self._err.print(Text(clean(text)))

    def fields(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Names and values of one thing, those that are there."""
        if self.as_json:
            return
        shown = [(name, _cell(value)) for name, value in pairs if value not in (None, "", [], {})]
        if not self.is_terminal:
            self._tabs(shown)
            return
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        for name, value in shown:
            table.add_row(Text(name, "bold"), _coloured(value))
        self._out.print(table)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], none: str = "") -> None:
        """Rows below a heading. none: what is said instead when there is no row; on standard error in a pipe."""
        if self.as_json:
            return
        shown = [[_cell(value) for value in row] for row in rows]
        if not shown:
            if none:
                self.note(none)
            return
        if not self.is_terminal:
            self._tabs([columns, *shown])
            return
        table = Table(header_style="bold", box=None, padding=(0, 2, 0, 0))
        for name in columns:
            table.add_column(name, overflow="fold")
        for line in shown:
            table.add_row(*map(_coloured, line))
        self._out.print(table, soft_wrap=False)

    def row(self, row: Sequence[object]) -> None:
        """One more row, by itself, of what goes on."""
        if self.is_terminal:
            self.say("  ".join(map(_cell, row)))
        elif not self.as_json:
            self._tabs([[_cell(value) for value in row]])

    def _tabs(self, rows: Iterable[Sequence[str]]) -> None:
        for row in rows:
            print("\t".join(row), file=sys.stdout, flush=True)

    @contextmanager
    def bar(self, what: str) -> Iterator[Bar]:
        """Show how far something is, while it lasts. what: is counted, in the plural."""
        # Both texts may be others': as markup, a bracket in them would be a colour, a link, or an error.
        columns = (
            TextColumn("{task.fields[what]}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
        )
        with Progress(*columns, console=self._err, disable=not self.is_live) as progress:
            yield Bar(progress, progress.add_task("", total=None, what=clean(what)), self)


def clean(text: str) -> str:
    """`text` without what is not to be printed: control characters, and line ends within it."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _json(answer: object, indent: int | None = None) -> str:
    """`answer` as JSON, in which what is not to be printed is escaped: a terminal may be who reads it."""
    text = json.dumps(answer, indent=indent, ensure_ascii=False)
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | dict):
        return clean(json.dumps(value, ensure_ascii=False, separators=(", ", ": ")))
    return as_commands(clean(str(value)))


def _coloured(word: str) -> Text:
    return Text(word, _COLOUR_OF.get(word, ""))


def counts(found: dict[str, Any]) -> str:
    """Numbers by name, for a line: `3 done, 1 failed`."""
    return ", ".join(f"{number} {name}" for name, number in found.items() if number) or "none"
