"""A request in words in the background: the agent loop, in a worker that was given copies of the notebook's variables.

The kernel composes the prompt and sends it along (`Asked`). In the worker the very same loop writes, inspects and
rehearses; then the worker is locked down, and the chosen code runs in it. What it made comes back like the results of
any other background task; what became of the request comes with it (`Answered`).
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmos_jupyter import config
from llmos_jupyter.agent.answering import events
from llmos_jupyter.agent.answering.loop import Loop
from llmos_jupyter.agent.capability.capabilities import Grants
from llmos_jupyter.agent.capability.caps import Caps
from llmos_jupyter.agent.context.notebook_context import NotebookContext, Turn
from llmos_jupyter.agent.describe.secret_values import secrets_in
from llmos_jupyter.agent.replay.recording import Recorded, Recording
from llmos_jupyter.agent.run.running import Rights
from llmos_jupyter.agent.undo import history as undo
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.privacy.masking import remember
from llmos_jupyter.protocol import DecisionRecord, Finish, Message, Options, Record, Request, Session, Task
from llmos_jupyter.protocol.jobs import Answered
from llmos_jupyter.sandbox.roots import fix_roots
from llmos_jupyter.session.showing import Show
from llmos_jupyter.widgets.answer import view_for
from llmos_jupyter.workers import inside

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# The name under which a request travels with the variables, and the cell that answers it.
NAME = "_llmos_asked"
CODE = f"__import__('llmos_jupyter.session.asking', fromlist=['answer']).answer({NAME})"
# What the daemon is told when the code begins to run in the worker.
RUNNING = "running"


@dataclass
class Asked:
    """A request on its way to a worker."""

    task_id: str
    text: str
    options: Options
    session: Session
    turn: Turn
    messages: list[Message]
    answers: list[str]
    caps: Caps
    grants: Grants
    recording: Recording | None


class SentContext(NotebookContext):
    """What the notebook told of itself when the request was sent; keeps the reply for the notebook."""

    def __init__(self, shell: InteractiveShell, asked: Asked) -> None:
        super().__init__(shell)
        self._asked = asked
        self.reply = self.shown = ""

    def compose(self, request: str, budget: int, *, context: bool = True, use: Collection[str] = ()) -> Turn:
        return self._asked.turn

    def prompt(self, turn: Turn) -> list[Message]:
        return list(self._asked.messages)

    def commit(self, turn: Turn, reply: str, shown: str = "") -> None:
        self.reply, self.shown = reply, shown

    @property
    def answers(self) -> list[str]:
        return list(self._asked.answers)


class WorkerClient(DaemonClient):
    """Speaks for one task that the daemon knows already. Once the worker is locked down nothing goes out any more: what
    is still to be told is kept, and goes with the results."""

    def __init__(self, task_id: str) -> None:
        super().__init__(start=False)
        self.task = self.trace(task_id).task
        self.locked = False
        self.records: list[Record] = []
        self.finished = Finish(state="failed", reason="the answer ended without a word")

    def submit(self, request: Request) -> Task:
        return self.task

    def record(self, task_id: str, record: Record) -> None:
        if self.locked:
            self.records.append(record)
        else:
            super().record(task_id, record)

    def finish(self, task_id: str, finish: Finish) -> Task:
        self.finished = finish
        return self.task


class SentRecording(Recording):
    """The notebook's recorded answers, read here; a new one is kept for the notebook to add."""

    new: Recorded | None = None

    def add(self, recorded: Recorded | None) -> bool:
        self.new = recorded
        return recorded is not None


def answer(asked: Asked) -> None:
    """Answer a request, showing all of it as outputs of this worker's cell."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    assert shell is not None
    shell.user_ns.pop(NAME, None)
    fix_roots(shell, asked.grants.roots)
    rights = Rights(asked.caps, asked.grants, undo.History(limit_bytes=0))
    remember(secrets_in(shell.user_ns))
    context = SentContext(shell, asked)
    view = view_for(shell)
    show = Show(view, shell, waits=False)
    with closing(WorkerClient(asked.task_id)) as client:
        recording = SentRecording(asked.recording.file, asked.recording.signatures) if asked.recording else None
        loop = Loop(
            shell,
            client,
            context,
            asked.session,
            rights,
            rehearsal_budget=config.load().rehearsal_budget,
            recording=recording,
        )
        try:
            with closing(loop.answer(asked.text, asked.options, sys.maxsize)) as steps:
                _follow(steps, show, client)
        except LLMOSError as error:
            show.failure = str(error)
        finally:
            view.abandon()
        if show.failure:
            print(show.failure, file=sys.stderr)
        inside.answered(
            Answered(
                finish=client.finished,
                records=client.records,
                reply=context.reply,
                shown=context.shown,
                recorded=recording.new.model_dump_json() if recording and recording.new else "",
            )
        )


def _follow(steps: Generator[events.AgentEvent, bool | None, None], show: Show, client: WorkerClient) -> None:
    reply: bool | None = None
    while True:
        try:
            event = steps.send(reply) if show.asked else next(steps)
        except StopIteration:
            return
        if isinstance(event, events.Running):
            client.record(client.task.id, DecisionRecord(round=0, decision=RUNNING, why="its code runs in a worker"))
        if isinstance(event, events.Ran):
            # The code ran in a sandbox of this worker. What it made may run code of its own as it is pickled.
            client.close()
            inside.lock_now()
            client.locked = True
            inside.bring_back(change.name for change in event.run.changes if change.kind != "deleted")
        show.asked = isinstance(event, events.Question)
        reply = show.event(event)
