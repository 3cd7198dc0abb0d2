"""The flexible job shop on several processors: tabu search on all but one, CP-SAT in neighbourhoods on the second.

They tell each other the best they have. Tabu search is the quicker by far; where few machines can do much of the same,
it stalls above the optimum, and CP-SAT goes on from there.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from benchmarks.jobshop import tabu
from benchmarks.jobshop.shop import RULES, Schedule, Shop, dispatch
from llmos_jupyter.scheduling.plan import Goal, Placement, Plan
from llmos_jupyter.scheduling.problem import Problem

# Machine sequences and durations: what processes send each other.
_Sent = tuple[list[list[int]], list[float]]


def search(
    problem: Problem, incumbent: Plan | None, *, seconds: float, workers: int = 2, seed: int = 0
) -> dict[str, Placement]:
    """The best plan found in `seconds`, never longer than the incumbent's. `problem` must be a job shop (`is_shop`)."""
    until = time.monotonic() + seconds
    shop = Shop(problem)
    starts = sorted((dispatch(shop, rule) for rule in RULES.values()), key=lambda schedule: schedule.makespan)
    if incumbent is not None:
        starts.insert(0, shop.schedule(incumbent))
    context = multiprocessing.get_context("spawn")
    helpers = []
    for number in range(1, workers):
        start = starts[number % len(starts)]
        ours, theirs = context.Pipe()
        left = until - time.monotonic()
        sent = start.sequences, start.duration[:-1]
        helper = context.Process(target=_work, args=(theirs, problem, sent, left, seed + number, number == 1))
        helper.start()
        theirs.close()
        helpers.append((helper, ours))
    exchange = _Exchange(shop, [pipe for _, pipe in helpers], helping=False)
    first = min(starts, key=lambda schedule: schedule.makespan)
    try:
        best = tabu.search(first, until=until, seed=seed, bound=shop.bound(), exchange=exchange)
        other = exchange(best)
    finally:
        for helper, _ in helpers:
            helper.kill()
            helper.join()
    return (best if other is None or best.makespan <= other.makespan else other).plan()


class _Exchange:
    """Sends each new best to the other processes, and keeps the best of theirs. A helper ends with the one it helps."""

    def __init__(self, shop: Shop, pipes: Sequence[Connection], *, helping: bool) -> None:
        self.shop, self.pipes, self.helping = shop, list(pipes), helping
        self.known = float("inf")
        self.theirs: Schedule | None = None

    def __call__(self, best: Schedule) -> Schedule | None:
        for pipe in list(self.pipes):
            try:
                while pipe.poll():
                    sequences, durations = pipe.recv()
                    received = Schedule(self.shop, sequences, durations)
                    if received.makespan < self.known:
                        self.known, self.theirs = received.makespan, received
                if best.makespan < self.known:
                    pipe.send((best.sequences, best.duration[:-1]))
            except (EOFError, OSError) as error:  # the other has ended
                if self.helping:  # and it was the one that wanted to know
                    raise SystemExit from error
                self.pipes.remove(pipe)
        self.known = min(self.known, best.makespan)
        return self.theirs


def _work(pipe: Connection, problem: Problem, start: _Sent, seconds: float, seed: int, cpsat: bool) -> None:
    until = time.monotonic() + seconds
    shop = Shop(problem)
    exchange = _Exchange(shop, [pipe], helping=True)
    schedule = Schedule(shop, *start)
    if not cpsat:
        tabu.search(schedule, until=until, seed=seed, bound=shop.bound(), exchange=exchange)
        return
    from llmos_jupyter.scheduling.improving import lns

    def exchange_plans(best: Plan) -> Plan | None:
        theirs = exchange(shop.schedule(best))
        return None if theirs is None else theirs.plan()

    lns.improve(
        problem,
        schedule.plan(),
        Goal.MAKESPAN,
        seconds=until - time.monotonic(),
        workers=1,
        seed=seed,
        tighten=lambda _, plan: shop.schedule(plan).plan(),
        exchange=exchange_plans,
    )
