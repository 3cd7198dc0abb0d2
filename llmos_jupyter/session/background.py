"""The background tasks of one notebook: submitted from it, shown in place, their results merged between two cells."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmos_jupyter import paths
from llmos_jupyter.agent.describe.variables import user_variables
from llmos_jupyter.agent.replay.dependencies import asked_hash
from llmos_jupyter.agent.replay.recording import Recorded, Recording
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.privacy.masking import mask
from llmos_jupyter.protocol import Capability, Options, Request, Session, Task
from llmos_jupyter.protocol.jobs import Answered, Bundle, Grants, Job, Limits
from llmos_jupyter.session import foreign_results
from llmos_jupyter.session.handle import Handle
from llmos_jupyter.text import readable
from llmos_jupyter.widgets.board import Board
from llmos_jupyter.workers import transfer
from llmos_jupyter.workers.fingerprints import Seen

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from llmos_jupyter.agent.context.notebook_context import NotebookContext
    from llmos_jupyter.agent.run.running import Rights

log = logging.getLogger(__name__)

# Seconds between two refreshes of what is shown: a loop that prints must not flood the browser.
REFRESH = 0.2


def _everything(shell: InteractiveShell) -> dict[str, Any]:
    """The user's variables and imports: the code that will want some of them is not written yet."""
    variables = user_variables(shell.user_ns, shell.user_ns_hidden)
    modules = {
        name: value
        for name, value in shell.user_ns.items()
        if not name.startswith("_") and name not in shell.user_ns_hidden and name not in variables
    }
    return {**modules, **variables}


