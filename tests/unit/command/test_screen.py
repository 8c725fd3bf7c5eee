"""What others wrote cannot act on a terminal, however it is shown."""

import json
from io import StringIO

import pytest
from rich.console import Console

from sluice_command.screen import Screen

# Ends of lines, C0 and C1 controls (the latter begin a sequence in some terminals), a change of the direction of text.
HOSTILE = "a\x1b[2J\x9b31mb\x7f\u202e\u2028c\r\n\U000e0041"


@pytest.mark.parametrize("how", ["document", "line_of_json"])
def test_json_has_no_character_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str], how: str) -> None:
    getattr(Screen(as_json=True), how)({"title": HOSTILE, "sku": "Größe 42 \N{ATHLETIC SHOE}"})
    shown = capsys.readouterr().out
    assert [one for one in shown if not one.isprintable() and one != "\n"] == []
    assert "Größe 42 \N{ATHLETIC SHOE}" in shown
    assert json.loads(shown)["title"] == HOSTILE


@pytest.mark.parametrize("text", ["[/bold] 1 of 2", "[link=https://evil.example]wait", "{task.id}", "{0}", HOSTILE])
def test_a_bar_shows_others_words_as_they_are(text: str) -> None:
    screen, written = Screen(), StringIO()
    screen._err = Console(file=written, force_terminal=True, color_system=None, width=200)
    with screen.bar(text) as bar:
        bar.show(1, 2, text)
    shown = written.getvalue()
    assert "evil.example\x1b" not in shown
    assert "\x1b]8" not in shown
    assert "\x9b" not in shown
    if text != HOSTILE:
        assert shown.count(text) >= 2


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE"])
def test_a_pipe_gets_no_drawing_whatever_the_environment_says_of_colours(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Continuous integration sets such variables for all programs, and reads what they write."""
    monkeypatch.setenv(name, "1")
    screen = Screen()
    assert not screen.is_terminal
    assert not screen.is_live
