"""The static form of the models: an assignment problem where it is one, else a mixed-integer program for HiGHS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import Bounds, LinearConstraint, linear_sum_assignment, milp

from llmos_jupyter.scheduling.choice.terms import Aim, Terms, coefficient, impossible
from llmos_jupyter.scheduling.dispatch.capacity import TOLERANCE
from llmos_jupyter.scheduling.plan import possible
from llmos_jupyter.scheduling.problem import Problem, Step, chain

# How far a later aim may push an earlier one from its optimum, relative: HiGHS's own tolerance is 1e-6.
SLACK = 1e-6


def solve(problem: Problem, stages: Sequence[Mapping[Aim, float]], terms: Terms) -> dict[str, str]:
    """The resource of each chosen step. Raises LLMOSError if nothing satisfies the terms."""
    if len(stages) == 1 and _is_assignment(problem, terms):
        return _assign(problem, stages[0], terms)
    return _Program(problem, terms).solve(stages)


def eligible(problem: Problem, step: Step) -> list[str]:
    """The resources that could run the step, and in time if it started at its release."""
    begin = max(problem.now, step.release)
    return [
        name
        for name in possible(problem, step)
        if step.deadline is None or begin + step.options[name].wait <= step.deadline + TOLERANCE
    ]


def _is_assignment(problem: Problem, terms: Terms) -> bool:
    """Whether the only limit is how many steps a resource may have."""
    shared = any(step.cores or step.memory or step.gpus for step in problem.steps)
    holding = any(resource.held_cores for resource in problem.resources)
    return terms.must_run and not shared and not holding and terms.cost_budget is None and terms.delay_budget is None


def _assign(problem: Problem, stage: Mapping[Aim, float], terms: Terms) -> dict[str, str]:
    """Steps against places: a resource has as many places as its capacity, and no more than there are steps."""
    count = len(problem.steps)
    places = [
        resource.id
        for resource in problem.resources
        for _ in range(min(count, max(0, terms.capacity.get(resource.id, count))))
    ]
    cost = np.full((count, len(places)), np.inf)
    for row, step in enumerate(problem.steps):
        values = {name: _value(stage, problem, row, name) for name in eligible(problem, step)}
        cost[row] = [values.get(name, np.inf) for name in places]
    if len(places) < count:
        raise impossible()
    try:
        rows, columns = linear_sum_assignment(cost)
    except ValueError as error:  # no assignment avoids every infinity
        raise impossible() from error
    return {problem.steps[row].id: places[column] for row, column in zip(rows, columns, strict=True)}


def _value(stage: Mapping[Aim, float], problem: Problem, row: int, name: str) -> float:
    step = problem.steps[row]
    return sum(weight * coefficient(aim, step, step.options[name]) for aim, weight in stage.items())


class _Program:
    """Binary x_tr for each eligible pair, then binary y_r for each resource that holds cores while it is used."""

    def __init__(self, problem: Problem, terms: Terms) -> None:
        self.problem = problem
        self.pairs = [(row, name) for row, step in enumerate(problem.steps) for name in eligible(problem, step)]
        self.holders = [resource.id for resource in problem.resources if resource.held_cores]
        self.size = len(self.pairs) + len(self.holders)
        self.constraints: list[LinearConstraint] = []
        for row in range(len(problem.steps)):
            self._limit([float(pair[0] == row) for pair in self.pairs], 1.0, lower=1.0 if terms.must_run else 0.0)
        place_of = {step.id: row for row, step in enumerate(problem.steps)}
        for row, step in enumerate(problem.steps):
            for before in step.after:  # what is left out cannot be waited for
                self._limit([float(pair[0] == row) - float(pair[0] == place_of[before]) for pair in self.pairs], 0.0)
        for resource in problem.resources:
            self._resource(resource.id, terms)
        for place, holder in enumerate(self.holders):
            for column, pair in enumerate(self.pairs):
                if pair[1] == holder:
                    used = np.zeros(self.size)
                    used[column], used[len(self.pairs) + place] = 1.0, -1.0
                    self._limit(used, 0.0)
        for aim, budget in ((Aim.COST, terms.cost_budget), (Aim.DELAY, terms.delay_budget)):
            if budget is not None:
                options = [problem.steps[row].options[name] for row, name in self.pairs]
                self._limit([option.cost if aim is Aim.COST else option.wait for option in options], budget)

    def _resource(self, name: str, terms: Terms) -> None:
        resource = self.problem.resource[name]
        around = {other: {r.id for r in chain(other, self.problem.resource)} for other in self.problem.resource}
        inside = [name in around[where] for _, where in self.pairs]
        steps = [self.problem.steps[row] for row, _ in self.pairs]
        if name in terms.capacity:
            self._limit([float(where == name) for _, where in self.pairs], terms.capacity[name])
        if resource.memory is not None:
            # In units of the limit: HiGHS's tolerances are absolute, and memory is counted in bytes.
            unit = resource.memory or 1.0
            demands = [step.memory / unit * within for step, within in zip(steps, inside, strict=True)]
            self._limit(demands, resource.memory / unit)
        if resource.gpus is not None:
            self._limit([step.gpus * within for step, within in zip(steps, inside, strict=True)], resource.gpus)
        if resource.cores is not None:
            cores = [step.cores * within for step, within in zip(steps, inside, strict=True)]
            held = [
                self.problem.resource[holder].held_cores * (holder != name and name in around[holder])
                for holder in self.holders
            ]
            self._limit([*cores, *held], resource.cores)

    def _limit(self, row: ArrayLike, upper: float, *, lower: float = -np.inf) -> None:
        """Add lower <= row . (x, y) <= upper; a shorter row speaks of x alone."""
        given = np.asarray(row, dtype=float)
        full = np.zeros(self.size)
        full[: len(given)] = given
        self.constraints.append(LinearConstraint(full, lower, upper))

    def solve(self, stages: Sequence[Mapping[Aim, float]]) -> dict[str, str]:
        chosen = np.zeros(self.size)
        for stage in stages:
            goal = np.zeros(self.size)
            goal[: len(self.pairs)] = [_value(stage, self.problem, row, name) for row, name in self.pairs]
            result = milp(goal, integrality=np.ones(self.size), bounds=Bounds(0, 1), constraints=self.constraints)
            if result.x is None:
                raise impossible()
            chosen = np.round(result.x)
            best = float(goal @ chosen)
            self._limit(goal, best + SLACK * max(1.0, abs(best)))
        return {
            self.problem.steps[row].id: name
            for (row, name), taken in zip(self.pairs, chosen[: len(self.pairs)], strict=True)
            if taken
        }
