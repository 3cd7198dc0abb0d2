"""What a reader sees, whatever the model and the data contain."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos_jupyter.protocol import Finding, NameChange, Progress, Rehearsal, Run
from llmos_jupyter.widgets import answer, notes
from llmos_jupyter.widgets.answer import NotebookAnswer, TerminalAnswer


class Screen:
    """Stands in for the front end: keeps what each display shows last."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.states: list[dict[str, Any]] = []
        monkeypatch.setattr("IPython.display.display", self.display)

    def display(self, data: dict[str, Any], raw: bool = False, display_id: bool | None = None) -> Screen:
        self.states.append(data)
        return self

    def update(self, data: dict[str, Any], raw: bool = False, metadata: dict[str, Any] | None = None) -> None:
        self.states[0] = data
        self.metadata = metadata

    @property
    def text(self) -> str:
        return str(self.states[0]["text/plain"])


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    return Screen(monkeypatch)


def test_an_answer_tells_where_it_comes_from(screen: Screen) -> None:
    view = NotebookAnswer()
    view.provenance({"model": "m", "request": "r", "sha256": "h"})
    view.answer("x = 1", [])
    assert screen.metadata == {"llmos": {"model": "m", "request": "r", "sha256": "h"}}


def test_an_answer_stays_when_the_cell_is_over(screen: Screen) -> None:
    view = NotebookAnswer()
    view.working("reading")
    view.writing("```python\nx = 1")
    view.working("waiting")
    view.answer("x = 1", ["a note"])
    view.settle()
    view.abandon()
    assert screen.text == "x = 1\na note"
    assert screen.states[0]["text/markdown"].startswith("```python\nx = 1\n```")


def test_what_running_code_prints_is_shown_until_it_has_ended(screen: Screen) -> None:
    view = NotebookAnswer()
    view.about(task="t")
    view.answer("fit()", ["a note"])
    view._at = 0.0
    view.running("for 3 s", "\n".join(f"epoch {i}" for i in range(40)) + "\n```")
    assert screen.text.startswith("fit()\na note\nrunning for 3 s ...\nepoch ")
    assert screen.text.endswith("epoch 39\n```")
    assert "epoch 28" not in screen.text
    assert screen.states[0]["text/markdown"].count("````") == 2  # what is printed stays within its block
    cell = screen.states[0][answer.ANSWER_MIME]
    assert (cell["state"], cell["doing"], cell["printed"][-12:]) == ("running", "for 3 s", "epoch 39\n```")
    view.answer("fit()", ["a note", "rehearsed"])
    assert screen.text == "fit()\na note\nrehearsed"
    assert screen.states[0][answer.ANSWER_MIME]["printed"] == ""


def test_what_running_code_printed_goes_when_it_is_stopped(screen: Screen) -> None:
    view = NotebookAnswer()
    view.about(task="t")
    view.answer("fit()", ["a note"])
    view._at = 0.0
    view.running("for 3 s", "epoch 1")
    assert "epoch 1" in screen.text
    view.abandon()
    assert screen.text == "fit()\na note"
    cell = screen.states[0][answer.ANSWER_MIME]
    assert (cell["state"], cell["doing"], cell["printed"]) == ("stopped", "", "")


def test_a_terminal_says_once_that_code_runs(capsys: pytest.CaptureFixture[str]) -> None:
    view = TerminalAnswer()
    view.answer("fit()", [])
    for i in range(3):
        view.running(f"for {i} s", "epoch 1")
    view.answer("fit()", ["noted"])
    view.settle()
    out, err = capsys.readouterr()
    assert err == "\n(running ...)\n"
    assert out == "fit()\n# noted\n"


def test_a_terminals_line_is_drawn_anew_and_goes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    view = TerminalAnswer()
    view.answer("fit()", [])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    view.running("for 1 s", "epoch 1\nepoch 2\n")
    view.running("for 2 s", "epoch 3\n")
    view.answer("fit()", ["noted"])
    erase = "\r\x1b[K"
    assert capsys.readouterr().err == f"\n(running for 1 s) epoch 2{erase}(running for 2 s) epoch 3{erase}"


