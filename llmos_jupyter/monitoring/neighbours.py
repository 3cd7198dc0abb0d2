"""What other programs take of this machine's processors, and how many threads an engine should have beside them.

llama.cpp's threads wait for each other several hundred times a token: one that has to share its core holds up all
others. So the engine leaves to others the cores that they take.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence

from llmos_jupyter.system.hardware import Processors

# Seconds over which what others take is averaged.
AVERAGED = 5.0
# Of a core, what others may take before it is left to them: below it is the noise of a desktop.
NOISE = 0.35
# Seconds for which others must have taken more, or less, before the threads are changed, which costs a second or two:
# a cell that computes for a while is no neighbour to make room for, and who asks after it has ended wants all cores.
UNTIL_FEWER, UNTIL_MORE = 20.0, 4.0


class Neighbours:
    """Fed with the sampler's percentages once a second or so, from one thread; read from any."""

    def __init__(
        self, processors: Processors, clock: Callable[[], float] = time.monotonic, *, quota: bool = False
    ) -> None:
        """`quota`: a container's share of the machine's time, in which the machine's other programs have no part: of
        those inside it nothing is known."""
        self.cores = processors.physical
        self._processors = processors
        self._clock = clock
        self._quota = quota
        self._taken = 0.0
        self._threads = processors.physical
        self._other: tuple[int, float] | None = None

    @property
    def taken(self) -> float:
        """Physical cores that other programs took, averaged over the last seconds."""
        return self._taken

    def note(self, percents: Sequence[float], ours: float, seconds: float) -> None:
        """The percent that each logical processor of the machine was busy in the last `seconds`, and the processor
        time (seconds) that the engine and our tasks had of it."""
        if seconds <= 0 or self._quota:
            return
        busy = sum(percents[number] for number in allowed(len(percents))) / 100
        others = max(0.0, busy - ours / seconds) * self._processors.physical / self._processors.logical
        weight = 1 - math.exp(-seconds / AVERAGED)
        self._taken += weight * (min(others, float(self.cores)) - self._taken)

    def threads(self) -> int:
        """How many threads an engine should have now. Changes only when others have taken more or less for a while."""
        suits = max(1, self.cores - math.floor(self._taken + 1 - NOISE))
        if suits == self._threads:
            self._other = None
            return self._threads
        now = self._clock()
        if self._other is None or (self._other[0] < self._threads) != (suits < self._threads):
            self._other = (suits, now)
        needed = UNTIL_FEWER if suits < self._threads else UNTIL_MORE
        if now - self._other[1] >= needed:
            self._threads, self._other = suits, None
        return self._threads


def allowed(count: int) -> list[int]:
    """The numbers of the processors that this process may run on, of so many."""
    if not hasattr(os, "sched_getaffinity"):
        return list(range(count))
    return [number for number in sorted(os.sched_getaffinity(0)) if number < count] or list(range(count))
