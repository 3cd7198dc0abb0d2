"""A better plan than the one there is, if there is time to look for one; never a worse one."""

from __future__ import annotations

from llmos_jupyter.scheduling.plan import Goal, Placement, Plan, by_rule, timetable
from llmos_jupyter.scheduling.problem import Problem


def first_plan(problem: Problem) -> dict[str, Placement]:
    """A plan at once: the steps in their order, each as early as it fits and after those it waits for."""
    place = {step.id: float(number) for number, step in enumerate(problem.steps)}
    return timetable(problem, by_rule(problem, lambda step: (place[step.id],)))


def improve(
    problem: Problem,
    incumbent: Plan,
    goal: Goal = Goal.FLOW,
    *,
    seconds: float,
    workers: int = 2,
    seed: int = 0,
) -> Plan:
    """The best plan found in `seconds` on `workers` processors, or the incumbent if none is better by the goal."""
    if not problem.steps:
        return {}
    from llmos_jupyter.scheduling.improving import lns

    found = lns.improve(problem, incumbent, goal, seconds=seconds, workers=workers, seed=seed)
    return found if goal.of(problem, found) < goal.of(problem, incumbent) else incumbent
