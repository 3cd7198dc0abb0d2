"""A problem as a CP-SAT model: optional intervals on resources, and what they share. ortools is imported here only.

A model works in whole ticks: the longest of 1, 0.1, 0.01 and 0.001 s of which all times are multiples, else 0.001 s,
with durations rounded up. What it finds is therefore always possible, and optimal to that resolution.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from ortools.sat.python import cp_model

from llmos_jupyter.scheduling.plan import Placement, Plan, place, possible
from llmos_jupyter.scheduling.problem import Problem, Resource, Step, chain

TICKS = (1.0, 0.1, 0.01, 0.001)
# Parts of a core and of a MiB that the model tells apart.
CORE_PARTS = 1000
MIB = 1 << 20


class TimedModel:
    """Start, resource and finish of every step, with all that the problem demands of them.

    must_run: every step is placed; else each may be left out (and then nothing that waits for it can be placed).
    deadlines: as hard limits. horizon: seconds after `now` by which all is done; None: long enough for any order.
    """

    def __init__(
        self, problem: Problem, *, must_run: bool = True, deadlines: bool = True, horizon: float | None = None
    ) -> None:
        self.problem = problem
        self.model = cp_model.CpModel()
        self.tick = _tick(problem)
        self._last = self.ticks_up(_horizon(problem) if horizon is None else horizon)
        self.start: dict[str, Any] = {}
        self.finish: dict[str, Any] = {}
        self.chosen: dict[str, Any] = {}
        self.on: dict[tuple[str, str], Any] = {}
        self._intervals: dict[tuple[str, str], Any] = {}
        for step in problem.steps:
            self._add_step(step, must_run, deadlines)
        for step in problem.steps:
            for before in step.after:
                self._add_precedence(before, step.id, must_run)
        for resource in problem.resources:
            self._add_capacities(resource)

    def _add_step(self, step: Step, must_run: bool, deadlines: bool) -> None:
        model, name = self.model, step.id
        first = self.ticks_up(max(0.0, step.release - self.problem.now))
        last = self._last
        if deadlines and step.deadline is not None:
            last = min(last, math.floor((step.deadline - self.problem.now) / self.tick + 1e-6))
        start = self.start[name] = model.new_int_var(first, max(first, self._last), f"start of {name}")
        finish = self.finish[name] = model.new_int_var(0, self._last, f"finish of {name}")
        alternatives = []
        for resource in possible(self.problem, step):
            on = self.on[name, resource] = model.new_bool_var(f"{name} on {resource}")
            alternatives.append(on)
            option = step.options[resource]
            duration, wait = self.ticks_up(option.duration), self.ticks_up(option.wait)
            if duration == wait:
                interval = model.new_optional_interval_var(start, duration, finish, on, f"{name} at {resource}")
            else:
                interval = model.new_optional_fixed_size_interval_var(start, duration, on, f"{name} at {resource}")
                model.add(finish == start + wait).only_enforce_if(on)
            self._intervals[name, resource] = interval
        if name in self.problem.running:
            model.add(start == 0)
        if must_run:
            self.chosen[name] = model.new_constant(1)
            model.add_exactly_one(alternatives)
            model.add(finish <= last)
        else:
            chosen = self.chosen[name] = model.new_bool_var(f"{name} runs")
            model.add(sum(alternatives) == chosen)
            model.add(finish <= last).only_enforce_if(chosen)

    def _add_precedence(self, before: str, after: str, must_run: bool) -> None:
        constraint = self.model.add(self.start[after] >= self.finish[before])
        if not must_run:
            constraint.only_enforce_if(self.chosen[after])
            self.model.add_implication(self.chosen[after], self.chosen[before])

    def _add_capacities(self, resource: Resource) -> None:
        own = [interval for (_, name), interval in self._intervals.items() if name == resource.id]
        if resource.slots == 1:
            self.model.add_no_overlap(own)
        elif len(own) > resource.slots:
            self.model.add_cumulative(own, [1] * len(own), resource.slots)
        inside = [
            (name, where)
            for name, where in self._intervals
            if any(around.id == resource.id for around in chain(where, self.problem.resource))
        ]
        step = self.problem.step
        if resource.memory is not None:
            self._limit(((k, _up(step[k[0]].memory / MIB)) for k in inside), _down(resource.memory / MIB))
        if resource.gpus is not None:
            self._limit(((k, step[k[0]].gpus) for k in inside), resource.gpus)
        if resource.cores is not None:
            demands = {k: _up(step[k[0]].cores * CORE_PARTS) for k in inside}
            for holding in self._holding(resource, inside):
                held = {k: _up(self.problem.resource[k[1]].held_cores * CORE_PARTS) for k in holding}
                self._limit(((k, demands[k] + held.get(k, 0)) for k in inside), _down(resource.cores * CORE_PARTS))

    def _holding(self, resource: Resource, inside: Sequence[tuple[str, str]]) -> Iterable[list[tuple[str, str]]]:
        """Sets of steps that hold cores for their resource at the same moment: at most one for each resource.

        Cores held while anything runs are counted once. So the limit must hold whichever of a resource's steps is
        taken for the one that holds them.
        """
        holders = [
            [key for key in inside if key[1] == other.id]
            for other in self.problem.resources
            if other.held_cores and other.id != resource.id
        ]
        always = [key for group in holders if group and self.problem.resource[group[0][1]].slots == 1 for key in group]
        groups = [group for group in holders if group and self.problem.resource[group[0][1]].slots > 1]
        for one_each in product(*groups):
            yield [*always, *one_each]

    def _limit(self, demands: Iterable[tuple[tuple[str, str], int]], limit: int) -> None:
        wanted = {key: demand for key, demand in demands if demand > 0}
        if sum(wanted.values()) > limit:
            self.model.add_cumulative([self._intervals[key] for key in wanted], list(wanted.values()), limit)

    def makespan(self) -> Any:
        """A variable that is at least every finish, in ticks."""
        last = self.model.new_int_var(0, self._last, "makespan")
        for finish in self.finish.values():
            self.model.add(last >= finish)
        return last

    def flow(self, step: Step) -> Any:
        """Ticks from the release of a step to its result, 0 if it is left out."""
        flow = self.model.new_int_var(0, self._last + self.ticks_up(max(0.0, self.problem.now - step.release)), "flow")
        offset = self.ticks_up(step.release) - self.ticks_up(self.problem.now)
        self.model.add(flow >= self.finish[step.id] - offset).only_enforce_if(self.chosen[step.id])
        return flow

    def lateness(self, step: Step) -> Any:
        """Ticks from the deadline of a step to its result, at least 0."""
        late = self.model.new_int_var(0, self._last, "late")
        if step.deadline is not None:
            limit = math.floor((step.deadline - self.problem.now) / self.tick + 1e-6)
            self.model.add(late >= self.finish[step.id] - limit).only_enforce_if(self.chosen[step.id])
        return late

    def hint(self, plan: Plan) -> None:
        """Start the search from this plan."""
        self.model.clear_hints()
        for (name, resource), on in self.on.items():
            placement = plan.get(name)
            self.model.add_hint(on, placement is not None and placement.resource == resource)
        for name, placement in plan.items():
            self.model.add_hint(self.start[name], round((placement.start - self.problem.now) / self.tick))
            self.model.add_hint(self.finish[name], round((placement.finish - self.problem.now) / self.tick))

    def solve(self, *, seconds: float | None = None, workers: int = 1, seed: int = 0) -> tuple[str, Any]:
        """("optimal" | "feasible" | "infeasible" | "unknown", the solver with its values)."""
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = workers
        solver.parameters.random_seed = seed
        if seconds is not None:
            solver.parameters.max_time_in_seconds = seconds
        status = solver.solve(self.model)
        names: Mapping[Any, str] = {
            cp_model.OPTIMAL: "optimal",
            cp_model.FEASIBLE: "feasible",
            cp_model.INFEASIBLE: "infeasible",
        }
        return names.get(status, "unknown"), solver

    def plan(self, solver: Any) -> dict[str, Placement]:
        """The plan that a solver found."""
        return {
            name: place(
                self.problem.step[name], resource, self.problem.now + solver.value(self.start[name]) * self.tick
            )
            for (name, resource), on in self.on.items()
            if solver.value(on)
        }

    def ticks_up(self, seconds: float) -> int:
        return math.ceil(seconds / self.tick - 1e-6)


def _tick(problem: Problem) -> float:
    times = {problem.now}
    for step in problem.steps:
        times.add(step.release)
        if step.deadline is not None:
            times.add(step.deadline)
        for option in step.options.values():
            times |= {option.duration, option.wait}
    return next((tick for tick in TICKS if all(abs(t / tick - round(t / tick)) < 1e-6 for t in times)), TICKS[-1])


def _horizon(problem: Problem) -> float:
    """Everything one after the other, each where it takes longest, once all have been released."""
    latest = max((step.release for step in problem.steps), default=0.0)
    longest = sum(max(option.wait for option in step.options.values()) + TICKS[-1] for step in problem.steps)
    return max(0.0, latest - problem.now) + longest


def _up(value: float) -> int:
    return math.ceil(value - 1e-6)


def _down(value: float) -> int:
    return math.floor(value + 1e-6)
