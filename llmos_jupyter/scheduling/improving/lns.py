"""Large neighbourhood search with CP-SAT: some steps are planned anew, the others keep their resource and order.

Few at first, and more as long as that is solved in time: a window of 20 to 30 steps soon is solved whole.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from llmos_jupyter.scheduling.improving.cpsat import TICKS, TimedModel
from llmos_jupyter.scheduling.plan import LATENESS_WEIGHT, Goal, Placement, Plan, in_order
from llmos_jupyter.scheduling.problem import Problem

# Steps planned anew in one round: at first, at least, at most. More after a round that was solved, less after one that
# was not.
FREE, FEWEST, MOST = 12, 8, 150
ROUND_SECONDS = 0.5
# With less time than this left no round is begun.
LEAST_SECONDS = 0.05
# Weights are kept to this part of one.
PARTS = 100


def improve(
    problem: Problem,
    incumbent: Plan,
    goal: Goal,
    *,
    seconds: float,
    workers: int = 2,
    seed: int = 0,
    tighten: Callable[[Problem, Plan], Plan] = in_order,
    exchange: Callable[[Plan], Plan | None] = lambda best: None,
) -> Plan:
    """The best plan found in `seconds`: the incumbent, or one that is better by the goal.

    tighten: makes a plan of ticks exact, every step as early as the plan's order allows.
    exchange: told the best plan before each round, and may return a better one of others to go on from.
    """
    until = time.monotonic() + seconds
    dice = random.Random(seed)
    best, value = incumbent, goal.of(problem, incumbent)
    movable = [step.id for step in problem.steps if step.id not in problem.running]
    size = FREE
    while (left := until - time.monotonic()) > LEAST_SECONDS:
        other = exchange(best)
        if other is not None and (theirs := goal.of(problem, other)) < value:
            best, value = other, theirs
        whole = size >= len(movable)
        free = set(movable) if whole else _neighbourhood(best, movable, size, dice)
        limit = left if whole else min(left, ROUND_SECONDS)
        found, proved = _solve(problem, best, free, goal, limit, workers, dice.randrange(1 << 30))
        if found is not None:
            exact = tighten(problem, found)
            if (now := goal.of(problem, exact)) < value - 1e-9:
                best, value = exact, now
        if whole and proved:
            break
        size = min(MOST, size * 5 // 4) if proved else max(FEWEST, size * 4 // 5)
    exchange(best)
    return best


def _neighbourhood(plan: Plan, movable: list[str], size: int, dice: random.Random) -> set[str]:
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
) -> tuple[dict[str, Placement] | None, bool]:
    """A plan with the steps that are not free on their resources and in their order; whether it is the best such."""
    kept = []
    for step in problem.steps:
        where = plan[step.id].resource
        kept.append(step if step.id in free else replace(step, options={where: step.options[where]}))
    # Rounded up to ticks the plan there is may take a little longer than it does.
    last = max(placement.finish for placement in plan.values()) - problem.now + TICKS[-1] * len(plan)
    model = TimedModel(
        replace(problem, steps=tuple(kept)), deadlines=False, horizon=last if goal is Goal.MAKESPAN else 1.5 * last
    )
    _keep_order(model, plan, free)
    model.model.minimize(_objective(model, goal))
    model.hint(plan)
    status, solver = model.solve(seconds=seconds, workers=workers, seed=seed)
    return (model.plan(solver) if status in ("optimal", "feasible") else None), status == "optimal"


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
