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

from benchmarks.jobshop.instances import DATA, read
from benchmarks.jobshop.shop import RULES, Shop, dispatch
from llmos_jupyter.protocol import INTERACTIVE, LOW, NORMAL
from llmos_jupyter.scheduling.dispatch.online import ListScheduler
from llmos_jupyter.scheduling.improving import lns, solver
from llmos_jupyter.scheduling.improving.background import Improvement
from llmos_jupyter.scheduling.plan import Goal, in_order, makespan, violations
from llmos_jupyter.scheduling.problem import GIB, Option, Problem, Resource, Step
from tests.scheduling.small_problems import plans, problems


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
    while not (found := searching()) and time.monotonic() < until:
        time.sleep(0.1)
    improvement.cancel()
    assert found
    assert not improvement.running
    improvement.cancel()
    _, alive = psutil.wait_procs(found, timeout=60.0)
    assert alive == []


def test_the_instances_come_with_their_licence() -> None:
    assert "MIT" in (Path(DATA) / "LICENSE-instances").read_text(encoding="utf-8")
