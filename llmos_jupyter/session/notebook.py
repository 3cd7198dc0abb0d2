"""One notebook's llmos: puts the agent loop, the daemon and the views together for the magics."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmos_jupyter import config
from llmos_jupyter.agent.answering import events
from llmos_jupyter.agent.answering.loop import Loop
from llmos_jupyter.agent.context.kept import KeptAnswers
from llmos_jupyter.agent.context.notebook_context import NotebookContext
from llmos_jupyter.agent.replay.recording import Recording
from llmos_jupyter.agent.replay.recording_place import notebook_file, place_of
from llmos_jupyter.agent.run.running import Rights
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.engines import selection
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import INTERACTIVE, FeedbackRecord, Message, Options, Session
from llmos_jupyter.session.background import Background
from llmos_jupyter.session.handle import Handle
from llmos_jupyter.session.leaving import leaves, notice_once
from llmos_jupyter.session.showing import Show
from llmos_jupyter.session.using import model_on_device, pinning
from llmos_jupyter.signatures import Signatures
from llmos_jupyter.system.device_names import split
from llmos_jupyter.system.processes import started
from llmos_jupyter.widgets.answer import AnswerView, view_for
from llmos_jupyter.widgets.board import Board

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# Seconds of quiet after a cell before its news are read into the engine's cache: a user who runs cell after cell
# wants the cores.
QUIET = 0.4


class AnswerFailed(Exception):
    """Ends the cell as failed, so that "Run all" stops, with one line instead of a traceback of ours."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class AnswerStopped(KeyboardInterrupt):
    """The stop button, in one line."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Notebook:
    """Answers requests in one shell. Made at the first use of a magic."""

    def __init__(
        self, shell: InteractiveShell, errors: list[tuple[int, BaseException]], cells: list[tuple[int, str | None]]
    ) -> None:
        self.shell = shell
        self._place = place_of(shell)
        self.context = NotebookContext(shell)
        for count, error in errors:
            self.context.note_error(count, error)
        for count, cell in cells:
            self.context.note_cell(count, cell)
        self.session = _session(shell)
        self.rights = Rights.of(shell)
        self.client = DaemonClient(self._say)
        self.background = Background(shell, self.client, self.session, self.rights)
        self.model = ""
        self.busy = False
        self._view: AnswerView | None = None
        self._warmer = Warmer()
        self._asked = ""
        if cells:
            self._in_cell(cells[-1][1])
        # The answers that ran, by their requests, the last one last; and what shows them.
        self._ran: list[str] = []
        self._views: dict[str, AnswerView] = {}

    # --- answering --------------------------------------------------------------------------

    def _use_kept(self, options: Options) -> None:
        """Show the model kept answers, unless the user wants none; those of this notebook alone where its words go to
        another machine."""
        settings = config.load()
        kept = KeptAnswers(self.client, self.shell.user_ns, self.session) if settings.examples else None
        self.context.use_kept(kept, leaves=leaves(self._means(options.model)))

    def answer(self, text: str, options: Options) -> None:
        """Answer one request, showing all of it. Raises AnswerFailed or AnswerStopped, one sentence each."""
        self._warmer.stop()
        self._tell_of_server(options)
        self.busy = True
        ran = False
        self._view = view = view_for(self.shell)
        try:
            view.working("thinking")
            settings = config.load()
            self._use_kept(options)
            loop = Loop(
                self.shell,
                self.client,
                self.context,
                self.session,
                self.rights,
                rehearsal_budget=settings.rehearsal_budget,
                recording=self.recording() if settings.replay else None,
            )
            show = Show(view, self.shell)
            pushed = self.rights.history.pushed
            with closing(loop.answer(text, options, self._context_tokens())) as steps:
                reply: bool | None = None
                while True:
                    try:
                        event = steps.send(reply) if reply is not None or show.asked else next(steps)
                    except StopIteration:
                        break
                    ran = ran or isinstance(event, events.Running)
                    if isinstance(event, events.Ran) and self.rights.history.pushed > pushed:
                        self._ran.append(show.request)
                        self._views[show.request] = view
                        self._views = dict(list(self._views.items())[-len(self.rights.history) :])
                    show.asked = isinstance(event, events.Question)
                    reply = show.event(event)
            self._asked = loop.model or options.model
        except KeyboardInterrupt:
            said = "Interrupted while your code ran." if ran else "Interrupted; nothing was changed."
            raise AnswerStopped(said) from None
        except LLMOSError as error:
            view.about(state="failed", doing=str(error))
            raise AnswerFailed(str(error)) from error
        finally:
            view.abandon()
            self.busy = False
            self._view = None
        if show.failure:
            raise AnswerFailed(show.failure)

    def undo(self, number: str = "") -> list[str]:
        """Take back what the last answer did, or this one if it is the last; a sentence for each thing taken back.

        Raises LLMOSError, and takes nothing back, for an answer that others have run after.
        """
        history = self.rights.history
        if number:
            wanted = self.client.trace(number).task
            if wanted.id not in self._ran or not history:
                raise LLMOSError(f"Request {wanted.number} has nothing to undo: it did not run here, or is undone.")
            if self._ran[-1] != wanted.id:
                later = self.client.trace(self._ran[-1]).task.number
                raise LLMOSError(f"Answers that ran later are undone first: `%llmos undo` takes back request {later}.")
        left = len(history)
        notes = history.undo(self.shell)
        if len(history) < left:
            self.context.note(" ".join(["The user undid your last answer.", *notes]))
            if self._ran:
                self._undone(self._ran.pop())
        return notes

    def _undone(self, request: str) -> None:
        """What shows the answer says so, and the daemon learns of it. Nobody waits for that."""
        if view := self._views.pop(request, None):
            view.become(state="undone", changes=[])
        with suppress(LLMOSError):
            self.client.record(request, FeedbackRecord(feedback="undone"))

    def run(self, code: str, options: Options, *, background: bool, extra: Mapping[str, Any] | None = None) -> Handle:
        """Run Python as a task in a worker; in the background, or waiting for its end. `extra`: names that it reads
        beside the notebook's."""
        try:
            handle = self.background.submit(code, options, show=self._show, extra=extra)
        except LLMOSError as error:
            raise AnswerFailed(str(error)) from error
        except KeyboardInterrupt:
            raise AnswerStopped("Interrupted; nothing was changed.") from None
        if not background:
            self.wait(handle)
        return handle

    def wait(self, handle: Handle) -> None:
        """Wait for a task and merge its results. The stop button cancels it."""
        try:
            handle.wait()
        except KeyboardInterrupt:
            handle.cancel()
            handle.wait(5.0)
            raise AnswerStopped(f"Task {handle.number} was cancelled; nothing was changed.") from None
        handle.merge()
        handle.refresh()
        for sentence in handle.merged.sentences() if handle.merged else []:
            print(sentence)
        if handle.failure:
            raise AnswerFailed(handle.failure)

    def _show(self, board: Board) -> Callable[[], None]:
        """Show a board where the cell's output is; returns what shows it anew."""
        if not hasattr(self.shell, "kernel"):
            return lambda: None
        from IPython.display import display

        shown = display(board.bundle(), raw=True, display_id=True)
        return lambda: shown.update(board.bundle(), raw=True)

    def _show_answer(self, board: Board) -> Callable[[], None]:
        """The same, with the answer itself above it."""
        if not hasattr(self.shell, "kernel"):
            return lambda: None
        from IPython.display import display

        answered = display({"text/plain": ""}, raw=True, display_id=True)
        refresh_board = self._show(board)
        last: dict[str, Any] = {}

        def refresh() -> None:
            nonlocal last
            if board.answer is not None and board.answer != last:
                last = board.answer
                answered.update(last, raw=True)
            refresh_board()

        return refresh

    def recording(self) -> Recording:
        """The notebook's recorded answers."""
        return Recording(self._place.recording, Signatures(self._place.signatures))

    def options(self, given: dict[str, Any]) -> Options:
        """A request's options: what was given, then the notebook's model, then the user's settings."""
        settings = config.load()
        filled = {
            "mode": settings.mode,
            "priority": INTERACTIVE,
            "model": self.model or settings.model,
            "retries": None if settings.retries == "auto" else settings.retries,
            "timeout": settings.timeout,
            "max_tokens": settings.max_tokens,
            "temperature": settings.temperature,
        }
        return Options.model_validate(filled | given)

    def use(self, name: str) -> str:
        """Make this model the notebook's, and load it: a name, with `--device` and a device or a server's address, and
        `--pin` to keep it loaded. `--unpin` lets it go again, and changes nothing else. Returns a sentence."""
        name, pinned = pinning(name)
        name = model_on_device(name)
        chosen = name if split(name)[0] == "auto" else selection.resolve(name).name
        if pinned is False:
            self.client.pin(chosen, False)
            return f"{name} is ended again when other models need its memory, or when it is idle."
        self._view = view_for(self.shell)
        try:
            self._view.working(f"loading {name}")
            status = self.client.pin(chosen, True) if pinned else self.client.load(chosen)
        except KeyboardInterrupt:
            raise AnswerStopped("Interrupted; the model in use is the one it was.") from None
        finally:
            self._view.abandon()
            self._view = None
        self.model = chosen
        engine = status.serving(chosen)
        loaded = engine.model if engine else self.model
        notice = notice_once(self._means(self.model))
        where = f" on {engine.device}" if engine and split(chosen)[1] else ""
        stays = ", which stays loaded" if pinned else ""
        return f"This notebook now uses {loaded.partition('@')[0] if where else loaded}{where}{stays}." + (
            f" {notice}" if notice else ""
        )

    def _tell_of_server(self, options: Options) -> None:
        """Say once that words leave the machine, before they do."""
        if notice := notice_once(self._means(options.model)):
            print(notice)

    def _means(self, model: str) -> str:
        return config.load().model if split(model)[0] == "auto" else model

    def _context_tokens(self) -> int:
        """How long a prompt may be: what the engine of the notebook's model offers, or what it will."""
        settings = config.load()
        status = self.client.status()
        engine = status.serving(self._means(self.model or settings.model))
        return engine.context if engine and engine.context else settings.context_tokens

    def _say(self, text: str) -> None:
        if self._view:
            self._view.working(text)

    def ask(self, text: str, options: Options) -> Handle:
        """Answer a request in the background: the cell returns at once, the answer appears in its place."""
        try:
            self._tell_of_server(options)
            recording = self.recording() if config.load().replay else None
            self._use_kept(options)
            return self.background.ask(
                text, options, self.context, self._context_tokens(), recording, show=self._show_answer
            )
        except LLMOSError as error:
            raise AnswerFailed(str(error)) from error
        except KeyboardInterrupt:
            raise AnswerStopped("Interrupted; nothing was changed.") from None

    # --- between cells ----------------------------------------------------------------------

    def before_cell(self, count: int, cell_id: str | None) -> None:
        self.background.before_cell()
        self.context.note_cell(count, cell_id)
        self._in_cell(cell_id)
        if not self.busy:
            self._warmer.stop()

    def _in_cell(self, cell_id: str | None) -> None:
        """Requests come from this cell from now on."""
        self.session = self.background.session = self.session.model_copy(update={"cell": cell_id or ""})

    def after_cell(self, count: int, error: BaseException | None) -> None:
        """A cell of the user's, or of ours, has ended: let the engine read the news while the user reads the result."""
        if self.busy:
            return
        self.background.after_cell()
        if error is not None and not isinstance(error, (AnswerFailed, AnswerStopped)):
            self.context.note_error(count, error)
        if self._ran and self.context.is_edit(count):
            with suppress(LLMOSError):
                self.client.record(self._ran[-1], FeedbackRecord(feedback="edited"))
        if not self._asked:
            return
        try:
            settings = config.load()
            if not settings.warm:
                return
            turn = self.context.compose("", settings.context_tokens - settings.max_tokens)
        except LLMOSError:
            return
        self._warmer.start(self.context.prompt(turn), self._asked)


