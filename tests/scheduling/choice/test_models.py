"""The three models against trying everything, and the article's worked example."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.scheduling.choice.models import Choice, allocate, combine, decide, schedule
from llmos_jupyter.scheduling.choice.terms import Aim, Terms
from llmos_jupyter.scheduling.plan import makespan, violations
from llmos_jupyter.scheduling.problem import Option, Problem, Resource, Step
from tests.examples import examples
from tests.scheduling.small_problems import MIB, choices, plans, problems, value

TERMS = st.builds(
    Terms,
    capacity=st.dictionaries(st.sampled_from(["engine", "worker", "remote"]), st.integers(0, 3)),
    cost_budget=st.none() | st.integers(0, 20),
    delay_budget=st.none() | st.integers(3, 20),
    must_run=st.booleans(),
)


def check_static(problem: Problem, aims: tuple[Aim, ...], terms: Terms) -> None:
    """The choice is allowed, and no other is lexicographically better."""
    allowed = [tuple(value(problem, chosen, aim) for aim in aims) for chosen in choices(problem, terms)]
    if not allowed:
        with pytest.raises(LLMOSError, match="No choice satisfies all limits"):
            combine(problem, aims, terms=terms)
        return
    found = combine(problem, aims, terms=terms)
    assert dict(found.resource) in list(choices(problem, terms))
    assert tuple(value(problem, dict(found.resource), aim) for aim in aims) == pytest.approx(min(allowed), abs=1e-4)


@settings(deadline=None)
@given(problems(), TERMS, st.permutations(list(Aim)))
def test_static_models_find_the_best_choice(problem: Problem, terms: Terms, order: list[Aim]) -> None:
    if not terms.must_run:
        order = [Aim.SUCCESS, *(aim for aim in order if aim is not Aim.SUCCESS)]
    check_static(problem, tuple(order), terms)


@settings(deadline=None)
@given(problems(most=5), st.dictionaries(st.sampled_from(["engine", "worker", "remote"]), st.integers(0, 3)))
def test_assignment_and_integer_program_agree(problem: Problem, capacity: dict[str, int]) -> None:
    free = replace(
        problem,
        steps=tuple(replace(step, cores=0, memory=0, gpus=0) for step in problem.steps),
        resources=tuple(replace(resource, held_cores=0) for resource in problem.resources),
    )
    check_static(free, (Aim.COST,), Terms(capacity=capacity))


@settings(deadline=None)
@given(problems(), st.tuples(*[st.integers(0, 5)] * 3))
def test_weights_trade_one_aim_for_another(problem: Problem, weights: tuple[int, int, int]) -> None:
    terms = Terms()
    allowed = [
        sum(weight * value(problem, chosen, aim) for aim, weight in zip(Aim, weights, strict=True))
        for chosen in choices(problem, terms)
    ]
    if allowed:
        found = dict(combine(problem, tuple(Aim), weights=weights, terms=terms).resource)
        total = sum(weight * value(problem, found, aim) for aim, weight in zip(Aim, weights, strict=True))
        assert total == pytest.approx(min(allowed), abs=1e-4)


@settings(max_examples=examples(60), deadline=None)
@given(problems(most=4, timed=True))
def test_the_timed_schedule_is_the_best_of_all_plans(problem: Problem) -> None:
    flows = [
        sum(problem.step[p.step].weight * (p.finish - problem.step[p.step].release) for p in plan.values())
        for plan in plans(problem)
    ]
    if not flows:
        with pytest.raises(LLMOSError, match="No choice satisfies all limits"):
            schedule(problem)
        return
    found = schedule(problem)
    assert found.plan is not None
    assert violations(problem, found.plan) == []
    assert found.optimal
    assert found.delay == pytest.approx(min(flows))


@settings(max_examples=30, deadline=None)
@given(problems(most=3, timed=True))
def test_cost_first_then_delay_in_time(problem: Problem) -> None:
    both = [
        (
            sum(problem.step[p.step].options[p.resource].cost for p in plan.values()),
            sum(problem.step[p.step].weight * (p.finish - problem.step[p.step].release) for p in plan.values()),
        )
        for plan in plans(problem)
    ]
    if both:
        found = combine(problem, (Aim.COST, Aim.DELAY), timed=True)
        assert (found.cost, found.delay) == pytest.approx(min(both))


MACHINE = Resource("machine", slots=0, cores=4, memory=6.0 * MIB, gpus=1)
ENGINE = Resource("engine", slots=2, within="machine", held_cores=3)
WORKER = Resource("worker", slots=2, within="machine")


@pytest.mark.parametrize(
    ("demands", "ends"),
    [
        # On the engine: two at a time.
        ([("engine", {})] * 3, [2, 2, 4]),
        # The engine holds 3 of 4 cores once: both its steps and code for 1 core run together, code for 2 waits.
        ([("engine", {}), ("engine", {}), ("worker", {"cores": 1})], [2, 2, 2]),
        ([("engine", {}), ("engine", {}), ("worker", {"cores": 2})], [2, 2, 4]),
        ([("worker", {"memory": 3.0 * MIB})] * 2, [2, 2]),
        ([("worker", {"memory": 4.0 * MIB})] * 2, [2, 4]),
        ([("worker", {"gpus": 1}), ("engine", {"gpus": 1})], [2, 4]),
    ],
)
def test_the_timed_model_keeps_every_limit(demands: list[tuple[str, dict[str, float]]], ends: list[int]) -> None:
    steps = [Step(str(n), {name: Option(2)}, **more) for n, (name, more) in enumerate(demands)]  # type: ignore[arg-type]
    found = schedule(Problem(tuple(steps), (MACHINE, ENGINE, WORKER)))
    assert found.plan is not None
    assert sorted(placement.end for placement in found.plan.values()) == ends


def test_what_is_decided_against_is_left_out_with_what_waits_for_it() -> None:
    option = {"r": Option(2.0, cost=2.0, probability=0.9)}
    steps = (Step("a", option), Step("b", option, after=("a",)), Step("c", {"r": Option(2.0, cost=1.0)}))
    problem = Problem(steps, (Resource("r"),))
    for timed in (False, True):
        found = combine(problem, (Aim.SUCCESS,), terms=Terms(cost_budget=3.0, must_run=False), timed=timed)
        assert set(found.resource) == {"a", "c"}
    assert decide(problem).success == pytest.approx(2.8)


def test_the_three_models_alone() -> None:
    step = Step("a", {"cheap": Option(9.0, cost=1.0, probability=0.2), "quick": Option(1.0, 5.0, probability=0.5)})
    sure = Step("b", {"sure": Option(20.0, cost=9.0, probability=1.0), "cheap": Option(9.0, cost=1.0, probability=0.2)})
    problem = Problem((step, sure), (Resource("cheap"), Resource("quick"), Resource("sure")))
    assert dict(allocate(problem).resource) == {"a": "cheap", "b": "cheap"}
    assert dict(schedule(problem, timed=False).resource) == {"a": "quick", "b": "cheap"}
    assert dict(decide(problem).resource) == {"a": "quick", "b": "sure"}


def test_aims_that_make_no_sense_are_refused() -> None:
    problem = Problem((Step("a", {"r": Option(1.0)}),), (Resource("r"),))
    for aims, weights, terms in (
        ((), None, Terms()),
        ((Aim.COST, Aim.COST), None, Terms()),
        ((Aim.COST,), (1.0, 2.0), Terms()),
        ((Aim.COST,), None, Terms(must_run=False)),
        ((Aim.COST,), None, Terms(capacity={"nobody": 1})),
        ((Aim.COST,), None, Terms(cost_budget=-1.0)),
        ((Aim.COST,), (float("nan"),), Terms()),
    ):
        with pytest.raises(LLMOSError):
            combine(problem, aims, weights=weights, terms=terms)


# The article's example: costs on R1 and R2, delays, and the answer it gives.
COSTS = {"T1": (1, 2), "T2": (2, 3), "T3": (3, 5)}
DELAYS = {"T1": 3, "T2": 5, "T3": 7}
CLAIMED = {"T1": "R1", "T2": "R2", "T3": "R2"}


def example(eligible: dict[str, str] | None = None, memory: float | None = None) -> Problem:
    steps = tuple(
        Step(
            name,
            {
                where: Option(DELAYS[name], cost=cost)
                for where, cost in zip(("R1", "R2"), costs, strict=True)
                if eligible is None or where in eligible[name]
            },
            memory=DELAYS[name],
        )
        for name, costs in COSTS.items()
    )
    return Problem(steps, (Resource("R1", memory=memory), Resource("R2")))


def cost(resource: dict[str, str]) -> int:
    return sum(COSTS[name][("R1", "R2").index(where)] for name, where in resource.items())


def test_the_articles_answer_costs_9_and_the_optimum_6() -> None:
    found = allocate(example())
    assert (cost(CLAIMED), found.cost) == (9, 6)
    assert set(found.resource.values()) == {"R1"}


def test_no_capacity_makes_the_articles_answer_optimal() -> None:
    for one, two in product(range(4), repeat=2):
        if one >= 1 and two >= 2:  # else the article's answer is not even allowed
            found = allocate(example(), Terms(capacity={"R1": one, "R2": two}))
            assert found.cost < cost(CLAIMED)


def test_neither_waiting_nor_the_last_result_speaks_for_the_articles_answer() -> None:
    answers = [dict(zip(COSTS, where, strict=True)) for where in product(("R1", "R2"), repeat=3)]
    timed: dict[str, tuple[float, float, float]] = {}
    for answer in answers:
        found: Choice = schedule(example(eligible=answer))
        assert found.plan is not None
        timed[str(answer)] = (cost(answer), found.delay, makespan(example(), found.plan))
    assert timed[str(CLAIMED)] == (9, 20, 12)
    better = timed[str({"T1": "R2", "T2": "R2", "T3": "R1"})]
    assert better == (
        8,
        18,
        8,
    )  # cheaper, less waiting and done earlier: no weighting of the three can prefer the claim
    assert min(delay for _, delay, _ in timed.values()) == 18


def test_it_is_the_one_optimum_exactly_when_t2_and_t3_may_not_run_on_r1() -> None:
    sets = ("R1", "R2", "R1 R2")
    for one, two, three in product(sets, repeat=3):
        eligible = {"T1": one, "T2": two, "T3": three}
        if all(where in eligible[name] for name, where in CLAIMED.items()):
            claimed = dict(allocate(example(eligible=eligible)).resource) == CLAIMED
            assert claimed == (two == three == "R2")
    # A memory of R1 into which only T1 fits says the same; where T1 or T2 fits it is one of two, both at 9.
    assert dict(allocate(example(memory=4)).resource) == CLAIMED
    assert allocate(example(memory=5)).cost == 9
    assert allocate(example(memory=7)).cost == 8


def test_t1_first_follows_from_the_articles_answer() -> None:
    """T1 has R1 to itself, so it starts at once."""
    found = schedule(example(eligible=CLAIMED))
    assert found.plan is not None
    assert [found.plan[name].start for name in ("T1", "T2", "T3")] == [0, 0, 5]
