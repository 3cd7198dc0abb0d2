"""The timed form of the models, for CP-SAT."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.scheduling.choice.terms import Aim, Terms, impossible
from llmos_jupyter.scheduling.improving.cpsat import TimedModel
from llmos_jupyter.scheduling.plan import Placement
from llmos_jupyter.scheduling.problem import Problem

# CP-SAT counts in whole numbers: costs, probabilities and weights are kept to this part of one.
PARTS = 10_000


def solve(
    problem: Problem, stages: Sequence[Mapping[Aim, float]], terms: Terms, seconds: float | None
) -> tuple[dict[str, Placement], bool]:
    """The plan, and whether it was proved optimal. Raises LLMOSError if nothing satisfies the terms, or in time."""
    model = TimedModel(problem, must_run=terms.must_run)
    for name, capacity in terms.capacity.items():
        model.model.add(sum(on for (_, where), on in model.on.items() if where == name) <= capacity)
    sums = _sums(model, terms)
    until = None if seconds is None else time.monotonic() + seconds
    plan: dict[str, Placement] = {}
    optimal = True
    for number, stage in enumerate(stages):
        goal = sum(round(weight * PARTS) * sums[aim] for aim, weight in stage.items())
        model.model.minimize(goal)
        left = None if until is None else max(0.01, until - time.monotonic())
        status, solver = model.solve(seconds=left)
        if status == "infeasible":
            raise impossible()
        if status == "unknown":
            if number:  # the plan of the stage before stands
                return plan, False
            raise LLMOSError(f"No plan was found in {seconds:g} s: give it more time, or plan fewer steps at once.")
        plan = model.plan(solver)
        optimal = optimal and status == "optimal"
        model.model.add(goal <= round(solver.objective_value))
        model.hint(plan)
    return plan, optimal


def _sums(model: TimedModel, terms: Terms) -> dict[Aim, Any]:
    """The three sums, each in PARTS of its unit (delay: of a tick's weight)."""
    problem = model.problem
    options = {key: problem.step[key[0]].options[key[1]] for key in model.on}
    cost = sum(round(options[key].cost * PARTS) * on for key, on in model.on.items())
    success = sum(
        round(problem.step[key[0]].weight * options[key].probability * PARTS) * on for key, on in model.on.items()
    )
    flows = {step.id: model.flow(step) for step in problem.steps}
    delay = sum(round(step.weight * model.tick * PARTS) * flows[step.id] for step in problem.steps)
    if terms.cost_budget is not None:
        model.model.add(cost <= int(terms.cost_budget * PARTS + 1e-6))
    if terms.delay_budget is not None:
        model.model.add(sum(flows.values()) <= int(terms.delay_budget / model.tick + 1e-6))
    return {Aim.COST: cost, Aim.DELAY: delay, Aim.SUCCESS: -success}
