"""How an answer looks while it is made and when it is done: in a notebook, or in a terminal.

Both show the same four things in the same order: the code (or words) as it is written, notes on what was found, then,
from the kernel itself, the result, and last what became of the user's names. In a notebook the same display carries it
three times: as data for JupyterLab's own view with its buttons and tabs (`labextension/src/answer`), as Markdown and as
plain text for every other front end, and for the saved file.
"""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from llmos_jupyter.protocol import ANSWER_MIME, AnswerCell, Rehearsal

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# Seconds between two updates of a display: smooth to the eye, and a few kB/s to the browser.
UPDATE_EVERY = 0.1
# The same while code runs, which may be for hours.
RUNNING_EVERY = 0.5
# Characters of code after which that is twice as long, and so on: each update carries all of it.
UPDATE_LENGTH = 20_000
# Characters of what a rehearsal would print, and of a traceback, that are shown with an answer; the trace has all.
SHOWN_OUTPUT = 20_000
# Lines of what running code prints that are shown until it has ended.
PREVIEW_LINES = 12
# Characters of it in a terminal's line.
TERMINAL_LINE = 50
_ENDED = frozenset({"done", "shown", "failed", "stopped", "undone"})


class AnswerView(Protocol):
    """What the notebook session tells a view."""

    def about(self, **known: Any) -> None:
        """What is known of the answer, by the names of AnswerCell; shown with what comes next."""

    def working(self, text: str) -> None:
        """Something is going on that has no text of its own yet."""

    def writing(self, text: str) -> None:
        """The model's reply so far, raw."""

    def answer(self, code: str, notes: list[str], status: str = "") -> None:
        """A whole candidate with what is known of it; called again as more becomes known. `status`: what is known of
        how it was written, in one line, for those who do not see `about`."""

    def running(self, how: str, printed: str) -> None:
        """The code that is shown runs. `how`: for how long, and with what memory. `printed`: the latest of what it
        printed, which goes when the code has ended: then its outputs come themselves."""

    def words(self, text: str, notes: list[str], status: str = "") -> None:
        """A whole answer in words."""

    def provenance(self, facts: dict[str, str]) -> None:
        """Where the answer comes from, for the output's metadata: model, request, hash of the code or words."""

    def settle(self) -> None:
        """What is shown now is final: results come next."""

    def aftermath(self, notes: list[str]) -> None:
        """What became of the user's names."""

    def become(self, **known: Any) -> None:
        """An answer that has been shown is something else now: it has run, or was undone."""

    def abandon(self) -> None:
        """There will be no answer: what was written stays, what only said "wait" goes."""


def view_for(shell: InteractiveShell) -> AnswerView:
    return NotebookAnswer() if hasattr(shell, "kernel") else TerminalAnswer()


