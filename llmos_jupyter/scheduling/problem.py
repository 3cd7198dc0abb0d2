"""What is to be scheduled: steps, the resources they can run on, and what each would cost there.

Times are seconds on one clock of the caller's choice, memory is bytes. Everything is checked when it is made, so that
what the solvers get can be solved, or fails with one sentence for the user.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import INTERACTIVE, LOW, NORMAL, priority_name
from llmos_jupyter.units import size

GIB = 1 << 30

_STEP_NUMBERS = ("cores", "memory", "gpus", "release", "deadline", "priority", "weight", "served")


@dataclass(frozen=True)
class Resource:
    """Something steps occupy: an engine, a worker, a GPU, the machine around them. A limit of None is no limit.

    `slots`: how many steps may run on it at a time. A resource `within` another draws on the other's cores, memory and
    GPUs too (a worker on this machine), not on its slots.
    `held_cores` are taken from the one around it while at least one step runs here: an engine decodes all its slots
    with the same threads.
    `undivided`: what runs on it or within it shares its speed, so steps of a lower class do not run beside those of a
    higher one. Engines within one device, of which each holds all of it, write one after the other.
    """

    id: str
    slots: int = 1
    cores: float | None = None
    memory: float | None = None
    gpus: int | None = None
    within: str | None = None
    held_cores: float = 0.0
    undivided: bool = False

    def __post_init__(self) -> None:
        _check_numbers(f"Resource {self.id}", self, ("slots", "cores", "memory", "gpus", "held_cores"))
        if self.held_cores and self.within is None:
            raise LLMOSError(
                f"Resource {self.id} holds {self.held_cores:g} cores of nothing: say which resource it is within."
            )


@dataclass(frozen=True)
class Option:
    """What one step would be on one resource.

    duration: seconds for which the resource is occupied.
    delay: seconds from the start to the result, d_tr of the models; None: the duration. Never shorter than that.
    cost: c_tr, in any one unit (money, energy, a preference).
    probability: p_tr, that the result is right.
    """

    duration: float = 0.0
    cost: float = 0.0
    delay: float | None = None
    probability: float = 1.0

    def __post_init__(self) -> None:
        _check_numbers("An option", self, ("duration", "cost", "delay", "probability"))
        if self.probability > 1:
            raise LLMOSError(f"A probability of {self.probability:g} is more than certain: give one from 0 to 1.")
        if self.delay is not None and self.delay < self.duration:
            raise LLMOSError(
                f"A delay of {self.delay:g} s is shorter than the {self.duration:g} s the step runs: "
                "leave it out, or give at least that."
            )

    @property
    def wait(self) -> float:
        """Seconds from the start to the result."""
        return self.duration if self.delay is None else self.delay

    def rest(self, share: float) -> Option:
        """The same option when only this share of its time is left."""
        return replace(self, duration=self.duration * share, delay=self.wait * share)


@dataclass(frozen=True)
class Step:
    """One unit of a task that occupies one of several resources.

    options: by resource id; what is not in it is not eligible.
    priority: its class; a fraction is the place within it that the user gave it.
    weight: how much a second of waiting matters beside other steps (of its class).
    served: seconds of service its notebook has had already. preemptible: it can be paused, and go on later.
    """

    id: str
    options: Mapping[str, Option]
    task: str = ""
    notebook: str = ""
    cores: float = 0.0
    memory: float = 0.0
    gpus: int = 0
    release: float = 0.0
    deadline: float | None = None
    priority: float = NORMAL
    weight: float = 1.0
    after: tuple[str, ...] = ()
    served: float = 0.0
    preemptible: bool = False

    def __post_init__(self) -> None:
        _check_numbers(f"Step {self.id}", self, _STEP_NUMBERS)
        if not self.options:
            raise LLMOSError(f"Step {self.id} names no resource it could run on: give it at least one.")


@dataclass(frozen=True)
class Problem:
    """Steps and resources, checked together. `now`: when planning begins; nothing starts earlier.

    running: steps that have begun; each has one option, whose times are those it has left, and starts at `now`.
    """

    steps: tuple[Step, ...]
    resources: tuple[Resource, ...]
    now: float = 0.0
    running: frozenset[str] = frozenset()
    step: Mapping[str, Step] = field(init=False, repr=False, compare=False)
    resource: Mapping[str, Resource] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", _by_id("step", self.steps))
        object.__setattr__(self, "resource", check_resources(self.resources))
        for step in self.steps:
            check_step(step, self.resource, self.step, self.now)
        self.ordered()

    def ordered(self) -> list[Step]:
        """The steps, each after those it depends on. Raises LLMOSError for a cycle."""
        try:
            order = TopologicalSorter({step.id: step.after for step in self.steps}).static_order()
            return [self.step[name] for name in order]
        except CycleError as error:
            raise LLMOSError(
                f"Steps wait for each other in a circle ({' -> '.join(error.args[1])}): take one dependency out."
            ) from error


_Named = TypeVar("_Named", Resource, Step)


def class_of(priority: float) -> int:
    """The class that a priority belongs to: the highest one that it reaches."""
    return next(floor for floor in (INTERACTIVE, NORMAL, LOW) if priority >= floor)


def class_name(priority: float) -> str:
    """The name of a priority class, or its number; what stands behind the point is the user's order within it."""
    return priority_name(int(priority))


