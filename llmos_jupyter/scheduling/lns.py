"""Large neighbourhood search with CP-SAT: some 25 steps are planned anew, the others keep their resource and order.

Up to that many steps are solved whole, hinted with the plan there is.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import Any

from llmos_jupyter.scheduling.cpsat import TimedModel
from llmos_jupyter.scheduling.plan import LATENESS_WEIGHT, Goal, Placement, Plan, timetable
from llmos_jupyter.scheduling.problem import Problem

# Steps planned anew in one round: at first, at least, at most.
FREE, FEWEST, MOST = 25, 8, 120
ROUND_SECONDS = 1.0
# Weights are kept to this part of one.
PARTS = 100


def improve(
    problem: Problem, incumbent: Plan, goal: Goal, *, seconds: float, workers: int = 2, seed: int = 0
) -> dict[str, Placement]:
    """The best plan found in `seconds`: the incumbent, or one that is better by the goal."""
    until = time.monotonic() + seconds
    dice = random.Random(seed)
    best, value = dict(incumbent), goal.of(problem, incumbent)
    movable = [step.id for step in problem.steps if step.id not in problem.running]
    size = FREE
    while (left := until - time.monotonic()) > 0.05:
        whole = size >= len(movable)
        free = set(movable) if whole else _neighbourhood(problem, best, movable, size, dice)
        limit = left if whole else min(left, ROUND_SECONDS)
        found, status = _solve(problem, best, free, goal, limit, workers, dice.randrange(1 << 30))
        if found is not None:
            # In the order of its starts and without the ticks' rounding, perhaps earlier.
            order = sorted(found.values(), key=lambda placement: placement.start)
            exact = timetable(problem, [(placement.step, placement.resource) for placement in order])
            if (now := goal.of(problem, exact)) < value - 1e-9:
                best, value = exact, now
        if whole:
            break
        size = min(MOST, size + 2) if status == "optimal" else max(FEWEST, size - 2)
    return best


def _neighbourhood(problem: Problem, plan: Plan, movable: list[str], size: int, dice: random.Random) -> set[str]:
    """Steps that are near each other in time, or on the same few resources, or any."""
    by_start = sorted(movable, key=lambda name: plan[name].start)
    kind = dice.randrange(3)
    if kind == 0:
        first = dice.randrange(max(1, len(by_start) - size + 1))
        return set(by_start[first : first + size])
    if kind == 1:
        names = sorted({plan[name].resource for name in movable})
        dice.shuffle(names)
        chosen: list[str] = []
        for name in names[: max(2, len(names) // 3)]:
            chosen += [step for step in by_start if plan[step].resource == name]
        first = dice.randrange(max(1, len(chosen) - size + 1))
        return set(sorted(chosen, key=lambda step: plan[step].start)[first : first + size])
    return set(dice.sample(movable, size))


def _solve(
    problem: Problem, plan: Plan, free: set[str], goal: Goal, seconds: float, workers: int, seed: int
) -> tuple[dict[str, Placement] | None, str]:
    kept = []
    for step in problem.steps:
        where = plan[step.id].resource
        kept.append(step if step.id in free else replace(step, options={where: step.options[where]}))
    last = max(placement.finish for placement in plan.values()) - problem.now
    model = TimedModel(
        replace(problem, steps=tuple(kept)), deadlines=False, horizon=last if goal is Goal.MAKESPAN else 1.5 * last
    )
    _keep_order(model, plan, free)
    model.model.minimize(_objective(model, goal))
    model.hint(plan)
    status, solver = model.solve(seconds=seconds, workers=workers, seed=seed)
    return (model.plan(solver) if status in ("optimal", "feasible") else None), status


def _keep_order(model: TimedModel, plan: Plan, free: set[str]) -> None:
    """The steps that are not free follow each other on their resource as they do in the plan."""
    last: dict[str, Placement] = {}
    for placement in sorted(plan.values(), key=lambda placement: (placement.start, placement.end)):
        if placement.step in free:
            continue
        before = last.get(placement.resource)
        last[placement.resource] = placement
        if before is not None:
            gap = 0
            if before.end <= placement.start + 1e-9:
                option = model.problem.step[before.step].options[before.resource]
                gap = model.ticks_up(option.duration)
            model.model.add(model.start[placement.step] >= model.start[before.step] + gap)


def _objective(model: TimedModel, goal: Goal) -> Any:
    if goal is Goal.MAKESPAN:
        return model.makespan()
    total: Any = 0
    for step in model.problem.steps:
        weight = max(1, round(step.weight * PARTS))
        total += weight * model.flow(step)
        if step.deadline is not None:
            total += round(weight * LATENESS_WEIGHT) * model.lateness(step)
    return total