class NotebookAnswer:
    """One display, updated in place."""

    def __init__(self) -> None:
        from IPython.display import display

        self._cell = AnswerCell()
        self._texts = ("", "")
        # A handle of our own, not display()'s: the first update must not wait for a throttle.
        self._display = display
        self._handle = display(self._bundle(), raw=True, display_id=True)
        self._shown: dict[str, Any] = {}
        self._at = 0.0
        self._waiting = True
        self._metadata: dict[str, dict[str, str]] = {}

    def provenance(self, facts: dict[str, str]) -> None:
        self._metadata = {"llmos": facts}

    def about(self, **known: Any) -> None:
        self._cell = self._cell.model_copy(update=known)

    def working(self, text: str) -> None:
        self._waiting = True
        self._show((f"*{escape(text)} ...*", f"{text} ..."), doing=text)

    def writing(self, text: str) -> None:
        self._waiting = False
        clean = unfenced(text)
        kind = "words" if clean == text and not text.lstrip().startswith("`") else "code"
        self._show((text, clean), state="writing", kind=kind, text=clean, doing="")

    def answer(self, code: str, notes: list[str], status: str = "") -> None:
        self._waiting = False
        lines = [status, *notes] if status else notes
        markdown = f"{fenced(code)}\n\n{_small(lines)}"
        known: dict[str, Any] = {"kind": "code", "text": code, "notes": notes, "doing": "", "printed": ""}
        self._show((markdown, "\n".join([code, *lines])), now=True, **known)

    def running(self, how: str, printed: str) -> None:
        standing = markdown, text = self._texts
        printed = "\n".join(printed.rstrip().splitlines()[-PREVIEW_LINES:])
        preview = f"\n\n{fenced(printed, 'text')}" if printed else ""
        shown = (
            f"{markdown}\n\n*running {escape(how)} ...*{preview}",
            "\n".join([text, f"running {how} ...", printed]).rstrip(),
        )
        self._show(shown, every=RUNNING_EVERY, state="running", doing=how, printed=printed)
        self._texts = standing

    def words(self, text: str, notes: list[str], status: str = "") -> None:
        self._waiting = False
        lines = [status, *notes] if status else notes
        markdown, plain = f"{text}\n\n{_small(lines)}", "\n".join([text, *lines])
        self._show((markdown, plain), state="done", kind="words", text=text, notes=notes, doing="", now=True)

    def settle(self) -> None:
        self._show(self._texts, now=True)

    def aftermath(self, notes: list[str]) -> None:
        if notes:
            self._display({"text/plain": "\n".join(notes), "text/markdown": _small(notes)}, raw=True)

    def become(self, **known: Any) -> None:
        self._show(self._texts, now=True, **known)

    def abandon(self) -> None:
        texts = ("", "") if self._waiting else self._texts
        if self._cell.state in _ENDED:
            self._show(texts, now=True)
        else:
            self._show(texts, now=True, state="stopped", doing="", printed="")

    def _show(self, texts: tuple[str, str], *, now: bool = False, every: float = UPDATE_EVERY, **known: Any) -> None:
        self._texts = texts
        self.about(**known)
        moment = time.monotonic()
        if not now and moment - self._at < every * (1 + len(texts[1]) // UPDATE_LENGTH):
            return
        bundle = self._bundle()
        if bundle == self._shown:
            return
        self._handle.update(bundle, raw=True, metadata=self._metadata)
        self._shown, self._at = bundle, moment

    def _bundle(self) -> dict[str, Any]:
        markdown, text = self._texts
        cell = self._cell
        if cell.rehearsal is not None:
            cell = cell.model_copy(update={"rehearsal": _shortened(cell.rehearsal)})
        bundle: dict[str, Any] = {"text/plain": text, "text/markdown": markdown}
        if cell.task:  # before that it is no answer yet, and perhaps never one
            bundle[ANSWER_MIME] = cell.model_dump(mode="json")
        return bundle


class TerminalAnswer:
    """Plain text, written once, in order."""

    def __init__(self) -> None:
        self._written = ""
        self._working = ""
        self._running = False
        self._notes: list[str] = []
        self._code = ""
        self._pending: list[str] = []

    def provenance(self, facts: dict[str, str]) -> None:
        """A terminal keeps nothing beside the text."""

    def about(self, **known: Any) -> None:
        """A terminal shows what it is told in words."""

    def become(self, **known: Any) -> None:
        """What stands in a terminal stays as it is."""

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

    def answer(self, code: str, notes: list[str], status: str = "") -> None:
        self._ran()
        if code != self._written.strip("\n"):
            self.writing(code)
        self._code, self._pending = code, [status, *notes] if status else notes

    def running(self, how: str, printed: str) -> None:
        """One line, drawn anew; where lines cannot be, one that is written once."""
        if sys.stderr.isatty():
            latest = printed.rstrip().rpartition("\n")[2][:TERMINAL_LINE]
            begin = "\r\x1b[K" if self._running else "\n"
            print(f"{begin}(running {how}) {latest}", end="", file=sys.stderr, flush=True)
        elif not self._running:
            print("\n(running ...)", file=sys.stderr, flush=True)
        self._running = True

    def _ran(self) -> None:
        if self._running and sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        self._running = False

    def words(self, text: str, notes: list[str], status: str = "") -> None:
        self.answer(text, notes, status)
        self.settle()

    def settle(self) -> None:
        print("\n" + "\n".join(f"# {note}" for note in self._pending), flush=True)
        self._written = ""
        self._pending = []

    def aftermath(self, notes: list[str]) -> None:
        for note in notes:
            print(f"# {note}", flush=True)

    def abandon(self) -> None:
        self._ran()
        if self._written:
            print(flush=True)


def confidence_of(code: str, raw: str, runs: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The runs of a raw reply as those of the code in it; nothing if the code is not what the model wrote."""
    start = raw.find(code) if code else -1
    if start < 0:
        return []
    found: list[tuple[int, float]] = []
    at, end = 0, start + len(code)
    for length, probability in runs:
        covered = min(at + length, end) - max(at, start)
        if covered > 0:
            found.append((covered, probability))
        at += length
    return found if sum(length for length, _ in found) == len(code) else []


def _shortened(rehearsal: Rehearsal) -> Rehearsal:
    """What is shown of a rehearsal beside its answer; the digests of its results, and edits, are for the loop."""
    error = rehearsal.error
    if error is not None:
        # What could stand in a missing name's place is for the model.
        error = error.model_copy(update={"traceback": error.traceback[-SHOWN_OUTPUT:], "unknown": None})
    shown: dict[str, object] = {"outcome": {}, "edits": [], "output": rehearsal.output[:SHOWN_OUTPUT], "error": error}
    return rehearsal.model_copy(update=shown)


def escape(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]<>()#!|~])", r"\\\1", text)


def unfenced(text: str) -> str:
    """A reply without the marks of its code block; a mark that is only half written is left out too."""
    body = re.sub(r"^\s*```[^\n]*\n?", "", text)
    return re.sub(r"\n?`{1,3}\s*$", "", body) if body != text else text


def fenced(code: str, language: str = "python") -> str:
    """Text as a code block of Markdown, whatever marks of one are in it."""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}{language}\n{code}\n{fence}"


def _small(notes: list[str]) -> str:
    return "  \n".join(f"<small>{marked(note)}</small>" for note in notes)


def marked(note: str) -> str:
    """A note as Markdown: its `code` stays code, everything else is text."""
    parts = re.split(r"(`[^`\n]+`)", note)
    return "".join(part if part.startswith("`") and len(part) > 1 else escape(part) for part in parts)
