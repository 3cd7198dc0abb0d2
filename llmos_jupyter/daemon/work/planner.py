"""When each of the next steps will run: the list scheduler's own order, improved by CP-SAT where that pays."""

from __future__ import annotations

import time
from dataclasses import replace

from llmos_jupyter.scheduling.dispatch.online import ListScheduler
from llmos_jupyter.scheduling.improving.background import Improvement
from llmos_jupyter.scheduling.plan import Goal, Plan, timetable
from llmos_jupyter.scheduling.problem import Problem

# Steps that are planned ahead. Beyond 30 CP-SAT finds nothing in a second that the list has not.
AHEAD = 30
# Seconds between two plans while things keep changing.
EVERY = 1.0
# A better plan is looked for where at least so many steps wait for at least so many seconds of work: below that the
# search costs more than it saves.
LEAST_STEPS, LEAST_SECONDS = 3, 20.0
# Seconds and processors of one search.
SEARCH_SECONDS, SEARCH_WORKERS = 1.0, 1


class Planner:
    """Keeps the plan of one scheduler. `changed` is cheap; the work is done in `plan`, at most once in EVERY."""

    def __init__(self) -> None:
        self._stale = True
        self._last = float("-inf")
        self._search: Improvement | None = None
        self._quiet = True

    def changed(self) -> None:
        """Something happened: the plan, and a search for a better one, are about what was."""
        self._stale = True

    def quiet(self, quiet: bool) -> None:
        """Whether the processors are free for a search: not while the model writes on them."""
        self._quiet = quiet
        if not quiet:
            self.stop()

    def found(self) -> Plan | None:
        """A better plan, once, if one was found and nothing has changed since."""
        if self._search is None:
            return None
        if self._stale:
            self.stop()
            return None
        plan = self._search.result()
        if plan is not None or not self._search.running:
            self.stop()
        return plan

    def plan(self, scheduler: ListScheduler, now: float) -> Plan:
        """The next steps in the scheduler's own order; nothing if nothing has changed since the last one."""
        if not self._stale or time.monotonic() - self._last < EVERY or not scheduler.waiting():
            return {}
        self._stale, self._last = False, time.monotonic()
        self.stop()
        problem = scheduler.window(AHEAD, now)
        plan = timetable(problem, [(step.id, None) for step in problem.ordered()])
        self._improve(problem)
        return plan

    def stop(self) -> None:
        if self._search is not None:
            self._search.cancel()
            self._search = None

    def _improve(self, problem: Problem) -> None:
        if not self._quiet:
            return
        movable = _movable(problem)
        waiting = [step for step in movable.steps if step.id not in movable.running]
        work = sum(min(option.duration for option in step.options.values()) for step in waiting)
        placed = any(step.priority % 1 for step in waiting)  # by the user, whose order is not improved upon
        if placed or len(waiting) < LEAST_STEPS or work < LEAST_SECONDS:
            return
        incumbent = timetable(movable, [(step.id, None) for step in movable.ordered()])
        self._search = Improvement(movable, incumbent, Goal.FLOW, seconds=SEARCH_SECONDS, workers=SEARCH_WORKERS)


def _movable(problem: Problem) -> Problem:
    """Without the steps of undivided resources: who gives way to whom there is not a question of time alone."""
    kept = [step for step in problem.steps if not any(problem.resource[name].undivided for name in step.options)]
    names = {step.id for step in kept}
    steps = tuple(replace(step, after=tuple(name for name in step.after if name in names)) for step in kept)
    return replace(problem, steps=steps, running=problem.running & names)
