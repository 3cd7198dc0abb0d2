"""A plan: which step runs on which resource from when. Making one by a list, measuring one, checking one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from llmos_jupyter.scheduling.dispatch.capacity import TOLERANCE, Usage
from llmos_jupyter.scheduling.problem import Problem, Step, obstacle

# Seconds of lateness weigh this much more than seconds of waiting where both are in one objective.
LATENESS_WEIGHT = 100.0


@dataclass(frozen=True)
class Placement:
    """One step on one resource: it occupies it from `start` to `end`, its result is there at `finish`. Seconds."""

    step: str
    resource: str
    start: float
    end: float
    finish: float


Plan = Mapping[str, Placement]


class Goal(Enum):
    """What a plan is measured by; less is better."""

    MAKESPAN = "makespan"
    FLOW = "weighted flow"

    def of(self, problem: Problem, plan: Plan) -> float:
        return makespan(problem, plan) if self is Goal.MAKESPAN else weighted_flow(problem, plan)


def makespan(problem: Problem, plan: Plan) -> float:
    """Seconds from `problem.now` until the last result is there."""
    return max((placement.finish for placement in plan.values()), default=problem.now) - problem.now


def weighted_flow(problem: Problem, plan: Plan) -> float:
    """Sum of weight x (result - release) over all steps; a second past a deadline counts LATENESS_WEIGHT times more."""
    total = 0.0
    for placement in plan.values():
        step = problem.step[placement.step]
        late = 0.0 if step.deadline is None else max(0.0, placement.finish - step.deadline)
        total += step.weight * (placement.finish - step.release + LATENESS_WEIGHT * late)
    return total


def place(step: Step, resource: str, start: float) -> Placement:
    option = step.options[resource]
    return Placement(step.id, resource, start, start + option.duration, start + option.wait)


def timetable(problem: Problem, order: Sequence[tuple[str, str | None]]) -> dict[str, Placement]:
    """Put the steps in this order, each as early as what is already placed allows (serial schedule generation).

    order: step and resource; None chooses the resource with the earliest result. A step comes after those it waits for.
    Each placed step keeps its place when later ones fill the gaps before it. What runs is placed first, wherever it is
    in the order.
    """
    plan = {
        name: place(problem.step[name], next(iter(problem.step[name].options)), problem.now) for name in problem.running
    }
    for name, wanted in order:
        if name in plan:
            continue
        step = problem.step[name]
        ready = max([problem.now, step.release, *(plan[before].finish for before in step.after)])
        names = [wanted] if wanted is not None else possible(problem, step)
        plan[name] = min(
            (place(step, resource, _earliest(problem, plan, step, resource, ready)) for resource in names),
            key=lambda placement: placement.finish,
        )
    return plan


def in_order(problem: Problem, plan: Plan) -> dict[str, Placement]:
    """A plan's steps on its resources, put in by their starts, each as early as it fits."""
    order = sorted(plan.values(), key=lambda placement: placement.start)
    return timetable(problem, [(placement.step, placement.resource) for placement in order])


def possible(problem: Problem, step: Step) -> list[str]:
    """The resources a step could run on if all else were idle."""
    return [name for name in step.options if obstacle(step, name, problem.resource) is None]


def by_rule(problem: Problem, rank: Callable[[Step], tuple[float, ...]]) -> list[tuple[str, str | None]]:
    """An order for `timetable`: of the steps whose predecessors are placed, always the one of lowest rank."""
    waiting = {step.id: set(step.after) for step in problem.steps}
    order: list[tuple[str, str | None]] = []
    while waiting:
        ready = [problem.step[name] for name, before in waiting.items() if not before]
        chosen = min(ready, key=rank).id
        del waiting[chosen]
        for before in waiting.values():
            before.discard(chosen)
        order.append((chosen, None))
    return order


def violations(problem: Problem, plan: Plan, *, deadlines: bool = True) -> list[str]:
    """What is wrong with a plan, as sentences; none if it can be carried out."""
    wrong = [f"{step.id} is not placed." for step in problem.steps if step.id not in plan]
    for placement in plan.values():
        step = problem.step[placement.step]
        if placement != place(step, placement.resource, placement.start):
            wrong.append(f"{step.id} does not last as long as its option says.")
        if placement.start < max(problem.now, step.release) - TOLERANCE:
            wrong.append(f"{step.id} starts before it may.")
        if deadlines and step.deadline is not None and placement.finish > step.deadline + TOLERANCE:
            wrong.append(f"{step.id} misses its deadline.")
        wrong += [
            f"{step.id} starts before {before} has ended."
            for before in step.after
            if before in plan and placement.start < plan[before].finish - TOLERANCE
        ]
    return wrong + _overfull(problem, plan)


def _overfull(problem: Problem, plan: Plan) -> list[str]:
    wrong = []
    for moment in sorted({placement.start for placement in plan.values()}):
        usage = Usage(problem.resource)
        for placement in _running(plan.values(), moment):
            lacking = usage.lacking(problem.step[placement.step], placement.resource)
            if lacking is not None:
                wrong.append(f"{placement.step} needs {lacking} at {moment:g} s, which is taken.")
            usage.take(problem.step[placement.step], placement.resource)
    return wrong


def _running(placements: Iterable[Placement], moment: float) -> list[Placement]:
    return [p for p in placements if p.start - TOLERANCE <= moment < p.end - TOLERANCE]


def _earliest(problem: Problem, plan: Plan, step: Step, resource: str, ready: float) -> float:
    """The first moment from `ready` on at which the step fits, for all the time it runs, beside those placed."""
    duration = step.options[resource].duration
    ends = sorted({ready, *(placement.end for placement in plan.values() if placement.end > ready)})
    starts = [placement.start for placement in plan.values()]
    for start in ends:
        moments = [start, *(other for other in starts if start < other < start + duration - TOLERANCE)]
        if all(_fits(problem, plan, step, resource, moment) for moment in moments):
            return start
    raise ValueError(f"step {step.id} does not fit on {resource} even when all else has ended")


def _fits(problem: Problem, plan: Plan, step: Step, resource: str, moment: float) -> bool:
    usage = Usage(problem.resource)
    for placement in _running(plan.values(), moment):
        usage.take(problem.step[placement.step], placement.resource)
    return usage.lacking(step, resource) is None
