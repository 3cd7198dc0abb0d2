"""Plans ahead, and better ones found beside the running daemon."""

from __future__ import annotations

import random
import time

from llmos_jupyter.daemon.work.planner import EVERY, Planner
from llmos_jupyter.scheduling.dispatch.online import ListScheduler
from llmos_jupyter.scheduling.plan import Goal, Plan, timetable
from llmos_jupyter.scheduling.problem import Option, Resource, Step

TWO = [Resource("a"), Resource("b")]


def queue(count: int = 10) -> ListScheduler:
    """Steps that take longer on one of two resources than on the other, both busy for a second more."""
    dice = random.Random(7)
    scheduler = ListScheduler(TWO, now=0.0)
    for number in range(count):
        options = {name: Option(duration=dice.uniform(5, 60)) for name in "ab"}
        scheduler.add(Step(f"{number}", options, notebook=f"{number}", weight=dice.choice([1, 1, 10])), 0.0)
    scheduler.decide(0.0)
    return scheduler


def better(planner: Planner, seconds: float = 20.0) -> Plan | None:
    until = time.monotonic() + seconds
    while (plan := planner.found()) is None and time.monotonic() < until:
        time.sleep(0.1)
    return plan


def test_every_waiting_step_is_planned_after_what_runs() -> None:
    scheduler, planner = queue(), Planner()
    plan = planner.plan(scheduler, 0.0)
    planner.stop()
    assert len(plan) == 10
    assert planner.plan(scheduler, 0.0) == {}  # nothing has changed
    planner.changed()
    assert planner.plan(scheduler, 0.0) == {}  # too soon
    time.sleep(EVERY)
    assert len(planner.plan(scheduler, 0.0)) == 10
    planner.stop()


def test_a_better_plan_is_found_taken_and_forgotten_when_something_happens() -> None:
    scheduler, planner = queue(), Planner()
    problem = scheduler.window(30, 0.0)
    incumbent = timetable(problem, [(step.id, None) for step in problem.ordered()])
    planner.plan(scheduler, 0.0)
    plan = better(planner)
    assert plan is not None
    assert Goal.FLOW.of(problem, plan) < 0.99 * Goal.FLOW.of(problem, incumbent)
    scheduler.follow(plan, 0.0)
    first = min(scheduler._occupied.running.values(), key=lambda running: running.ends)
    scheduler.end(first.entry.step.id, first.ends)
    (start,) = scheduler.decide(first.ends).starts
    assert "improved plan" in start.reason

    time.sleep(EVERY)
    planner.changed()
    planner.plan(scheduler, first.ends)
    planner.changed()
    assert better(planner, 3.0) is None


def test_nothing_is_searched_while_the_model_writes_or_where_little_waits() -> None:
    for scheduler, quiet in ((queue(), False), (queue(4), True)):
        planner = Planner()
        planner.quiet(quiet)
        assert planner.plan(scheduler, 0.0)
        assert better(planner, 3.0) is None
