"""Tabu search for the flexible job shop's makespan.

The neighbourhood is that of Mastrolilli and Gambardella ("Effective neighbourhood functions for the flexible job shop
problem", Journal of Scheduling 3, 2000): a step of a critical path is taken out of its machine's sequence and put in
elsewhere, on the same machine or on another that can do it, where that cannot make a cycle. Moves on one machine are
estimated as Balas and Vazacopoulos do (Management Science 44, 1998): the moved block exactly, the rest as it was.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from benchmarks.jobshop.shop import Schedule

# Moves without a better schedule before the search goes back to the best one and shakes it.
PATIENCE = 1500
# Moves made at random then.
SHAKES = 8

Move = tuple[float, int, int, int, float]  # estimate, step, machine, position, duration


def search(
    schedule: Schedule,
    *,
    until: float,
    seed: int = 0,
    bound: float = 0.0,
    exchange: Callable[[Schedule], Schedule | None] = lambda best: None,
) -> Schedule:
    """The best schedule found from `schedule` on, before the monotonic time `until` or when it reaches `bound`.

    exchange: told of each new best, and asked for that of others now and then.
    """
    return _Search(schedule, random.Random(seed), bound, exchange).run(until)


class _Search:
    def __init__(
        self, schedule: Schedule, dice: random.Random, bound: float, exchange: Callable[[Schedule], Schedule | None]
    ) -> None:
        self.now = _copy(schedule)
        self.best = _copy(schedule)
        self.dice, self.bound, self.exchange = dice, bound, exchange
        self.shop = schedule.shop
        self.tabu: dict[tuple[int, int], int] = {}
        self.iteration = 0
        self.since = 0

    def run(self, until: float) -> Schedule:
        while self.best.makespan > self.bound and time.monotonic() < until:
            self.iteration += 1
            path = self._critical_path()
            move = self._choose(path)
            if move is None:
                break  # one path of nothing movable: optimal, or nothing this search can do
            self._apply(move, len(path))
            if self.now.makespan < self.best.makespan:
                self.best = _copy(self.now)
                self.since = 0
                self.exchange(self.best)
            else:
                self.since += 1
                if self.since >= PATIENCE:
                    self._shake()
        return self.best

    def _critical_path(self) -> list[int]:
        """One of the longest paths, chosen at random where they part."""
        now, none = self.now, self.shop.size
        end, tail, duration = now.end, now.tail, now.duration
        longest = now.makespan
        starts = [
            step
            for step in range(none)
            if end[step] - duration[step] + tail[step] >= longest - 1e-9
            and end[step] - duration[step] <= self.shop.release[step] + 1e-9
        ]
        step = self.dice.choice(starts)
        path = [step]
        while True:
            nexts = [
                other
                for other in (self.shop.after[step], now.later[step])
                if other != none
                and abs(end[other] - duration[other] - end[step]) < 1e-9
                and end[step] + tail[other] >= longest - 1e-9
            ]
            if not nexts:
                return path
            step = nexts[0] if len(nexts) == 1 else self.dice.choice(nexts)
            path.append(step)

    def _choose(self, path: list[int]) -> Move | None:
        """The best move that is not tabu, or is but promises a new best; else any, the least tabu first."""
        best: list[Move] = []
        value = float("inf")
        fallback: tuple[int, Move] | None = None
        for step in path:
            for move in self._moves(step):
                estimate = move[0]
                if estimate > value:
                    continue
                until = self.tabu.get((step, move[2]), 0)
                if until > self.iteration and estimate >= self.best.makespan:
                    if fallback is None or until < fallback[0]:
                        fallback = until, move
                    continue
                if estimate < value:
                    value, best = estimate, [move]
                else:
                    best.append(move)
        if best:
            return self.dice.choice(best)
        return None if fallback is None else fallback[1]

    def _moves(self, step: int) -> list[Move]:
        moves: list[Move] = []
        now, shop = self.now, self.shop
        own = now.machine[step]
        before, after = shop.before[step], shop.after[step]
        ready = max(now.end[before], shop.release[step])
        rest = now.tail[after]
        end, tail, duration = now.end, now.tail, now.duration
        # A step that ends after our predecessor in the job cannot lead to it; one that starts before our successor ends
        # cannot follow from it.
        from_time = end[before] if before != shop.size else -1.0
        to_time = end[after] if after != shop.size else float("inf")
        for machine, length in shop.options[step]:
            sequence = now.sequences[machine]
            if machine == own:
                self._moves_on_own(step, sequence, from_time, to_time, moves)
                continue
            previous = shop.size
            for position in range(len(sequence) + 1):
                following = sequence[position] if position < len(sequence) else shop.size
                if following == shop.size or end[following] > from_time:
                    head = ready if ready > end[previous] else end[previous]
                    estimate = head + length + (rest if rest > tail[following] else tail[following])
                    moves.append((estimate, step, machine, position, length))
                if following != shop.size and end[following] - duration[following] >= to_time:
                    break
                previous = following
        return moves

    def _moves_on_own(
        self, step: int, sequence: list[int], from_time: float, to_time: float, moves: list[Move]
    ) -> None:
        now = self.now
        place = sequence.index(step)
        machine, length = now.machine[step], now.duration[step]
        end, duration = now.end, now.duration
        for position in range(place + 1, len(sequence)):
            other = sequence[position]
            if end[other] - duration[other] >= to_time:
                break
            moves.append((self._estimate(sequence, place, position), step, machine, position, length))
        for position in range(place - 1, -1, -1):
            if end[sequence[position]] <= from_time:
                break
            moves.append((self._estimate(sequence, place, position), step, machine, position, length))

    def _estimate(self, sequence: list[int], place: int, position: int) -> float:
        """The longest path through the block that moves, if the step at `place` goes to `position`."""
        now, shop = self.now, self.shop
        end, tail, duration = now.end, now.tail, now.duration
        low, high = (place, position) if place < position else (position, place)
        block = sequence[low : high + 1]
        if place < position:
            block.append(block.pop(0))
        else:
            block.insert(0, block.pop())
        last = end[sequence[low - 1]] if low else 0.0
        starts = []
        for step in block:
            start = max(last, end[shop.before[step]], shop.release[step])
            starts.append(start)
            last = start + duration[step]
        rest = tail[sequence[high + 1]] if high + 1 < len(sequence) else 0.0
        longest = 0.0
        for step, start in zip(reversed(block), reversed(starts), strict=True):
            follow = tail[shop.after[step]]
            rest = duration[step] + (follow if follow > rest else rest)
            if start + rest > longest:
                longest = start + rest
        return longest

    def _apply(self, move: Move, path_length: int) -> None:
        _, step, machine, position, length = move
        now = self.now
        old = now.machine[step]
        place = now.sequences[old].index(step)
        old_length = now.duration[step]
        now.sequences[old].pop(place)
        now.sequences[machine].insert(position, step)
        now.duration[step] = length
        now.link(old)
        now.link(machine)
        tenure = path_length + len(self.shop.options[step])
        self.tabu[step, old] = self.iteration + tenure
        if not now.evaluate():  # a cycle through steps of no duration: take it back
            now.sequences[machine].pop(position)
            now.sequences[old].insert(place, step)
            now.duration[step] = old_length
            now.link(machine)
            now.link(old)
            now.evaluate()
            self.tabu[step, machine] = self.iteration + 10 * tenure

    def _shake(self) -> None:
        """Back to the best schedule, ours or another's, and some moves at random from it."""
        self.since = 0
        self.tabu.clear()
        other = self.exchange(self.best)
        if other is not None and other.makespan < self.best.makespan:
            self.best = other
        self.now = _copy(self.best)
        for _ in range(self.dice.randint(2, SHAKES)):
            path = self._critical_path()
            moves = [move for step in path for move in self._moves(step)]
            if moves:
                self._apply(self.dice.choice(moves), len(path))


def _copy(schedule: Schedule) -> Schedule:
    return Schedule(schedule.shop, schedule.sequences, schedule.duration[:-1])
