"""The recording of a notebook's answers, as the loop uses it: looked up before the model is asked, added to after."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from llmos_jupyter.agent.answering.events import AgentEvent, Noted
from llmos_jupyter.agent.context.notebook_context import NotebookContext, Turn
from llmos_jupyter.agent.replay.recording import Recorded, Recording, record
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Options

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class RecordedAnswers:
    """Those of one notebook; without a recording nothing is found and nothing kept."""

    def __init__(self, recording: Recording | None, shell: InteractiveShell, context: NotebookContext) -> None:
        self._recording = recording
        self._shell = shell
        self._context = context

    @property
    def file(self) -> str:
        """The name of the recording's file."""
        return self._recording.file.name if self._recording else ""

    def find(self, turn: Turn, options: Options) -> tuple[Recorded, bool] | None:
        """The answer to this request in a notebook like this, and whether the user has signed it."""
        if self._recording is None or options.fresh:
            return None
        found = self._recording.find(turn.request, options, self._shell.user_ns, self._context.answers)
        return None if found is None else (found, self._recording.signed(found))

    def entry(self, turn: Turn, options: Options, kind: str, answer: str, model: str) -> Recorded | None:
        """What would be recorded; made before the run, for the answer depends on what it found."""
        if self._recording is None:
            return None
        namespace, answers = self._shell.user_ns, self._context.answers
        return record(turn.request, options, namespace, answers, kind=kind, answer=answer, model=model)

    def keep(self, entry: Recorded | None) -> Generator[AgentEvent, bool | None, None]:
        """Add an answer; it is good also where it cannot be kept, which is told."""
        if self._recording and entry:
            yield from _told(self._recording.add, entry)

    def sign(self, recorded: Recorded) -> Generator[AgentEvent, bool | None, None]:
        """Sign an answer after a yes, which holds for this run also where that fails."""
        if self._recording:
            yield from _told(self._recording.sign, recorded)


def _told(act: Callable[[Recorded], object], recorded: Recorded) -> Generator[AgentEvent, bool | None, None]:
    try:
        act(recorded)
    except LLMOSError as error:
        yield Noted(str(error))