@pytest.mark.parametrize(
    ("seconds", "memory", "note"),
    [
        (1.04, 0, "for 1 s"),
        (61, 1 << 20, "for 1 min 1 s"),
        (3 * 3600 + 125, 3 * 10**9, "for 3 h 2 min, using 3.0 GB of memory"),
    ],
)
def test_how_long_code_runs_is_told_in_words(seconds: float, memory: int, note: str) -> None:
    assert notes.running_note(seconds, memory) == note


def test_only_a_wait_disappears_when_there_is_no_answer(screen: Screen) -> None:
    view = NotebookAnswer()
    view.working("loading")
    view.abandon()
    assert screen.text == ""
    view = NotebookAnswer()
    view.writing("```python\nx = 1")
    view.abandon()
    assert "x = 1" in screen.states[1]["text/plain"] + screen.states[0]["text/plain"]


def test_code_with_fences_stays_one_block(screen: Screen) -> None:
    NotebookAnswer().answer("s = '''\n```\n'''", [])
    assert screen.states[0]["text/markdown"].startswith("````python\n")


def test_a_terminal_gets_the_code_once_then_the_notes(capsys: pytest.CaptureFixture[str]) -> None:
    view = TerminalAnswer()
    view.working("reading: 1 of 2")
    view.working("reading: 2 of 2")
    for part in ("```", "```python\n", "```python\nx =", "```python\nx = 1\nx", "```python\nx = 1\nx\n```"):
        view.writing(part)
    view.answer("x = 1\nx", ["noted"])
    view.settle()
    view.aftermath(["created `x`"])
    out, err = capsys.readouterr()
    assert out == "x = 1\nx\n# noted\n# created `x`\n"
    assert err.count("reading") == 1


def test_an_answer_begun_anew_is_written_anew(capsys: pytest.CaptureFixture[str]) -> None:
    view = TerminalAnswer()
    view.writing("```python\nx = 1")
    view.writing("```python\ny")
    assert capsys.readouterr().out == "x = 1\n(begun anew)\ny"


@given(st.text(alphabet="<>&`*_|[]()#\\ax\n", max_size=40))
def test_notes_cannot_bring_markup_of_their_own(text: str) -> None:
    marked = answer.marked(f"failed ({text.replace('`', '')})")
    for character in "<*_[":
        for place, found in enumerate(marked):
            assert found != character or marked[place - 1] == "\\"


def test_notes_say_what_happened() -> None:
    changes = [
        NameChange(name="a", kind="created", type="list"),
        NameChange(name="df", kind="mutated", type="DataFrame (3, 2)", detail="+1 column: b"),
    ]
    assert notes.change_notes(changes) == "creates `a` (list); changes `df` (DataFrame (3, 2), +1 column: b)"
    assert notes.run_notes(Run(status="ok", changes=changes))[0].startswith("created `a` (list); changed `df`")
    assert notes.run_notes(Run(status="ok")) == []
    unfinished = Rehearsal(status="unfinished", seconds=5.0)
    assert notes.rehearsal_note(unfinished) == "tried in the sandbox: no error in the first 5.0 s, then stopped"
    assert "not tried in the sandbox: why" in notes.rehearsal_note(Rehearsal(status="unavailable", reason="why"))
    reading = Progress(phase="reading", done=32, total=640)
    assert notes.progress_note(reading) == "reading the notebook: 32 of 640 tokens"
    loading = Progress(phase="downloading", detail="m", done=5 * 10**8, total=10**9)
    assert notes.progress_note(loading) == "downloading m: 50 % of 1.0 GB"
    findings = [Finding(kind="capability", severity="warning", message=str(i)) for i in range(6)]
    assert notes.finding_notes(findings)[-1] == "inspection: and 2 more, see %llmos why"
