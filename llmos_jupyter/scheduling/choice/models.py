"""The three optimisation models, each alone and combined. Pure functions: a problem in, a choice or a plan out.

With tasks t (here: steps), resources r, and x_tr = 1 where t is given to r, else 0:

* allocation    min  sum_t sum_r  c_tr x_tr            what it costs
* scheduling    min  sum_t sum_r  w_t d_tr x_tr        how long users wait for it
* decision      max  sum_t sum_r  w_t p_tr x_tr        how likely it comes out right

    subject to  sum_r x_tr = 1   each step on exactly one resource (decision: <= 1, it may be left out)
                x_tr = 0         where r is not eligible for t
                sum_t x_tr <= capacity_r, and memory, cores and GPUs of what is on r and on what is within r
                sum_t sum_r c_tr x_tr <= cost budget,   sum_t sum_r d_tr x_tr <= delay budget

This is the static form: all chosen steps are there at once and nobody waits for anybody. What cannot meet its deadline
even so is not eligible, and a step is chosen only with those it depends on. `schedule` has the timed
form, where steps wait for each other: d_t is then start_t - release_t + d_tr, subject to slots, memory, cores and GPUs
at every moment, precedence, release times and deadlines.

c_tr, d_tr, p_tr are `Option.cost`, `.wait` (the delay, or the duration) and `.probability`; w_t is `Step.weight`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.scheduling.choice.terms import Aim, Terms
from llmos_jupyter.scheduling.plan import Plan
from llmos_jupyter.scheduling.problem import Problem


@dataclass(frozen=True)
class Choice:
    """Which step goes to which resource, and what that comes to. `plan`: when, in the timed form.

    delay and success are the weighted sums of the models. optimal: proved; else the best found in the time given.
    """

    resource: Mapping[str, str]
    cost: float
    delay: float
    success: float
    optimal: bool = True
    plan: Plan | None = None


def allocate(problem: Problem, terms: Terms | None = None) -> Choice:
    """Allocation: min sum c_tr x_tr. Raises LLMOSError if nothing satisfies the terms."""
    return combine(problem, (Aim.COST,), terms=terms)


def schedule(
    problem: Problem, terms: Terms | None = None, *, timed: bool = True, seconds: float | None = None
) -> Choice:
    """Scheduling: min sum w_t d_tr x_tr, with waiting counted, or (`timed=False`) with d_tr as it is given.

    Raises LLMOSError if nothing satisfies the terms, or nothing was found in `seconds` (None: as long as it takes).
    """
    return combine(problem, (Aim.DELAY,), terms=terms, timed=timed, seconds=seconds)


def decide(problem: Problem, terms: Terms | None = None) -> Choice:
    """Decision: max sum w_t p_tr x_tr: which steps are worth their place in the budgets, and by which option.

    Every step may be left out unless the terms given say `must_run`. Raises LLMOSError if nothing satisfies them.
    """
    return combine(problem, (Aim.SUCCESS,), terms=Terms(must_run=False) if terms is None else terms)


def combine(
    problem: Problem,
    aims: Sequence[Aim],
    *,
    weights: Sequence[float] | None = None,
    terms: Terms | None = None,
    timed: bool = False,
    seconds: float | None = None,
) -> Choice:
    """Several models at once, over the same x_tr.

    Without `weights` lexicographic: the first aim is made as good as it can be, then the second as good as that
    leaves, and so on. With `weights` (one an aim): min the weighted sum, success counting negative.
    Raises LLMOSError if nothing satisfies the terms, or nothing was found in `seconds`.
    """
    terms = Terms() if terms is None else terms
    if not aims or len(set(aims)) < len(aims) or (weights is not None and len(weights) != len(aims)):
        raise LLMOSError("Name each aim once, with one weight for each or none at all.")
    if not terms.must_run and (Aim.SUCCESS not in aims or (weights is None and aims[0] is not Aim.SUCCESS)):
        raise LLMOSError("Where steps may be left out, success must be the first aim: else the best is to do nothing.")
    stages = [{aim: 1.0} for aim in aims] if weights is None else [dict(zip(aims, weights, strict=True))]
    _check_terms(problem, terms, () if weights is None else weights)
    if not problem.steps:
        return Choice({}, 0.0, 0.0, 0.0, plan={} if timed else None)
    if timed:
        from llmos_jupyter.scheduling.choice import timed_models

        plan, optimal = timed_models.solve(problem, stages, terms, seconds)
        return _choice(problem, {name: place.resource for name, place in plan.items()}, optimal, plan)
    from llmos_jupyter.scheduling.choice import static_models

    resource = static_models.solve(problem, stages, terms)
    return _choice(problem, resource, True, None)


def _check_terms(problem: Problem, terms: Terms, weights: Sequence[float]) -> None:
    for name in terms.capacity:
        if name not in problem.resource:
            raise LLMOSError(f"A capacity is given for {name}, which does not exist: correct its name.")
    numbers = [*terms.capacity.values(), *weights, terms.cost_budget or 0.0, terms.delay_budget or 0.0]
    if not all(math.isfinite(number) and number >= 0 for number in numbers):
        raise LLMOSError("A capacity, budget or weight is negative or no number: give one that is not negative.")


def _choice(problem: Problem, resource: Mapping[str, str], optimal: bool, plan: Plan | None) -> Choice:
    options = [(problem.step[name], problem.step[name].options[where]) for name, where in resource.items()]
    if plan is None:
        delay = sum(step.weight * option.wait for step, option in options)
    else:
        delay = sum(step.weight * (plan[step.id].finish - step.release) for step, _ in options)
    return Choice(
        resource=dict(resource),
        cost=sum(option.cost for _, option in options),
        delay=delay,
        success=sum(step.weight * option.probability for step, option in options),
        optimal=optimal,
        plan=plan,
    )
