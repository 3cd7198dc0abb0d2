"""How the user is asked, and what is seen while code runs."""

from __future__ import annotations

import builtins

import pytest
from IPython.core.interactiveshell import InteractiveShell

from llmos_jupyter.agent.answering import events
from llmos_jupyter.protocol import Candidate, Rehearsal
from llmos_jupyter.session.showing import IN_SIGHT, Show, ask
from llmos_jupyter.widgets.answer import NotebookAnswer
from tests.widgets.test_answer import Screen


@pytest.mark.parametrize(
    ("why", "lines", "asked"),
    [
        ("", 1, "Run this code? [y/N] "),
        ("it wants to write", IN_SIGHT, "Asking because it wants to write. Run this code? [y/N] "),
        ("", 124, "Run all 124 lines of this code? [y/N] "),
    ],
)
def test_code_that_goes_on_below_is_asked_about_by_its_length(
    why: str, lines: int, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(builtins, "input", lambda prompt: said.append(prompt) or "y")
    assert ask(why, lines) is True
    assert said == [asked]


def test_where_nobody_can_be_asked_there_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(builtins, "input", nobody)
    assert ask("") is None


def test_running_code_is_shown_with_what_it_prints_until_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(monkeypatch)
    view = NotebookAnswer()
    show = Show(view, InteractiveShell.instance())
    show.event(events.Written(Candidate(text="fit()", model="m"), "fit()"))
    show.event(events.Rehearsing())
    assert screen.text.endswith("trying it in the sandbox ...")
    view._at = 0.0
    show.event(events.StillRunning(3.2, "epoch 1\n", 2 * 10**9))
    view._at = 0.0
    show.event(events.StillRunning(3.8, "epoch 1\nepoch 2\n", 2 * 10**9))
    assert screen.text.endswith("running for 3 s, using 2.0 GB of memory ...\nepoch 1\nepoch 2")
    assert "trying it" not in screen.text
    show.event(events.Rehearsed(Rehearsal(status="passed", seconds=8.0)))
    assert "epoch" not in screen.text
    assert "running" not in screen.text
    assert "in 8.0 s: no error" in screen.text
