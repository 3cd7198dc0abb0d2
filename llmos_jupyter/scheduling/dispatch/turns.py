"""When a step of a lower class that has waited too long may go before higher ones: so that it gets a share of the time.

While such a step waits for a resource, what higher classes have of that resource earns lower ones a share of it, and
what lower classes have anyway (because nothing higher was there) is taken off. So nothing starves, and as long as what
is left over is such a share, higher classes never wait for lower ones.
"""

from __future__ import annotations

from collections.abc import Iterable

from llmos_jupyter.scheduling.policy import DUE_SHARE, TURN
from llmos_jupyter.scheduling.problem import Step


def turn(step: Step, seconds: float) -> float:
    """How long a due step keeps its place among higher classes: to its end, or so long that pausing it is worth it."""
    return min(seconds, TURN) if step.preemptible else seconds


class Turns:
    """Seconds of each resource that higher classes had while a due step of a lower one waited, less those paid for."""

    def __init__(self) -> None:
        self._earned: dict[str, float] = {}

    def ran(self, resource: str, seconds: float, *, higher: bool) -> None:
        """A step, of a higher class than the lowest that is due there or not, has had so many seconds of a resource."""
        change = seconds if higher else -(DUE_SHARE - 1) * seconds
        self._earned[resource] = max(0.0, self._earned.get(resource, 0.0) + change)

    def none_due(self, resource: str) -> None:
        """Nothing waits too long for a resource: what was earned is forgotten."""
        self._earned.pop(resource, None)

    def take(self, resources: Iterable[str], seconds: float) -> None:
        """A turn of so many seconds begins, wherever: it is paid for where most was earned."""
        self.ran(max(resources, key=lambda name: self._earned.get(name, 0.0)), seconds, higher=False)

    def earned(self, resource: str, seconds: float) -> bool:
        """Whether it is time for a turn of so many seconds."""
        return self._earned.get(resource, 0.0) >= (DUE_SHARE - 1) * seconds