def check_resources(resources: Sequence[Resource]) -> dict[str, Resource]:
    """Resources by id. Raises LLMOSError for a name used twice, and for one within itself or within nothing known."""
    known = _by_id("resource", resources)
    for resource in resources:
        seen = [resource.id]
        around = resource.within
        while around is not None:
            if around not in known:
                raise LLMOSError(
                    f"Resource {seen[-1]} is within {around}, which does not exist: add it or leave it out."
                )
            if around in seen:
                raise LLMOSError(f"Resource {around} is within itself: correct its `within`.")
            seen.append(around)
            around = known[around].within
    return known


def check_step(step: Step, resources: Mapping[str, Resource], known: Collection[str], now: float) -> None:
    """Whether a step could ever run: on these resources, after these known steps, from `now` on. Raises LLMOSError."""
    for name in step.options:
        if name not in resources:
            raise LLMOSError(f"Step {step.id} asks for {name}, which does not exist: choose from {_listed(resources)}.")
    for name in step.after:
        if name not in known:
            raise LLMOSError(f"Step {step.id} waits for {name}, which does not exist: correct its dependencies.")
    if step.id in step.after:
        raise LLMOSError(f"Step {step.id} waits for itself: take that dependency out.")
    if step.deadline is not None and step.deadline <= max(now, step.release):
        when = "is already past" if step.deadline <= now else "is before it may start"
        raise LLMOSError(f"The deadline of step {step.id} {when}: give a later one.")
    obstacles = [obstacle(step, name, resources) for name in step.options]
    if all(obstacles):
        raise LLMOSError(f"This task can never run: {obstacles[0]}; ask for less, or for another resource.")


def obstacle(step: Step, name: str, resources: Mapping[str, Resource]) -> str | None:
    """Why a step could not run on a resource even if all else were idle, as a clause; None if it could."""
    if resources[name].slots < 1:
        return f"{name} has no slot"
    for resource in chain(name, resources):
        cores = step.cores if resource.id == name else step.cores + resources[name].held_cores
        wants = ((step.gpus, resource.gpus, "GPUs"), (cores, resource.cores, "cores"))
        for want, limit, word in wants:
            if limit is not None and want > limit:
                return f"it needs {want:g} {word} and {resource.id} has {limit:g}"
        if resource.memory is not None and step.memory > resource.memory:
            return f"it needs {size(step.memory)} of memory and {resource.id} has {size(resource.memory)}"
    return None


def chain(name: str, resources: Mapping[str, Resource]) -> Iterator[Resource]:
    """A resource and those it is within, from the inside out."""
    around: str | None = name
    while around is not None:
        yield resources[around]
        around = resources[around].within


def _by_id(kind: str, things: Iterable[_Named]) -> dict[str, _Named]:
    known: dict[str, _Named] = {}
    for thing in things:
        if thing.id in known:
            raise LLMOSError(f"Two {kind}s are called {thing.id}: give one another name.")
        known[thing.id] = thing
    return known


def _check_numbers(owner: str, thing: object, names: Iterable[str]) -> None:
    for name in names:
        value = getattr(thing, name)
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise LLMOSError(f"{owner} has {name} {value}: give a number that is not negative.")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
