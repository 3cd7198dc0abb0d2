"""Small random problems, and their best answers found by trying everything."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

from hypothesis import strategies as st

from llmos_jupyter.scheduling.choice.terms import Aim, Terms
from llmos_jupyter.scheduling.dispatch.capacity import Usage
from llmos_jupyter.scheduling.plan import Placement, possible, timetable, violations
from llmos_jupyter.scheduling.problem import Option, Problem, Resource, Step

MIB = 1 << 20


def resources(draw: st.DrawFn) -> tuple[Resource, ...]:
    limit = st.none() | st.integers(2, 6)
    machine = Resource("machine", slots=0, cores=draw(limit), memory=draw(st.none() | st.just(6 * MIB)), gpus=1)
    engine = Resource("engine", slots=draw(st.integers(1, 2)), within="machine", held_cores=draw(st.integers(0, 2)))
    return (machine, engine, Resource("worker", slots=draw(st.integers(1, 2)), within="machine"), Resource("remote"))


@st.composite
def problems(draw: st.DrawFn, *, most: int = 4, timed: bool = False) -> Problem:
    """Up to `most` steps, each possible somewhere; with precedence, releases and deadlines if `timed`."""
    known = resources(draw)
    steps: list[Step] = []
    for number in range(draw(st.integers(1, most))):
        options = {
            name: Option(
                duration=(duration := draw(st.integers(1, 5))),
                delay=draw(st.none() | st.just(duration + 2)),
                cost=draw(st.integers(0, 9)),
                probability=draw(st.integers(0, 10)) / 10,
            )
            for name in draw(st.sets(st.sampled_from(["engine", "worker"])))
        }
        options["remote"] = Option(draw(st.integers(1, 5)), cost=draw(st.integers(0, 9)), probability=0.5)
        release = draw(st.integers(0, 4)) if timed else 0
        steps.append(
            Step(
                f"s{number}",
                options,
                cores=draw(st.integers(0, 2)),
                memory=draw(st.integers(0, 3)) * MIB,
                gpus=draw(st.integers(0, 1)),
                weight=draw(st.integers(1, 3)),
                release=release,
                deadline=release + draw(st.integers(6, 20)) if timed and draw(st.booleans()) else None,
                after=tuple(s.id for s in steps if draw(st.integers(0, 3)) == 0) if timed else (),
            )
        )
    return Problem(tuple(steps), known)


def choices(problem: Problem, terms: Terms) -> Iterator[dict[str, str]]:
    """Every static choice that satisfies the terms."""
    leave = [] if terms.must_run else [None]
    for names in product(*([*step.options, *leave] for step in problem.steps)):
        chosen = {step.id: name for step, name in zip(problem.steps, names, strict=True) if name is not None}
        options = [problem.step[step].options[name] for step, name in chosen.items()]
        if terms.cost_budget is not None and sum(option.cost for option in options) > terms.cost_budget:
            continue
        if terms.delay_budget is not None and sum(option.wait for option in options) > terms.delay_budget:
            continue
        if any(list(chosen.values()).count(name) > most for name, most in terms.capacity.items()):
            continue
        if _fit_together(problem, chosen):
            yield chosen


def _fit_together(problem: Problem, chosen: dict[str, str]) -> bool:
    endless = {r.id: Resource(r.id, 99, r.cores, r.memory, r.gpus, r.within, r.held_cores) for r in problem.resources}
    usage = Usage(endless)
    for step, name in chosen.items():
        if usage.lacking(problem.step[step], name) is not None:
            return False
        usage.take(problem.step[step], name)
    return True


def value(problem: Problem, chosen: dict[str, str], aim: Aim) -> float:
    steps = [(problem.step[step], problem.step[step].options[name]) for step, name in chosen.items()]
    if aim is Aim.COST:
        return sum(option.cost for _, option in steps)
    if aim is Aim.DELAY:
        return sum(step.weight * option.wait for step, option in steps)
    return -sum(step.weight * option.probability for step, option in steps)


def plans(problem: Problem) -> Iterator[dict[str, Placement]]:
    """Every plan in which no step could start earlier by itself: one of them is best, whatever waiting costs."""
    names = [step.id for step in problem.steps]
    for order in permutations(names):
        if all(order.index(before) < order.index(s.id) for s in problem.steps for before in s.after):
            for where in product(*(possible(problem, problem.step[name]) for name in order)):
                plan = timetable(problem, list(zip(order, where, strict=True)))
                if not violations(problem, plan):
                    yield plan
