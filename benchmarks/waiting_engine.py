"""A simulated engine, and who gets it: our scheduler, three peers, and an oracle. For `benchmarks.waiting`.

Time is simulated, decisions are real: `Ours` is driven as the daemon drives the scheduler. A task's work is told in
seconds that it takes when it has the engine alone. `k` tasks side by side are served faster than in a row, but not `k`
times as fast (SPEED).
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from llmos_jupyter.protocol import INTERACTIVE
from llmos_jupyter.scheduling.dispatch.online import ListScheduler
from llmos_jupyter.scheduling.problem import Option, Resource, Step

# Speed of the whole engine with so many tasks side by side, of that with one; between and beyond: see `speed`.
# Qwen2.5-Coder 1.5B on two cores writes 32.8, 38.2 and 45.7 tokens/s, and no more with eight: the column `of_one` of
# `python -m benchmarks.sharing --model qwen2.5-coder-1.5b`.
SPEED = {1: 1.0, 2: 1.16, 4: 1.39}
SLOTS = max(SPEED)

# As the daemon has an engine on processor cores: batch tasks do not run beside interactive ones.
ENGINE = Resource("engine", slots=SLOTS, undivided=True)

# The daemon asks the scheduler when something happens, and so often (seconds) when nothing does.
TICK = 1.0
# What our pausing costs: until the engine lets go (a decoding step, closing a connection), and until it writes again.
# llama.cpp finds all that was written in its cache: 0.04 to 0.1 s for 1.5B, four paused beside three others.
PAUSE_SECONDS, RESUME_SECONDS = 0.1, 0.1


@dataclass(frozen=True)
class Task:
    """arrives, seconds: when, and how long alone. predicted: what our scheduler is told instead of that."""

    id: str
    arrives: float
    seconds: float
    predicted: float
    priority: int
    notebook: str

    @property
    def interactive(self) -> bool:
        return self.priority >= INTERACTIVE


@dataclass
class Served:
    """What became of a task: when it was first served, and when it ended."""

    task: Task
    first: float = math.inf
    ended: float = math.inf

    @property
    def response(self) -> float:
        return self.ended - self.task.arrives

    @property
    def wait(self) -> float:
        """Seconds by which the answer came later than from an idle engine."""
        return self.response - self.task.seconds


Left = dict[str, float]


class Policy(Protocol):
    """Who is served. `left` is work left by task; adding to it is what a decision costs the engine."""

    def arrive(self, task: Task, now: float) -> None: ...

    def end(self, task: Task, now: float) -> None: ...

    def serve(self, now: float, left: Left) -> tuple[Sequence[str], float]:
        """Whom the engine serves from now on, and when to ask again even if nothing happens."""
        ...


def speed(tasks: int) -> float:
    """Linear between what was measured; no more is gained beyond."""
    sizes = sorted(SPEED)
    above = next((size for size in sizes if size >= tasks), sizes[-1])
    if tasks >= above:
        return SPEED[above]
    below = max(size for size in sizes if size < tasks)
    return SPEED[below] + (SPEED[above] - SPEED[below]) * (tasks - below) / (above - below)


def simulate(load: Iterable[Task], policy: Policy) -> list[Served]:
    """Every task to its end. All who are served at a time have the same share of the speed."""
    coming = deque(sorted(load, key=lambda task: task.arrives))
    served = {task.id: Served(task) for task in coming}
    left: Left = {}
    now = 0.0
    while coming or left:
        running, ask_again = policy.serve(now, left)
        for name in running:
            served[name].first = min(served[name].first, now)
        rate = speed(len(running)) / len(running) if running else 0.0
        ends = now + min((left[name] for name in running), default=math.inf) / (rate or 1.0)
        arrives = coming[0].arrives if coming else math.inf
        then = min(ends, arrives, ask_again)
        for name in running:
            left[name] -= (then - now) * rate
        now = then
        for name in [name for name in running if left[name] <= 1e-9]:
            del left[name]
            served[name].ended = now
            policy.end(served[name].task, now)
        while coming and coming[0].arrives <= now:
            task = coming.popleft()
            left[task.id] = task.seconds
            policy.arrive(task, now)
    return list(served.values())


class Fifo:
    """llama.cpp's server and Ollama: whoever came first has a slot until the end."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._queue: dict[str, None] = {}

    def arrive(self, task: Task, now: float) -> None:
        self._queue[task.id] = None

    def end(self, task: Task, now: float) -> None:
        del self._queue[task.id]

    def serve(self, now: float, left: Left) -> tuple[Sequence[str], float]:
        return [name for name, _ in zip(self._queue, range(self._slots), strict=False)], math.inf


