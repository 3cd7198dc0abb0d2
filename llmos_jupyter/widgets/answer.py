"""How an answer looks while it is made and when it is done: in a notebook, or in a terminal.

Both show the same four things in the same order: the code (or words) as it is written, notes on what was found, then,
from the kernel itself, the result, and last what became of the user's names.
"""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# Seconds between two updates of a display: smooth to the eye, and a few kB/s to the browser.
UPDATE_EVERY = 0.1


class AnswerView(Protocol):
    """What the notebook session tells a view."""

    def working(self, text: str) -> None:
        """Something is going on that has no text of its own yet."""

    def writing(self, text: str) -> None:
        """The model's reply so far, raw."""

    def answer(self, code: str, notes: list[str]) -> None:
        """A whole candidate with what is known of it; called again as more becomes known."""

    def words(self, text: str, notes: list[str]) -> None:
        """A whole answer in words."""

    def provenance(self, facts: dict[str, str]) -> None:
        """Where the answer comes from, for the output's metadata: model, request, hash of the code or words."""

    def settle(self) -> None:
        """What is shown now is final: results come next."""

    def aftermath(self, notes: list[str]) -> None:
        """What became of the user's names."""

    def abandon(self) -> None:
        """There will be no answer: what was written stays, what only said "wait" goes."""


def view_for(shell: InteractiveShell) -> AnswerView:
    return NotebookAnswer() if hasattr(shell, "kernel") else TerminalAnswer()


class NotebookAnswer:
    """One display, updated in place, Markdown with plain text beside it."""

    def __init__(self) -> None:
        from IPython.display import display

        # A handle of our own, not display()'s: the first update must not wait for a throttle.
        self._display = display
        self._handle = display({"text/plain": "", "text/markdown": ""}, raw=True, display_id=True)
        self._shown = ("", "")
        self._wanted = ("", "")
        self._at = 0.0
        self._waiting = True
        self._metadata: dict[str, dict[str, str]] = {}

    def provenance(self, facts: dict[str, str]) -> None:
        self._metadata = {"llmos": facts}

    def working(self, text: str) -> None:
        self._waiting = True
        self._show((f"*{escape(text)} ...*", f"{text} ..."))

    def writing(self, text: str) -> None:
        self._waiting = False
        self._show((text, unfenced(text)))

    def answer(self, code: str, notes: list[str]) -> None:
        self._waiting = False
        markdown = f"{_fenced(code)}\n\n{_small(notes)}"
        self._show((markdown, "\n".join([code, *notes])), now=True)

    def words(self, text: str, notes: list[str]) -> None:
        self._waiting = False
        self._show((f"{text}\n\n{_small(notes)}", "\n".join([text, *notes])), now=True)

    def settle(self) -> None:
        self._show(self._wanted, now=True)

    def aftermath(self, notes: list[str]) -> None:
        if notes:
            self._display({"text/plain": "\n".join(notes), "text/markdown": _small(notes)}, raw=True)

    def abandon(self) -> None:
        self._show(("", "") if self._waiting else self._wanted, now=True)

    def _show(self, texts: tuple[str, str], *, now: bool = False) -> None:
        self._wanted = texts
        moment = time.monotonic()
        if texts == self._shown or (not now and moment - self._at < UPDATE_EVERY):
            return
        markdown, text = texts
        self._handle.update({"text/plain": text, "text/markdown": markdown}, raw=True, metadata=self._metadata)
        self._shown, self._at = texts, moment


class TerminalAnswer:
    """Plain text, written once, in order."""

    def __init__(self) -> None:
        self._written = ""
        self._working = ""
        self._notes: list[str] = []
        self._code = ""
        self._pending: list[str] = []

    def provenance(self, facts: dict[str, str]) -> None:
        """A terminal keeps nothing beside the text."""

    def working(self, text: str) -> None:
        what = text.split(":")[0]
        if what != self._working and not self._written:
            self._working = what
            print(f"({what} ...)", file=sys.stderr, flush=True)

    def writing(self, text: str) -> None:
        clean = unfenced(text)
        if not clean.startswith(self._written):
            print("\n(begun anew)", flush=True)
            self._written = ""
        print(clean[len(self._written) :], end="", flush=True)
        self._written = clean

    def answer(self, code: str, notes: list[str]) -> None:
        if code != self._written.strip("\n"):
            self.writing(code)
        self._code, self._pending = code, notes

    def words(self, text: str, notes: list[str]) -> None:
        self.answer(text, notes)
        self.settle()

    def settle(self) -> None:
        print("\n" + "\n".join(f"# {note}" for note in self._pending), flush=True)
        self._written = ""
        self._pending = []

    def aftermath(self, notes: list[str]) -> None:
        for note in notes:
            print(f"# {note}", flush=True)

    def abandon(self) -> None:
        if self._written:
            print(flush=True)


def escape(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]<>()#!|~])", r"\\\1", text)


def unfenced(text: str) -> str:
    """A reply without the marks of its code block; a mark that is only half written is left out too."""
    body = re.sub(r"^\s*```[^\n]*\n?", "", text)
    return re.sub(r"\n?`{1,3}\s*$", "", body) if body != text else text


def _fenced(code: str) -> str:
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}python\n{code}\n{fence}"


def _small(notes: list[str]) -> str:
    return "  \n".join(f"<small>{_marked(note)}</small>" for note in notes)


def _marked(note: str) -> str:
    """A note as Markdown: its `code` stays code, everything else is text."""
    parts = re.split(r"(`[^`\n]+`)", note)
    return "".join(part if part.startswith("`") and len(part) > 1 else escape(part) for part in parts)
