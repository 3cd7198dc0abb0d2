"""What the agent loop tells, as an answer's view shows it: in the notebook's own kernel and in a worker alike."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from llmos_jupyter.agent.answering import events
from llmos_jupyter.agent.replay.recording import FOREIGN
from llmos_jupyter.protocol import Candidate
from llmos_jupyter.widgets import notes
from llmos_jupyter.widgets.answer import AnswerView, confidence_of, unfenced

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# Lines of code that a screen shows at once.
IN_SIGHT = 30
RAISED = "The code raised when it ran; its traceback stands above. `%llmos undo` takes back what it did."


class Show:
    """Turns the loop's events into what the view shows."""

    def __init__(self, view: AnswerView, shell: InteractiveShell, *, waits: bool = True) -> None:
        """`waits`: whether the user waits for the answer, and so finds code that was not run in the next cell."""
        self._waits = waits
        self._view = view
        self._shell = shell
        self._number = 0
        self.request = ""
        self._attempts = 0
        self._code = ""
        self._model = ""
        self._status = ""
        self._notes: list[str] = []
        self._raw = ""
        self._confidence: list[tuple[int, float]] = []
        self._running = False
        self.asked = False
        self.failure = ""

    def event(self, event: events.AgentEvent) -> bool | None:
        """Show an event; of a question, the user's answer."""
        match event:
            case events.Accepted():
                self._accepted(event)
            case events.Waiting():
                self._waiting(event)
            case events.Writing():
                self._writing(event)
            case events.Written():
                self._written(event)
            case events.Inspected():
                self._inspected(event)
            case events.Rehearsing():
                self._view.about(state="rehearsing")
                self._refresh("rehearsing ...")
            case events.StillRunning():
                self._still_running(event)
            case events.Rehearsed():
                self._rehearsed(event)
            case events.Repairing():
                self._refresh(f"repair {event.round} of {event.rounds} ...")
            case events.Stepping():
                self._refresh(f"step {event.number} of {event.steps}: {event.step}")
            case events.Comparing():
                self._refresh(f"comparing with {event.more} more ...")
            case events.Chosen():
                self._chosen(event)
            case events.Replayed():
                self._replayed(event)
            case events.Noted():
                self._view.aftermath([event.text])
            case events.Words():
                self._words(event)
            case events.Question():
                return self._question(event)
            case events.Shown():
                self._shown(event)
            case events.GaveUp():
                self._gave_up(event)
            case events.Running():
                self._runs(event)
            case events.Ran():
                self._ran(event)
        return None

    # --- before the code runs ---------------------------------------------------------------

    def _accepted(self, event: events.Accepted) -> None:
        task = event.task
        self._number, self.request = task.number, task.id
        self._view.about(task=task.id, number=task.number, session=task.session.id)

    def _waiting(self, event: events.Waiting) -> None:
        self._view.about(ahead=event.progress.ahead, starts=event.progress.starts)
        self._view.working(notes.progress_note(event.progress))

    def _writing(self, event: events.Writing) -> None:
        self._raw, self._confidence = event.text, event.confidence
        clean = unfenced(event.text)
        self._view.about(ahead=None, starts=None, confidence=confidence_of(clean, event.text, event.confidence))
        self._view.writing(event.text)

    def _written(self, event: events.Written) -> None:
        self._attempts += 1
        self._code, self._model = event.code, event.candidate.model
        self._view.about(rehearsal=None, findings=[], **self._of(event.candidate))
        self._provenance(self._model, event.code)
        self._status = notes.candidate_note(event.candidate, self._number, self._attempts)
        self._notes = []
        self._refresh()

    def _inspected(self, event: events.Inspected) -> None:
        self._code = event.code
        self._provenance(self._model, event.code)
        self._notes += notes.finding_notes(event.findings)
        self._view.about(findings=event.findings)
        self._refresh()

    def _replayed(self, event: events.Replayed) -> None:
        self._code, self._model = event.code, event.model
        self._view.about(model=event.model, attempts=0)
        self._notes = [f"replayed from {event.file} · {event.model}", *([FOREIGN] if event.foreign else [])]
        self._refresh()

    # --- the sandbox, and what is chosen ----------------------------------------------------

    def _still_running(self, event: events.StillRunning) -> None:
        if not self._running:
            self._refresh()
        self._running = True
        self._view.running(notes.running_note(event.seconds, event.bytes), event.printed)

    def _rehearsed(self, event: events.Rehearsed) -> None:
        self._running = False
        self._view.about(state="rehearsing", rehearsal=event.rehearsal)
        self._notes.append(notes.rehearsal_note(event.rehearsal))
        self._refresh()

    def _chosen(self, event: events.Chosen) -> None:
        self._code = event.code
        self._status = notes.candidate_note(event.candidate, self._number, self._attempts)
        self._provenance(event.candidate.model, event.code)
        rehearsed = [notes.rehearsal_note(event.rehearsal)] if event.rehearsal else []
        self._view.about(findings=event.findings, rehearsal=event.rehearsal, **self._of(event.candidate))
        self._notes = [*notes.finding_notes(event.findings), *rehearsed, event.why]
        self._refresh()

    # --- how it ends ------------------------------------------------------------------------

    def _words(self, event: events.Words) -> None:
        self._provenance(event.model, event.text)
        cut = [] if event.complete else ["cut off at --max-tokens"]
        self._view.words(event.text, [*self._notes, *cut], self._status)

    def _question(self, event: events.Question) -> bool | None:
        self._view.about(state="asking")
        self._refresh()
        self._view.settle()
        return ask(event.why, event.code.count("\n") + 1)

    def _shown(self, event: events.Shown) -> None:
        self._view.about(state="shown")
        self._refresh(f"not run: {event.why}; {self._offer(event.code)}")
        self._view.settle()

    def _gave_up(self, event: events.GaveUp) -> None:
        self._view.about(state="failed")
        offer = [self._offer(event.code)] if event.code and not self._waits else []
        self._refresh(*offer)
        self._view.settle()
        if event.code and self._waits:
            self._offer(event.code)
        self.failure = event.message

    def _runs(self, event: events.Running) -> None:
        self._view.about(state="running")
        self._refresh(*(f"undo: {sentence}" for sentence in event.lasting))
        self._view.settle()

    def _ran(self, event: events.Ran) -> None:
        state = {"ok": "done", "failed": "failed", "interrupted": "stopped"}[event.run.status]
        self._view.become(state=state, changes=event.run.changes)
        self._view.aftermath(notes.run_notes(event.run))
        if event.run.status == "interrupted":
            raise KeyboardInterrupt
        if event.run.error:
            self.failure = RAISED

    # --- parts ------------------------------------------------------------------------------

    def _of(self, candidate: Candidate) -> dict[str, Any]:
        """What an answer's head says of the candidate that it shows."""
        timings = candidate.timings
        return {
            "model": candidate.model,
            "device": candidate.device,
            "first_token": timings.first_token_ms / 1000 if timings.first_token_ms else None,
            "tokens_per_second": timings.tokens_per_second or None,
            "attempts": self._attempts,
        }

    def _offer(self, code: str) -> str:
        """Leave code to the user; returns where."""
        if not self._waits:
            return f"`%llmos code {self._number}` puts it into a cell"
        self._shell.set_next_input(code)
        return "it stands in the next cell"

    def _provenance(self, model: str, answer: str) -> None:
        digest = hashlib.sha256(answer.encode()).hexdigest()
        self._view.provenance({"model": model, "request": self.request, "sha256": digest})

    def _refresh(self, *more: str) -> None:
        if self._code:
            self._view.about(confidence=confidence_of(self._code, self._raw, self._confidence))
            self._view.answer(self._code, [*self._notes, *more], self._status)


def ask(why: str, lines: int = 1) -> bool | None:
    """Ask the user for a yes; None where nobody can be asked (nbconvert, papermill). `lines`: how long the code is."""
    reason = f"Asking because {why}. " if why else ""
    all_of_it = f"Run all {lines} lines of this code?" if lines > IN_SIGHT else "Run this code?"
    try:
        said = input(f"{reason}{all_of_it} [y/N] ")
    except (EOFError, RuntimeError, NotImplementedError):
        # ipykernel's StdinNotImplementedError is both of the last two, by version.
        return None
    return said.strip().lower() in ("y", "yes", "j", "ja", "o", "oui", "s", "si", "sí", "是")
