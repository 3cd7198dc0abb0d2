"""The next steps of a list scheduler as a problem of its own, small enough for a solver to improve."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from llmos_jupyter.scheduling.dispatch.ready import Rank, Waiting
from llmos_jupyter.scheduling.dispatch.waiting_room import WaitingRoom
from llmos_jupyter.scheduling.policy import class_weight
from llmos_jupyter.scheduling.problem import Problem, Resource, Step, obstacle


@dataclass(frozen=True)
class Begun:
    """A running step: where, since when, and until when as it is predicted."""

    step: Step
    resource: str
    began: float
    ends: float


def look_ahead(
    ranked: Iterable[tuple[Rank, Waiting]],
    running: Sequence[Begun],
    room: WaitingRoom,
    resources: Mapping[str, Resource],
    size: int,
    now: float,
) -> Problem:
    """The next `size` steps in the order they would go, with all that runs.

    Steps that wait for others are in it as soon as all those are. Weights are those of class and step together.
    """
    entries = sorted(
        (rank[0], min(entry.due, now), rank, entry.step.id, entry.step)
        for rank, entry in ranked
        if _possible(entry.step, resources)
    )[:size]
    chosen = {name: step for *_, name, step in entries}
    known = [*(begun.step.id for begun in running), *chosen]
    for step in room.next_after(known):
        if len(chosen) >= size or not _possible(step, resources):
            break
        chosen[step.id] = step
    rest = [_rest(begun, now) for begun in running]
    kept = {step.id for step in rest} | set(chosen)
    steps = [_weighted(step, kept, resources, now) for step in [*rest, *chosen.values()]]
    return Problem(tuple(steps), tuple(resources.values()), now, frozenset(begun.step.id for begun in running))


def _possible(step: Step, resources: Mapping[str, Resource]) -> bool:
    """Whether it could run on the resources there are at present."""
    return any(name in resources and obstacle(step, name, resources) is None for name in step.options)


def _rest(begun: Begun, now: float) -> Step:
    """A running step as what is left of it."""
    step = begun.step
    option = step.options[begun.resource]
    left = max(0.0, begun.ends - now)
    rest = replace(option, duration=left, delay=left + max(0.0, option.wait - option.duration))
    return replace(step, options={begun.resource: rest}, release=begun.began, deadline=None)


def _weighted(step: Step, kept: Collection[str], resources: Mapping[str, Resource], now: float) -> Step:
    options = {name: option for name, option in step.options.items() if name in resources}
    weight = step.weight * class_weight(step.priority)
    deadline = step.deadline if step.deadline is not None and step.deadline > now else None
    after = tuple(name for name in step.after if name in kept)
    return replace(step, options=options, weight=weight, deadline=deadline, after=after)
