"""Looking for a better plan in a process of its own, so that whoever decides is never held up by it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from multiprocessing.connection import Connection

from llmos_jupyter.scheduling.improving import solver
from llmos_jupyter.scheduling.plan import Goal, Plan
from llmos_jupyter.scheduling.problem import Problem

# What work is for goes before what plans it.
NICENESS = 10
# Beyond its time limit a process has so many seconds to start, and to send what it found.
GRACE = 5.0


class Improvement:
    """A search that has been started. Ask `result` now and then; `cancel` when the plan is no longer of use."""

    def __init__(
        self, problem: Problem, incumbent: Plan, goal: Goal = Goal.FLOW, *, seconds: float = 2.0, workers: int = 2
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_improve, args=(theirs, problem, incumbent, goal, seconds, workers))
        self._process.start()
        theirs.close()
        self._until = time.monotonic() + seconds + GRACE
        self._found: Plan | None = None

    @property
    def running(self) -> bool:
        """Whether `result` may still change."""
        self.result()
        return self._process.is_alive() and self._found is None

    def result(self) -> Plan | None:
        """The better plan; None while there is none, and for good if none was found in time or the search died."""
        ended = not self._process.is_alive()  # asked before the pipe: it may send and end in between
        if self._found is None and not self._pipe.closed and self._pipe.poll():
            with contextlib.suppress(EOFError):
                self._found = self._pipe.recv()
        if self._found is not None or ended or time.monotonic() > self._until:
            self.cancel()
        return self._found

    def cancel(self) -> None:
        """End the search. Returns within moments; may be called again."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._pipe.close()


def _improve(pipe: Connection, problem: Problem, incumbent: Plan, goal: Goal, seconds: float, workers: int) -> None:
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    found = solver.improve(problem, incumbent, goal, seconds=seconds, workers=workers)
    if goal.of(problem, found) < goal.of(problem, incumbent):
        pipe.send(dict(found))
