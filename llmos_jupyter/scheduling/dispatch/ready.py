"""Steps that could start at once, in the order in which they should. All that wait for the same set of resources.

Two heaps deep: steps by predicted duration within each class and notebook, and the first of each of those by their
notebook's service. So a notebook with thousands of steps changes its place by one entry, not by thousands.
Entries that have been overtaken stay in the heaps and are dropped when they come up.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from llmos_jupyter.scheduling.dispatch.service import Service
from llmos_jupyter.scheduling.problem import Step

Rank = tuple[float, int, float, int]


@dataclass(frozen=True)
class Waiting:
    """A step that could start. ready: since when. due: when it has waited too long. number: order of arrival."""

    step: Step
    ready: float
    due: float
    number: int

    @property
    def predicted(self) -> float:
        """Seconds on the resource where it takes least."""
        return min(option.duration for option in self.step.options.values())


class ReadySteps:
    """Waiting steps that may go to the same resources."""

    def __init__(self, service: Service) -> None:
        self.waiting: dict[str, Waiting] = {}
        self._service = service
        self._queues: dict[float, dict[str, list[tuple[float, int, str]]]] = {}
        self._heads: dict[float, list[tuple[int, float, int, str]]] = {}
        self._due: dict[float, list[tuple[float, int, str]]] = {}
        self._aside: set[str] = set()

    def __len__(self) -> int:
        return len(self.waiting)

    def add(self, entry: Waiting) -> None:
        self.waiting[entry.step.id] = entry
        heapq.heappush(self._due.setdefault(entry.step.priority, []), (entry.due, entry.number, entry.step.id))
        self._enqueue(entry)

    def remove(self, step: str) -> Waiting:
        """Take a step out. Raises KeyError if it is not here."""
        entry = self.waiting.pop(step)
        self._aside.discard(step)
        self._uncover(entry.step)
        return entry

    def set_aside(self, entry: Waiting) -> None:
        """Let `first` pass over a step until it is put back."""
        self._aside.add(entry.step.id)
        self._uncover(entry.step)

    def put_back(self) -> None:
        """End all setting aside."""
        aside, self._aside = self._aside, set()
        for step in aside:
            self._enqueue(self.waiting[step])

    def relevel(self, notebook: str) -> None:
        """The notebook's level of service has changed."""
        for priority in list(self._queues):
            self._announce(priority, notebook)

    def first(self) -> Waiting | None:
        """By class, then by level of service, then the shortest."""
        for priority in sorted(self._queues, reverse=True):
            heads = self._heads[priority]
            while heads:
                level, _, number, notebook = heads[0]
                queue = self._queues[priority].get(notebook)
                if queue and queue[0][1] == number and level == self._service.level(notebook):
                    return self.waiting[queue[0][2]]
                heapq.heappop(heads)
        return None

    def first_due(self, now: float) -> Iterator[Waiting]:
        """Of each class the step that should have started longest ago."""
        for priority, due in list(self._due.items()):
            while due and due[0][0] <= now:
                _, number, step = due[0]
                entry = self.waiting.get(step)
                if entry is not None and entry.number == number:
                    yield entry
                    break
                heapq.heappop(due)
            if not due:
                del self._due[priority]

    def rank(self, entry: Waiting) -> Rank:
        """What `first` goes by; less is earlier."""
        step = entry.step
        return -step.priority, self._service.level(step.notebook), entry.predicted, entry.number

    def ranked(self) -> Iterator[tuple[Rank, Waiting]]:
        for entry in self.waiting.values():
            yield self.rank(entry), entry

    def _enqueue(self, entry: Waiting) -> None:
        step = entry.step
        queue = self._queues.setdefault(step.priority, {}).setdefault(step.notebook, [])
        heapq.heappush(queue, (entry.predicted, entry.number, step.id))
        if queue[0][2] == step.id:
            self._announce(step.priority, step.notebook)

    def _uncover(self, step: Step) -> None:
        """A step is gone from `first`: if it headed its queue, the next one does."""
        queue = self._queues.get(step.priority, {}).get(step.notebook)
        if queue and queue[0][2] == step.id:
            self._announce(step.priority, step.notebook)

    def _announce(self, priority: float, notebook: str) -> None:
        """Put the first step of a class and notebook, as it is now, among the heads."""
        queues = self._queues[priority]
        queue = queues.get(notebook)
        if queue is None:
            return
        while queue and not self._is_current(queue[0]):
            heapq.heappop(queue)
        if queue:
            predicted, number, _ = queue[0]
            heads = self._heads.setdefault(priority, [])
            heapq.heappush(heads, (self._service.level(notebook), predicted, number, notebook))
            return
        del queues[notebook]
        if not queues:
            del self._queues[priority]
            self._heads.pop(priority, None)

    def _is_current(self, item: tuple[float, int, str]) -> bool:
        _, number, step = item
        entry = self.waiting.get(step)
        return entry is not None and entry.number == number and step not in self._aside
