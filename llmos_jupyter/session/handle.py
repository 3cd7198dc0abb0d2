"""One background task of a notebook, as its Python code sees it: like a future."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, Protocol

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Task
from llmos_jupyter.protocol.jobs import Answered, Bundle, Ended
from llmos_jupyter.widgets.board import Board
from llmos_jupyter.workers import transfer
from llmos_jupyter.workers.fingerprints import Seen

log = logging.getLogger(__name__)


class TaskFailed(LLMOSError):
    """A background task did not end well; its message is the reason."""


class Home(Protocol):
    """The notebook a task was sent from, as far as its handle needs it: `background.Background`."""

    @property
    def namespace(self) -> dict[str, Any]:
        """The user's variables."""

    def handles(self, keys: Iterable[str]) -> list[Handle]:
        """The tasks of these numbers that this notebook submitted."""

    def cancel(self, number: int) -> None:
        """End a task, running or not."""

    def merge(self) -> None:
        """Merge what has come back."""

    def bring_in(self, results: Bundle, seen: Mapping[str, Seen | None], number: int, *, ours: bool) -> transfer.Merged:
        """Merge results and remove them from the disk. `ours`: the model wrote what made them."""

    def note_merged(self, merged: Handle) -> None:
        """Names that a task has changed are, for those that waited for it, as they were given them."""


class Handle:
    """One background task. Like a future: `done()`, `result()`, `cancel()`, and it can be awaited."""

    def __init__(
        self,
        home: Home,
        task: Task,
        board: Board,
        submission: transfer.Submission,
        commit: Callable[[Answered], None] = lambda answered: None,
    ) -> None:
        self._home = home
        self._commit = commit
        self.seen = submission.seen
        self.after = home.handles(task.options.after)
        self.id, self.number = task.id, task.number
        self.board = board
        self.ended: Ended | None = None
        self.merged: transfer.Merged | None = None
        self.failure = ""
        self.over = threading.Event()
        self._calling = threading.Lock()
        self._callbacks: list[Callable[[Handle], object]] = []
        self.refresh: Callable[[], None] = lambda: None

    def __repr__(self) -> str:
        return f"<llmos task {self.number}: {self.board.state}>"

    @property
    def state(self) -> str:
        return self.board.state

    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return self.over.is_set()

    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return not self.done() and self.board.began

    def cancelled(self) -> bool:
        return self.ended is not None and self.ended.state == "cancelled"

    def exception(self, timeout: float | None = None) -> TaskFailed | None:
        """Wait for the end; what `result` would raise, or nothing. Raises TimeoutError if it did not end in time."""
        try:
            self.result(timeout)
        except TaskFailed as failed:
            return failed
        return None

    def add_done_callback(self, call: Callable[[Handle], object]) -> None:
        """Call this with the handle when it has ended, in the thread that hears of it; at once if it has."""
        with self._calling:
            if not self.over.is_set():
                self._callbacks.append(call)
                return
        call(self)

    def end(self) -> None:
        """It has ended: wake those who wait."""
        with self._calling:
            self.over.set()
        for call in self._callbacks:
            try:
                call(self)
            except Exception:  # the caller's: as `concurrent.futures` does
                log.exception("a callback of task %s failed", self.number)

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
        for handle in [*self.after, self]:
            if not handle.wait(timeout):
                raise TimeoutError(f"Task {handle.number} is still {handle.board.state}: wait longer or cancel it.")
        self._home.merge()
        if self.failure:
            raise TaskFailed(self.failure)
        merged = self.merged or transfer.Merged()
        names = {name: name for name in merged.set} | merged.kept
        return {name: self._home.namespace[other] for name, other in names.items()}

    def cancel(self) -> None:
        self._home.cancel(self.number)

    def __await__(self) -> Generator[Any, None, dict[str, Any]]:
        while not self.over.is_set():
            yield from asyncio.sleep(0.05).__await__()
        return self.result()

    @property
    def settled(self) -> bool:
        """Whether nothing more will come into the notebook from it."""
        return self.over.is_set() and (self.merged is not None or self.ended is None or self.ended.results is None)

    def merge(self) -> None:
        """Bring the results into the notebook; once, and not before those of the tasks it waited for. In the main
        thread, while no cell of the user's runs."""
        if self.ended is None or self.ended.results is None or self.merged is not None:
            return
        if not all(handle.settled for handle in self.after):
            return
        results, answered = self.ended.results, self.ended.answered
        self.merged = self._home.bring_in(results, self.seen, self.number, ours=answered is not None)
        self.board.notes += self.merged.sentences()
        self._home.note_merged(self)
        if answered is not None:
            self._commit(answered)