class Background:
    """Submits, follows and merges the background tasks of one shell."""

    def __init__(self, shell: InteractiveShell, client: DaemonClient, session: Session, rights: Rights) -> None:
        self._shell = shell
        self.client = client
        self.session = session
        self._rights = rights
        self._open: list[Handle] = []
        self._in_cell = False

    @property
    def namespace(self) -> dict[str, Any]:
        namespace: dict[str, Any] = self._shell.user_ns
        return namespace

    def submit(
        self,
        code: str,
        options: Options,
        *,
        show: Callable[[Board], Callable[[], None]],
        extra: Mapping[str, Any] | None = None,
    ) -> Handle:
        """Send a cell to a worker. `show` is given the board once and returns what refreshes it; `extra`: names that
        the code reads beside the notebook's.

        Raises LLMOSError for code that is none, variables that cannot go, options that can never be met.
        """
        options = self._numbered(options)
        identifier = uuid.uuid4().hex
        folder = paths.jobs_dir() / identifier
        try:
            submission = transfer.pack(self._shell.transform_cell(code), {**self.namespace, **(extra or {})}, folder)
        except SyntaxError as error:
            raise LLMOSError(f"This is not valid Python on line {error.lineno}: {error.msg}.") from error
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        job = self._job(identifier, code, submission, options, own_code=True)
        request = Request(id=identifier, kind="run", text=mask(code)[:200_000], options=options, session=self.session)
        task = self._send(request, job, folder)
        return self._begin(Handle(self, task, Board(f"task {task.number}"), submission), show)

    def ask(
        self,
        text: str,
        options: Options,
        context: NotebookContext,
        context_tokens: int,
        recording: Recording | None,
        *,
        show: Callable[[Board], Callable[[], None]],
    ) -> Handle:
        """Send a request in words to a worker, with copies of the notebook's variables.

        Raises LLMOSError for a request that cannot be read, or options that can never be met.
        """
        from llmos_jupyter.session import asking

        text = readable(text)
        if not text.strip():
            raise LLMOSError("The request has no readable words: write what you want in any language.")
        options = self._numbered(options).model_copy(update={"background": True})
        room = max(context_tokens - options.max_tokens - 100, 256)
        turn = context.compose(text, room, context=options.context, use=options.use)
        identifier = uuid.uuid4().hex
        folder = paths.jobs_dir() / identifier
        grants = self._rights.grants
        asked = asking.Asked(
            identifier, text, options, self.session, turn, context.prompt(turn), context.answers,
            self._rights.caps, grants, recording,
        )  # fmt: skip
        try:
            submission = transfer.pack_known({asking.NAME: asked, **_everything(self._shell)}, folder)
            job = self._job(identifier, asking.CODE, submission, options, own_code=False)
            request = Request(id=identifier, text=mask(text), options=options, session=self.session)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        task = self._send(request, job, folder)
        board = Board(f"task {task.number}")
        board.notes += [
            f"`{one.name}` could not be sent ({one.reason}): the answer does without it."
            for one in submission.bundle.missing
        ]

        def commit(answered: Answered) -> None:
            if answered.reply:
                context.commit(turn, answered.reply, answered.shown)
            if recording and answered.recorded:
                _record(answered.recorded, asked_hash(turn.request, options), recording, board)

        return self._begin(Handle(self, task, board, submission, commit), show)

    def _numbered(self, options: Options) -> Options:
        """Options in which `last` is the number of this notebook's last task. Raises LLMOSError if there is none."""
        if "last" not in options.after:
            return options
        if not self._open:
            raise LLMOSError("This notebook has no background task yet that `--after last` could wait for.")
        last = str(self._open[-1].number)
        return options.model_copy(update={"after": [last if key == "last" else key for key in options.after]})

    def _send(self, request: Request, job: Job, folder: Path) -> Task:
        """Submit a job; if that fails, or is interrupted, nothing is left of it."""
        try:
            return self.client.submit_job(request, job)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, KeyboardInterrupt):
                with suppress(LLMOSError):  # it may have arrived, or not
                    self.client.cancel(request.id)
            raise

    def _begin(self, handle: Handle, show: Callable[[Board], Callable[[], None]]) -> Handle:
        self._open.append(handle)
        handle.refresh = show(handle.board)
        threading.Thread(target=self._follow, args=(handle,), name=f"llmos-task-{handle.number}", daemon=True).start()
        return handle

    def bring_in(self, results: Bundle, seen: Mapping[str, Seen | None], number: int, *, ours: bool) -> transfer.Merged:
        """Merge results and remove them from the disk. `ours`: the model wrote what made them."""
        if ours:
            merged = foreign_results.merge(self._shell, results, seen, number)
        else:
            merged = transfer.merge(self.namespace, results, seen, number)
        shutil.rmtree(results.folder, ignore_errors=True)
        return merged

    def cancel(self, number: int) -> None:
        """End a task, running or not."""
        self.client.cancel(str(number))

    def handles(self, keys: Iterable[str]) -> list[Handle]:
        """The tasks of these numbers that this notebook submitted."""
        return [handle for key in keys if (handle := self.handle(key)) is not None]

    def note_merged(self, merged: Handle) -> None:
        """Names that a task has changed are, for those that waited for it, as they were given them."""
        for handle in self._open:
            if merged in handle.after and merged.merged is not None:
                handle.seen |= {name: Seen(self.namespace[name]) for name in merged.merged.set}

    def handle(self, key: str) -> Handle | None:
        """The task of this number, if this notebook submitted it."""
        return next((handle for handle in self._open if key in (handle.id, str(handle.number))), None)

    def unsettled(self) -> list[str]:
        """The numbers of the tasks from which something may still come into this notebook."""
        return [str(handle.number) for handle in self._open if not handle.settled]

    def before_cell(self) -> None:
        self.merge()
        self._in_cell = True

    def after_cell(self) -> None:
        self._in_cell = False
        self.merge()

    def merge(self) -> None:
        """Merge what has come back."""
        for handle in self._open:
            handle.merge()

    # --- following --------------------------------------------------------------------------

    def _follow(self, handle: Handle) -> None:
        last = 0.0
        try:
            # A client of its own: a connection serves one thread.
            with closing(DaemonClient()) as client:
                for item in client.outputs(str(handle.number)):
                    if item.type == "ended":
                        handle.ended = item
                        break
                    handle.board.add(item.item)
                    if time.monotonic() - last > REFRESH:
                        handle.refresh()
                        last = time.monotonic()
        except LLMOSError as error:
            handle.failure = str(error)
            handle.board.state = str(error)
        if handle.ended:
            handle.board.end(handle.ended)
            handle.failure = "" if handle.ended.state == "done" else handle.ended.message
            if (answered := handle.ended.answered) is not None and answered.finish.state != "done":
                handle.failure = answered.finish.reason
        handle.end()
        self._merge_when_idle(handle)

    def _merge_when_idle(self, handle: Handle) -> None:
        """In the kernel's main thread, between two cells; where there is no such loop, the next cell merges."""

        def merge() -> None:
            if not self._in_cell:
                self.merge()
            handle.refresh()

        loop = getattr(getattr(self._shell, "kernel", None), "io_loop", None)
        if loop is not None:
            loop.add_callback(merge)
        else:
            handle.refresh()

    def _job(
        self, identifier: str, code: str, submission: transfer.Submission, options: Options, *, own_code: bool
    ) -> Job:
        """`own_code`: the user wrote what runs; if not, the model will, once the worker has locked itself in."""
        return Job(
            id=identifier,
            code=code,
            variables=submission.bundle,
            binds=sorted(submission.names.binds),
            touches=sorted(submission.names.touches),
            folder=os.getcwd(),
            search_path=[path for path in sys.path if path],
            grants=self._granted(own_code=own_code),
            limits=Limits(cores=options.cores, memory_bytes=options.memory_bytes),
            lock_later=not own_code,
            repeatable=own_code,
        )

    def _granted(self, *, own_code: bool) -> Grants:
        """What the user has granted; to code of their own, unless an administrator forbids writing, the working
        directory as well."""
        grants = self._rights.grants
        folders = grants.folders(Capability.WRITE_FILES)
        if own_code and self._rights.caps.permits(Capability.WRITE_FILES):
            folders.append(os.getcwd())
        return Grants(
            write=folders,
            network=grants.permits(Capability.NETWORK, ""),
            processes=grants.permits(Capability.PROCESSES, ""),
        )


def _record(answer: str, asked: str, recording: Recording, board: Board) -> None:
    """Add an answer that a worker recorded. `asked`: the hash of what it was asked: code of the model's ran where this
    comes from, so that it has no say in the answers to other requests."""
    try:
        recorded = Recorded.model_validate_json(answer)
        if recorded.asked == asked:
            recording.add(recorded)
    except LLMOSError as error:  # the answer is good; that it cannot be replayed is told
        board.notes.append(str(error))
