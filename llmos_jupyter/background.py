"""The background tasks of one notebook: submitted from it, shown in place, their results merged between two cells."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import threading
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from llmos_jupyter import paths
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.privacy import mask
from llmos_jupyter.protocol import Capability, Options, Request, Session, Task
from llmos_jupyter.widgets.board import Board
from llmos_jupyter.workers import transfer
from llmos_jupyter.workers.messages import Ended, Grants, Job, Limits

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from llmos_jupyter.agent.running import Rights

# Seconds between two refreshes of what is shown: a loop that prints must not flood the browser.
REFRESH = 0.2


class TaskFailed(LLMOSError):
    """A background task did not end well; its message is the reason."""


class Handle:
    """One background task. Like a future: `done()`, `result()`, `cancel()`, and it can be awaited."""

    def __init__(self, background: Background, task: Task, board: Board, submission: transfer.Submission) -> None:
        self._background = background
        self._submission = submission
        self.id, self.number = task.id, task.number
        self.board = board
        self.ended: Ended | None = None
        self.merged: transfer.Merged | None = None
        self.failure = ""
        self.over = threading.Event()
        self.refresh: Callable[[], None] = lambda: None

    def __repr__(self) -> str:
        return f"<llmos task {self.number}: {self.board.state}>"

    @property
    def state(self) -> str:
        return self.board.state

    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return self.over.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; returns whether it came. Can be interrupted."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self.over.wait(0.1):
            if deadline is not None and time.monotonic() > deadline:
                return False
        return True

    def result(self, timeout: float | None = None) -> dict[str, Any]:
        """Wait, and give the names that came back with their values. They stand in the notebook as well.

        Raises TaskFailed if it did not end well, TimeoutError if it did not end in time.
        """
        if not self.wait(timeout):
            raise TimeoutError(f"Task {self.number} is still {self.board.state}: wait longer or cancel it.")
        self._background.merge()
        if self.failure:
            raise TaskFailed(self.failure)
        merged = self.merged or transfer.Merged()
        names = {name: name for name in merged.set} | merged.kept
        return {name: self._background.namespace[other] for name, other in names.items()}

    def cancel(self) -> None:
        self._background.client.cancel(str(self.number))

    def __await__(self) -> Generator[Any, None, dict[str, Any]]:
        while not self.over.is_set():
            yield from asyncio.sleep(0.05).__await__()
        return self.result()

    def merge(self) -> None:
        """Bring the results into the notebook; once. In the main thread, while no cell of the user's runs."""
        if self.ended is None or self.ended.results is None or self.merged is not None:
            return
        self.merged = transfer.merge(self._background.namespace, self.ended.results, self._submission.seen, self.number)
        shutil.rmtree(self.ended.results.folder, ignore_errors=True)
        self.board.notes += self.merged.sentences()


class Background:
    """Submits, follows and merges the background tasks of one shell."""

    def __init__(self, shell: InteractiveShell, client: DaemonClient, session: Session, rights: Rights) -> None:
        self._shell = shell
        self.client = client
        self._session = session
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
        identifier = uuid.uuid4().hex
        folder = paths.jobs_dir() / identifier
        try:
            submission = transfer.pack(self._shell.transform_cell(code), {**self.namespace, **(extra or {})}, folder)
        except SyntaxError as error:
            raise LLMOSError(f"This is not valid Python on line {error.lineno}: {error.msg}.") from error
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        job = Job(
            id=identifier,
            code=code,
            variables=submission.bundle,
            binds=sorted(submission.names.binds),
            touches=sorted(submission.names.touches),
            folder=os.getcwd(),
            search_path=[path for path in sys.path if path],
            grants=self._granted(),
            limits=Limits(cores=options.cores, memory_bytes=options.memory_bytes),
        )
        request = Request(id=identifier, kind="run", text=mask(code)[:200_000], options=options, session=self._session)
        try:
            task = self.client.submit_job(request, job)
        except LLMOSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        handle = Handle(self, task, Board(f"task {task.number}"), submission)
        self._open.append(handle)
        handle.refresh = show(handle.board)
        threading.Thread(target=self._follow, args=(handle,), name=f"llmos-task-{task.number}", daemon=True).start()
        return handle

    def handle(self, key: str) -> Handle | None:
        """The task of this number, if this notebook submitted it."""
        return next((handle for handle in self._open if key in (handle.id, str(handle.number))), None)

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
        handle.over.set()
        self._merge_when_idle(handle)

    def _merge_when_idle(self, handle: Handle) -> None:
        """In the kernel's main thread, between two cells; where there is no such loop, the next cell merges."""

        def merge() -> None:
            if not self._in_cell:
                handle.merge()
            handle.refresh()

        loop = getattr(getattr(self._shell, "kernel", None), "io_loop", None)
        if loop is not None:
            loop.add_callback(merge)
        else:
            handle.refresh()

    def _granted(self) -> Grants:
        """What the user has granted, and the working directory unless an administrator forbids writing: the cell is
        the user's own code."""
        grants = self._rights.grants
        return Grants(
            write=[os.getcwd()] if self._rights.caps.permits(Capability.WRITE_FILES) else [],
            network=grants.permits(Capability.NETWORK, ""),
            processes=grants.permits(Capability.PROCESSES, ""),
        )
