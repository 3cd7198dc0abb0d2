"""What runs where, what of it keeps another step from starting there now, and what should give way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.scheduling.dispatch.capacity import TOLERANCE, Usage
from llmos_jupyter.scheduling.dispatch.ready import Waiting
from llmos_jupyter.scheduling.problem import Resource, Step, chain, check_resources, class_of


@dataclass
class Running:
    """A step that runs. `ends`: as predicted; `charged`: the seconds of service that were counted when it began;
    `turn_ends`: until when it keeps its place among higher classes."""

    entry: Waiting
    resource: str
    began: float
    ends: float
    charged: float
    turn_ends: float


class Reservation(NamedTuple):
    """Where a step that does not fit can start first, and when, if what runs ends as predicted."""

    entry: Waiting
    resource: str
    until: float


class Occupied:
    """The resources, and the steps that run on them."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self.resources = check_resources(resources)
        self._grounds = _grounds(self.resources)
        self.running: dict[str, Running] = {}
        self._usage = Usage(self.resources)
        self._closed: dict[str, str] = {}
        # By resource, the highest class for which what runs there has to give way.
        self._awaited: dict[str, int] = {}

    def begin(self, running: Running) -> None:
        """A step starts."""
        self._usage.take(running.entry.step, running.resource)
        self.running[running.entry.step.id] = running

    def end(self, step: str) -> Running:
        """A step no longer runs. Raises LLMOSError if it did not."""
        if step not in self.running:
            raise LLMOSError(f"Step {step} is not running.")
        running = self.running.pop(step)
        self._usage.give(running.entry.step, running.resource)
        return running

    def change(self, resources: Sequence[Resource]) -> list[Running]:
        """Resources came, went or changed. Returns what ran on those that went."""
        self.resources = check_resources(resources)
        self._grounds = _grounds(self.resources)
        lost = [running for running in self.running.values() if running.resource not in self.resources]
        for running in lost:
            del self.running[running.entry.step.id]
        self._usage = Usage(self.resources)
        for running in self.running.values():
            self._usage.take(running.entry.step, running.resource)
        return lost

    def ground(self, resource: str) -> str:
        """What a resource shares its speed with: the outermost undivided one around it, or itself."""
        return self._grounds.get(resource, resource)

    def close(self, resource: str, reason: str) -> None:
        self._closed[resource] = reason

    def open(self, resource: str) -> None:
        self._closed.pop(resource, None)

    def overran(self, now: float) -> tuple[str, ...]:
        """Steps past their predicted end. The longer one has run, the longer it is taken to go on."""
        late = [name for name, running in self.running.items() if running.ends < now - TOLERANCE]
        for name in late:
            running = self.running[name]
            running.ends = now + (now - running.began)
        return tuple(late)

    # --- whether a step can start -----------------------------------------------------------

    def has_slot(self, eligible: Iterable[str]) -> bool:
        """Whether one of these resources has a free slot."""
        return any(
            name in self.resources and name not in self._closed and self._usage.slots[name] < self.resources[name].slots
            for name in eligible
        )

    def lacks(self, eligible: Collection[str]) -> str:
        """What is wanting where none of these resources has a free slot."""
        closed = [self._closed[name] for name in eligible if name in self._closed]
        return closed[0] if closed else f"a slot of {' or '.join(sorted(eligible))}"

    def lacking(self, step: Step, name: str, now: float, in_turn: bool = False) -> str | None:
        """What keeps a step from starting on a resource now, whatever else waits."""
        lacking = self._closed.get(name) or self._usage.lacking(step, name)
        return lacking or (None if in_turn else self._divided(step, name, now))

    def waits_for_others(self, step: Step) -> bool:
        """Whether all that keeps a step from starting is another engine that writes on the device of its own."""
        return all(
            name in self.resources
            and self.ground(name) != name
            and self._usage.slots[name] == 0
            and any(self.ground(running.resource) == self.ground(name) for running in self.running.values())
            for name in step.options
        )

    def decide_anew(self) -> None:
        """A new decision begins: nobody waits yet for what runs to give way."""
        self._awaited.clear()

    def _divided(self, step: Step, name: str, now: float) -> str | None:
        """What of another class runs on an undivided resource: the step waits for its end, or for it to give way.

        Until all of it has given way nothing of its class takes the places that become free.
        """
        if not self.resources[name].undivided:
            return None
        own = class_of(step.priority)
        if self._awaited.get(name, own) > own:
            return f"{name}, on which less urgent work gives way"
        for running in self.running.values():
            if running.resource == name and running.turn_ends <= now:
                other = class_of(running.entry.step.priority)
                if other > own:
                    return f"{name}, on which more urgent work runs"
                if other < own and running.entry.step.preemptible:
                    self._awaited.setdefault(name, own)
                    return f"{name}, on which less urgent work gives way"
        return None

    def reserve(self, entry: Waiting) -> Reservation:
        """Keep room for a step that does not fit; one of its resources at least is here."""
        usage = Usage(self.resources)
        for running in self.running.values():
            usage.take(running.entry.step, running.resource)
        for running in sorted(self.running.values(), key=lambda running: running.ends):
            usage.give(running.entry.step, running.resource)
            for name in entry.step.options:
                if name in self.resources and usage.lacking(entry.step, name) is None:
                    return Reservation(entry, name, running.ends)
        here = [name for name in entry.step.options if name in self.resources]
        fits = any(usage.lacking(entry.step, name) is None for name in here)
        # What fits on nothing that is left would be kept room for in vain, and for ever.
        return Reservation(entry, here[0], float("-inf") if fits else float("inf"))

    def in_the_way(self, reserved: Reservation, name: str, ends: float) -> bool:
        """Whether a step that ends then on this resource would delay the one that room is kept for."""
        around, kept = ({r.id for r in chain(each, self.resources)} for each in (name, reserved.resource))
        return not around.isdisjoint(kept) and ends > reserved.until + TOLERANCE

    # --- whether a step should give way -----------------------------------------------------

    def priorities_on(self, name: str) -> list[float]:
        """Of what runs on a resource, or shares its speed."""
        ground = self.ground(name)
        running = self.running.values()
        return [each.entry.step.priority for each in running if self.ground(each.resource) == ground]

    def to_give_way(self, entry: Waiting, eligible: frozenset[str], asked: Collection[str], now: float) -> list[str]:
        """The running steps that should give way to one that waits; not those that were asked already."""
        grounds = {self.ground(name) for name in eligible}
        able = sorted(
            (running.entry.step.priority, -running.ends, name)
            for name, running in self.running.items()
            if self.ground(running.resource) in grounds
            and running.entry.step.preemptible
            and running.turn_ends <= now
            and running.entry.step.priority < entry.step.priority
            and name not in asked
        )
        own = class_of(entry.step.priority)
        lower = [name for priority, _, name in able if class_of(priority) < own and self._undivided(name)]
        if not lower and not self.has_slot(eligible):
            return [name for _, _, name in able[:1]]
        return lower

    def _undivided(self, step: str) -> bool:
        return self.resources[self.ground(self.running[step].resource)].undivided


def _grounds(resources: Mapping[str, Resource]) -> dict[str, str]:
    """By resource, the outermost undivided one that it is or is within; only where there is one."""
    shared = {name: [each.id for each in chain(name, resources) if each.undivided] for name in resources}
    return {name: around[-1] for name, around in shared.items() if around}
