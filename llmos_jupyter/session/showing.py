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
        view = self._view
        if isinstance(event, events.Accepted):
            task = event.task
            self._number, self.request = task.number, task.id
            view.about(task=task.id, number=task.number, session=task.session.id)
        elif isinstance(event, events.Waiting):
            view.about(ahead=event.progress.ahead, starts=event.progress.starts)
            view.working(notes.progress_note(event.progress))
        elif isinstance(event, events.Writing):
            self._raw, self._confidence = event.text, event.confidence
            clean = unfenced(event.text)
            view.about(ahead=None, starts=None, confidence=confidence_of(clean, event.text, event.confidence))
            view.writing(event.text)
        elif isinstance(event, events.Written):
            self._attempts += 1
            self._code, self._model = event.code, event.candidate.model
            view.about(rehearsal=None, findings=[], **self._of(event.candidate))
            self._provenance(self._model, event.code)
            self._status = notes.candidate_note(event.candidate, self._number, self._attempts)
            self._notes = []
            self._refresh()
        elif isinstance(event, events.Inspected):
            self._code = event.code
            self._provenance(self._model, event.code)
            self._notes += notes.finding_notes(event.findings)
            view.about(findings=event.findings)
            self._refresh()
        elif isinstance(event, events.Rehearsing):
            view.about(state="rehearsing")
            self._refresh("trying it in the sandbox ...")
        elif isinstance(event, events.StillRunning):
            if not self._running:
                self._refresh()
            self._running = True
            view.running(notes.running_note(event.seconds, event.bytes), event.printed)
        elif isinstance(event, events.Rehearsed):
            self._running = False
            view.about(state="rehearsing", rehearsal=event.rehearsal)
            self._notes.append(notes.rehearsal_note(event.rehearsal))
            self._refresh()
        elif isinstance(event, events.Repairing):
            self._refresh(f"repair {event.round} of {event.rounds} ...")
        elif isinstance(event, events.Stepping):
            self._refresh(f"step {event.number} of {event.steps}: {event.step}")
        elif isinstance(event, events.Comparing):
            self._refresh(f"comparing with {event.more} more ...")
        elif isinstance(event, events.Chosen):
            self._code = event.code
            self._status = notes.candidate_note(event.candidate, self._number, self._attempts)
            self._provenance(event.candidate.model, event.code)
            rehearsed = [notes.rehearsal_note(event.rehearsal)] if event.rehearsal else []
            view.about(findings=event.findings, rehearsal=event.rehearsal, **self._of(event.candidate))
            self._notes = [*notes.finding_notes(event.findings), *rehearsed, event.why]
            self._refresh()
        elif isinstance(event, events.Replayed):
            self._code, self._model = event.code, event.model
            view.about(model=event.model, attempts=0)
            self._notes = [f"replayed from {event.file} · {event.model}", *([FOREIGN] if event.foreign else [])]
            self._refresh()
        elif isinstance(event, events.Noted):
            view.aftermath([event.text])
        elif isinstance(event, events.Words):
            self._provenance(event.model, event.text)
            cut = [] if event.complete else ["cut off at --max-tokens"]
            view.words(event.text, [*self._notes, *cut], self._status)
        elif isinstance(event, events.Question):
            view.about(state="asking")
            self._refresh()
            view.settle()
            return ask(event.why, event.code.count("\n") + 1)
        elif isinstance(event, events.Shown):
            view.about(state="shown")
            self._refresh(f"not run: {event.why}; {self._offer(event.code)}")
            view.settle()
        elif isinstance(event, events.GaveUp):
            view.about(state="failed")
            offer = [self._offer(event.code)] if event.code and not self._waits else []
            self._refresh(*offer)
            view.settle()
            if event.code and self._waits:
                self._offer(event.code)
            self.failure = event.message
        elif isinstance(event, events.Running):
            view.about(state="running")
            self._refresh(*(f"undo: {sentence}" for sentence in event.lasting))
            view.settle()
        else:
            state = {"ok": "done", "failed": "failed", "interrupted": "stopped"}[event.run.status]
            view.become(state=state, changes=event.run.changes)
            view.aftermath(notes.run_notes(event.run))
            if event.run.status == "interrupted":
                raise KeyboardInterrupt
            if event.run.error:
                self.failure = RAISED
        return None

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