class Warmer:
    """Reads the next prompt's beginning into the engine's cache, in the background, until a cell starts."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._reading = threading.Event()

    def start(self, messages: list[Message], model: str) -> None:
        self.stop()
        self._stopped, self._reading = threading.Event(), threading.Event()
        self._thread(self._warm, messages, model, self._stopped, self._reading)

    def stop(self) -> None:
        """Returns at once: a cell must not start late for this."""
        self._stopped.set()
        if self._reading.is_set():
            self._reading.clear()
            self._thread(self._end)

    def _thread(self, target: Callable[..., None], *arguments: object) -> None:
        threading.Thread(target=target, args=arguments, name="llmos-warm", daemon=True).start()

    def _warm(self, messages: list[Message], model: str, stopped: threading.Event, reading: threading.Event) -> None:
        if stopped.wait(QUIET):
            return
        reading.set()
        # Nobody waits for this: what goes wrong here, the next request says.
        with closing(DaemonClient(start=False)) as client, suppress(LLMOSError):
            client.warm(messages, model)
        reading.clear()

    def _end(self) -> None:
        with closing(DaemonClient(start=False)) as client, suppress(LLMOSError):
            client.stop_warming()


def _session(shell: InteractiveShell) -> Session:
    pid = os.getpid()
    if hasattr(shell, "kernel"):
        from ipykernel.connect import get_connection_file

        identifier = re.sub(r"^kernel-", "", Path(get_connection_file()).stem)
    else:
        identifier = f"ipython-{pid}"
    name = str(notebook_file(shell) or "")
    return Session(id=identifier, notebook=name, pid=pid, started=started(pid))
