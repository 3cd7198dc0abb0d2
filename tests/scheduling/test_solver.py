"""Better plans: allowed, never worse, as good as can be on small problems, and in a process of their own."""

from __future__ import annotations

import contextlib
import random
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.jobshop import DATA, read
from llmos_jupyter.scheduling.dispatch.online import ListScheduler
from llmos_jupyter.scheduling.improving import lns, solver, tabu
from llmos_jupyter.scheduling.improving.background import Improvement
from llmos_jupyter.scheduling.improving.shop import RULES, Schedule, Shop, dispatch, is_shop
from llmos_jupyter.scheduling.plan import Goal, in_order, makespan, violations
from llmos_jupyter.scheduling.problem import GIB, INTERACTIVE, LOW, NORMAL, Option, Problem, Resource, Step
from tests.scheduling.small_problems import plans, problems


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


def loaded_machine(seed: int, count: int) -> Problem:
    """The window of a loaded scheduler: classes, cores, memory, deadlines, some steps running."""
    dice = random.Random(seed)
    machine = Resource("machine", slots=0, cores=8, memory=16 * GIB)
    engine = Resource("engine", slots=2, within="machine", held_cores=4)
    scheduler = ListScheduler([machine, engine, *(Resource(f"w{n}", within="machine") for n in range(3))])
    for number in range(count):
        seconds = round(dice.lognormvariate(1.5, 1.0), 2) + 0.1
        where = {"engine": Option(seconds)} if dice.random() < 0.5 else {f"w{n}": Option(seconds) for n in range(3)}
        step = Step(
            f"s{number}",
            where,
            cores=0 if "engine" in where else dice.choice((1, 2)),
            memory=dice.uniform(0, 6) * GIB,
            priority=dice.choice((LOW, NORMAL, INTERACTIVE)),
            deadline=dice.choice((None, 60.0)),
            after=(f"s{number - 1}",) if number and dice.random() < 0.2 else (),
        )
        scheduler.add(step, 0.0)
    scheduler.decide(0.0)
    return scheduler.window(count, 0.5)


@settings(max_examples=25, deadline=None)
@given(problems(most=4, timed=True), st.sampled_from(Goal))
def test_cp_sat_finds_the_best_plan_of_a_small_window(problem: Problem, goal: Goal) -> None:
    soft = replace(problem, steps=tuple(replace(step, deadline=None) for step in problem.steps))
    incumbent = solver.first_plan(soft)
    found = lns.improve(soft, incumbent, goal, seconds=5.0, workers=1)
    assert violations(soft, found) == []
    assert goal.of(soft, found) == pytest.approx(min(goal.of(soft, plan) for plan in plans(soft)))


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


@pytest.mark.parametrize("goal", Goal)
def test_a_brandimarte_instance_gets_better_and_stays_possible(goal: Goal) -> None:
    problem = read(DATA / "mk04.txt")
    start = dispatch(Shop(problem), RULES["most work remaining"]).plan()
    found = solver.improve(problem, start, goal, seconds=4.0)
    assert violations(problem, found) == []
    assert goal.of(problem, found) < goal.of(problem, start)


@pytest.mark.parametrize("seed", range(3))
def test_a_window_of_a_loaded_machine_gets_no_worse(seed: int) -> None:
    problem = loaded_machine(seed, 25)
    assert problem.running
    incumbent = solver.first_plan(problem)
    assert violations(problem, incumbent, deadlines=False) == []
    found = solver.improve(problem, incumbent, seconds=2.0)
    assert violations(problem, found, deadlines=False) == []
    assert Goal.FLOW.of(problem, found) <= Goal.FLOW.of(problem, incumbent)
    assert all(found[name].start == problem.now for name in problem.running)


def test_more_steps_than_a_window_are_improved_by_neighbourhoods() -> None:
    problem = loaded_machine(7, 60)
    incumbent = in_order(problem, solver.first_plan(problem))
    found = lns.improve(problem, incumbent, Goal.FLOW, seconds=5.0)
    assert len(problem.steps) > lns.FREE
    assert violations(problem, found, deadlines=False) == []
    assert Goal.FLOW.of(problem, found) < Goal.FLOW.of(problem, incumbent)


def wait(improvement: Improvement, seconds: float) -> None:
    until = time.monotonic() + seconds
    while improvement.running and time.monotonic() < until:
        time.sleep(0.05)


def test_a_better_plan_comes_from_a_process_of_its_own() -> None:
    problem = read(DATA / "mk01.txt")
    start = dispatch(Shop(problem), RULES["earliest end"]).plan()
    improvement = Improvement(problem, start, Goal.MAKESPAN, seconds=3.0)
    assert improvement.result() is None
    wait(improvement, 30.0)
    found = improvement.result()
    assert found is not None
    assert violations(problem, found) == []
    assert makespan(problem, found) < makespan(problem, start)


def test_a_plan_that_cannot_be_better_is_not_sent() -> None:
    problem = Problem((Step("only", {"r": Option(1.0)}),), (Resource("r"),))
    improvement = Improvement(problem, solver.first_plan(problem), seconds=1.0)
    wait(improvement, 30.0)
    assert improvement.result() is None
    assert not improvement.running


def searching() -> set[psutil.Process]:
    """Processes below this one that search for plans."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "spawn_main" in " ".join(process.cmdline()):
                found.add(process)
    return found


def test_a_cancelled_search_leaves_no_process_behind() -> None:
    problem = read(DATA / "mk10.txt")
    start = dispatch(Shop(problem), RULES["earliest end"]).plan()
    improvement = Improvement(problem, start, Goal.MAKESPAN, seconds=600.0)
    until = time.monotonic() + 60.0
    while len(found := searching()) < 2 and time.monotonic() < until:  # the search and its helper
        time.sleep(0.1)
    assert len(found) == 2
    improvement.cancel()
    assert not improvement.running
    improvement.cancel()
    _, alive = psutil.wait_procs(found, timeout=60.0)
    assert alive == []


def test_the_instances_come_with_their_licence() -> None:
    assert "MIT" in (Path(DATA) / "LICENSE-instances").read_text(encoding="utf-8")