class ThreadPool(Fifo):
    """AIOS with a thread a task: nobody waits, all share the engine, however many they are."""

    def __init__(self) -> None:
        super().__init__(1_000_000_000)


class RoundRobin:
    """AIOS's other scheduler: slices of one second, one task at a time. Changing costs nothing here."""

    SLICE = 1.0

    def __init__(self) -> None:
        self._queue: deque[str] = deque()
        self._until = math.inf

    def arrive(self, task: Task, now: float) -> None:
        self._queue.append(task.id)

    def end(self, task: Task, now: float) -> None:
        self._queue.remove(task.id)
        self._until = math.inf

    def serve(self, now: float, left: Left) -> tuple[Sequence[str], float]:
        if not self._queue:
            return (), math.inf
        if now >= self._until - 1e-9:
            self._queue.rotate(-1)
            self._until = math.inf
        if math.isinf(self._until):
            self._until = now + self.SLICE
        return (self._queue[0],), self._until


class Oracle:
    """Knows how long each takes, and stops and resumes at no cost: the highest class, the least work left first."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._classes: dict[int, set[str]] = {}

    def arrive(self, task: Task, now: float) -> None:
        self._classes.setdefault(task.priority, set()).add(task.id)

    def end(self, task: Task, now: float) -> None:
        self._classes[task.priority].remove(task.id)

    def serve(self, now: float, left: Left) -> tuple[Sequence[str], float]:
        classes = [names for _, names in sorted(self._classes.items(), reverse=True) if names]
        first: Collection[str] = classes[0] if classes else ()
        return heapq.nsmallest(self._slots, first, key=lambda name: (left[name], name)), math.inf


class Ours:
    """The list scheduler, told what was predicted. Batch tasks give way, and go on later."""

    def __init__(self, engine: Resource = ENGINE) -> None:
        self._scheduler = ListScheduler([engine])
        self._engine = engine.id
        self._running: dict[str, float] = {}
        self._tasks: dict[str, Task] = {}
        self._expected: dict[str, float] = {}
        self._pausing: dict[str, float] = {}

    def arrive(self, task: Task, now: float) -> None:
        self._tasks[task.id] = task
        self._expected[task.id] = task.predicted
        self._scheduler.add(
            Step(
                task.id,
                {self._engine: Option(task.predicted)},
                notebook=task.notebook,
                priority=task.priority,
                preemptible=not task.interactive,
            ),
            now,
        )

    def end(self, task: Task, now: float) -> None:
        del self._running[task.id], self._expected[task.id]
        self._pausing.pop(task.id, None)
        self._scheduler.end(task.id, now)

    def serve(self, now: float, left: Left) -> tuple[Sequence[str], float]:
        for name, when in list(self._pausing.items()):
            if when <= now + 1e-9:
                self._pause(name, now, left)
        decision = self._scheduler.decide(now)
        for start in decision.starts:
            self._running[start.step] = left[start.step]
        for told in decision.yields:
            self._pausing.setdefault(told.step, now + PAUSE_SECONDS)
        tick = now + TICK if self._scheduler.waiting() else math.inf
        return list(self._running), min([tick, *self._pausing.values()])

    def _pause(self, name: str, now: float, left: Left) -> None:
        """What is left is judged by the prediction: a tenth of it, when that was too short."""
        del self._pausing[name]
        task, before = self._tasks[name], self._expected[name]
        done = self._running.pop(name) - left[name]
        self._expected[name] = max(before - done, 0.1 * task.predicted)
        self._scheduler.pause(name, now, left=min(1.0, self._expected[name] / before))
        left[name] += RESUME_SECONDS
