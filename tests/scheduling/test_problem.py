"""What can be scheduled, and the one sentence for what cannot."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.scheduling.dispatch.capacity import Usage
from llmos_jupyter.scheduling.problem import GIB, Option, Problem, Resource, Step, obstacle

MACHINE = Resource("machine", slots=0, cores=4, memory=8 * GIB, gpus=1)
ENGINE = Resource("engine", slots=2, within="machine", held_cores=3)
WORKER = Resource("worker", slots=4, within="machine")
RESOURCES = (MACHINE, ENGINE, WORKER)
ON_WORKER = {"worker": Option(1.0)}


def problem(*steps: Step) -> Problem:
    return Problem(steps, RESOURCES, now=10.0)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: problem(Step("a", ON_WORKER, after=("b",)), Step("b", ON_WORKER, after=("a",))), "in a circle"),
        (lambda: problem(Step("a", ON_WORKER, after=("a",))), "waits for itself"),
        (lambda: problem(Step("a", ON_WORKER, after=("z",))), "waits for z, which does not exist"),
        (lambda: problem(Step("a", ON_WORKER), Step("a", ON_WORKER)), "Two steps are called a"),
        (lambda: problem(Step("a", ON_WORKER, gpus=2)), "needs 2 GPUs and machine has 1"),
        (lambda: problem(Step("a", ON_WORKER, memory=9 * GIB)), "9.7 GB of memory and machine has 8.6 GB"),
        (lambda: problem(Step("a", {"engine": Option(1.0)}, cores=2)), "needs 5 cores and machine has 4"),
        (lambda: problem(Step("a", {"machine": Option(1.0)})), "machine has no slot"),
        (lambda: problem(Step("a", {"gpu-7": Option(1.0)})), "gpu-7, which does not exist"),
        (lambda: problem(Step("a", {})), "no resource it could run on"),
        (lambda: problem(Step("a", ON_WORKER, deadline=10.0)), "already past"),
        (lambda: problem(Step("a", ON_WORKER, deadline=12.0, release=13.0)), "before it may start"),
        (lambda: Option(-1.0), "duration -1.0"),
        (lambda: Option(math.nan), "duration nan"),
        (lambda: Option(1.0, cost=math.inf), "cost inf"),
        (lambda: Option(1.0, probability=1.5), "more than certain"),
        (lambda: Option(3.0, delay=2.0), "shorter than the 3 s"),
        (lambda: Step("a", ON_WORKER, memory=-1.0), "memory -1.0"),
        (lambda: Step("a", ON_WORKER, weight=math.nan), "weight nan"),
        (lambda: Resource("r", cores=-1), "cores -1"),
        (lambda: Resource("r", held_cores=1), "say which resource it is within"),
        (lambda: Problem((), (Resource("a", within="b"),)), "within b, which does not exist"),
        (lambda: Problem((), (Resource("a", within="b"), Resource("b", within="a"))), "within itself"),
        (lambda: Problem((), (Resource("a"), Resource("a"))), "Two resources are called a"),
    ],
)
def test_what_cannot_be_scheduled_is_one_sentence(make: Callable[[], object], said: str) -> None:
    with pytest.raises(LLMOSError) as caught:
        make()
    sentence = str(caught.value)
    assert said in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_one_possible_resource_is_enough() -> None:
    step = Step("a", {"engine": Option(1.0), "worker": Option(1.0)}, cores=2)
    assert problem(step).step["a"] is step
    assert obstacle(step, "engine", problem().resource) is not None
    assert obstacle(step, "worker", problem().resource) is None


def test_steps_come_after_those_they_wait_for() -> None:
    steps = [Step("c", ON_WORKER, after=("b", "a")), Step("b", ON_WORKER, after=("a",)), Step("a", ON_WORKER)]
    assert [step.id for step in problem(*steps).ordered()] == ["a", "b", "c"]


def test_an_engine_holds_its_cores_once_however_many_slots_are_busy() -> None:
    usage = Usage({resource.id: resource for resource in RESOURCES})
    generation, code = Step("g", {"engine": Option(1.0)}), Step("c", ON_WORKER, cores=1)
    usage.take(generation, "engine")
    usage.take(generation, "engine")
    assert usage.lacking(generation, "engine") == "a slot of engine"
    assert usage.lacking(code, "worker") is None
    usage.take(code, "worker")
    assert usage.lacking(code, "worker") == "cores of machine"
    usage.give(generation, "engine")
    assert usage.lacking(code, "worker") == "cores of machine"
    usage.give(generation, "engine")
    assert usage.lacking(code, "worker") is None


@given(st.lists(st.tuples(st.sampled_from(["engine", "worker"]), st.floats(0, 1), st.integers(0, 1)), max_size=12))
def test_what_is_taken_fits_and_comes_back(demands: list[tuple[str, float, int]]) -> None:
    usage = Usage({resource.id: resource for resource in RESOURCES})
    running = []
    for number, (name, cores, gpus) in enumerate(demands):
        step = Step(str(number), {name: Option(1.0)}, cores=cores, gpus=gpus)
        if usage.lacking(step, name) is None:
            usage.take(step, name)
            running.append((step, name))
    assert sum(step.gpus for step, _ in running) <= 1
    held = 3 if any(name == "engine" for _, name in running) else 0
    assert sum(step.cores for step, _ in running) + held <= 4 + 1e-6
    for step, name in running:
        usage.give(step, name)
    whole = Step("whole", ON_WORKER, cores=4, memory=8 * GIB, gpus=1)
    assert usage.lacking(whole, "worker") is None
