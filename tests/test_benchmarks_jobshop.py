"""The job shop of the benchmark: schedules are plans, and tabu search finds the shortest of small ones."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.jobshop import shop_search, tabu
from benchmarks.jobshop.instances import DATA, read
from benchmarks.jobshop.shop import RULES, Schedule, Shop, dispatch, is_shop
from llmos_jupyter.scheduling.plan import makespan, violations
from llmos_jupyter.scheduling.problem import Option, Problem, Resource, Step
from tests.scheduling.small_problems import plans


@st.composite
def shops(draw: st.DrawFn, *, jobs: int = 3, steps: int = 3, shortest: int = 1) -> Problem:
    machines = [f"m{number}" for number in range(draw(st.integers(1, 3)))]
    made = []
    for job in range(draw(st.integers(1, jobs))):
        for number in range(draw(st.integers(1, steps))):
            able = draw(st.sets(st.sampled_from(machines), min_size=1))
            options = {name: Option(draw(st.integers(shortest, 6))) for name in sorted(able)}
            after = (f"{job}.{number - 1}",) if number else ()
            made.append(Step(f"{job}.{number}", options, after=after, release=draw(st.integers(0, 3))))
    return Problem(tuple(made), tuple(Resource(name) for name in machines))


@settings(max_examples=40, deadline=None)
@given(shops(jobs=2, steps=2))
def test_tabu_search_finds_the_shortest_plan_of_a_small_shop(problem: Problem) -> None:
    assert is_shop(problem)
    shop = Shop(problem)
    best = min(makespan(problem, plan) for plan in plans(problem))
    assert shop.bound() <= best + 1e-9
    start = dispatch(shop, RULES["most work remaining"])
    found = tabu.search(start, until=time.monotonic() + 2.0, bound=best)
    assert violations(problem, found.plan()) == []
    assert found.makespan == pytest.approx(best)


@settings(max_examples=50, deadline=None)
@given(shops(jobs=5, steps=5, shortest=0), st.sampled_from(sorted(RULES)))
def test_shop_schedules_are_plans(problem: Problem, rule: str) -> None:
    shop = Shop(problem)
    schedule = dispatch(shop, RULES[rule])
    plan = schedule.plan()
    assert violations(problem, plan) == []
    assert schedule.makespan == pytest.approx(makespan(problem, plan))
    again = shop.schedule(plan)
    assert again.makespan <= schedule.makespan + 1e-9
    found = tabu.search(schedule, until=time.monotonic() + 0.02)
    assert violations(problem, found.plan()) == []
    assert found.makespan <= schedule.makespan


def test_sequences_that_contradict_each_other_are_told() -> None:
    options = {"a": Option(1.0), "b": Option(1.0)}
    steps = [Step(f"{job}.{n}", options, after=(f"{job}.0",) if n else ()) for job in range(2) for n in range(2)]
    shop = Shop(Problem(tuple(steps), (Resource("a"), Resource("b"))))
    assert not Schedule(shop, [[1, 2], [3, 0]], [1.0] * 4).evaluate()
    assert Schedule(shop, [[0, 3], [2, 1]], [1.0] * 4).evaluate()


def test_what_is_no_job_shop_is_not_taken_for_one() -> None:
    one = Step("one", {"r": Option(1.0)})
    two = Step("two", {"r": Option(1.0)}, after=("one",))
    three = Step("three", {"r": Option(1.0)}, after=("one",))
    assert is_shop(Problem((one, two), (Resource("r"),)))
    assert not is_shop(Problem((one, two, three), (Resource("r"),)))
    assert not is_shop(Problem((one, two), (Resource("r", slots=2),)))
    assert not is_shop(Problem((one, two), (Resource("r", memory=1.0),)))
    assert not is_shop(Problem((one, two), (Resource("r"),), running=frozenset({"one"})))


def test_a_search_on_two_processors_shortens_a_plan() -> None:
    problem = read(DATA / "mk01.txt")
    start = dispatch(Shop(problem), RULES["earliest end"]).plan()
    found = shop_search.search(problem, start, seconds=2.0)
    assert violations(problem, found) == []
    assert makespan(problem, found) < makespan(problem, start)
