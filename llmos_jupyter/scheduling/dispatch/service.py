"""How much service each notebook has had of late, in levels: who has had little goes first within a class.

Levels instead of seconds (discretised attained service, as in multi-level feedback queues): notebooks that have had
about the same are equal, and among equals the shortest step goes first.
"""

from __future__ import annotations

import heapq
import math

# Up to this many seconds of service is level 0; each doubling is a level more.
UNIT = 10.0
# Service counts half after this many seconds.
HALF_LIFE = 600.0
# Less than this is as if there had been none.
FORGOTTEN = UNIT / 1000


class Service:
    """Attained service by notebook, halved every HALF_LIFE seconds. Times must not go back."""

    def __init__(self) -> None:
        self._had: dict[str, tuple[float, float]] = {}
        self._level: dict[str, int] = {}
        self._drops: list[tuple[float, str]] = []

    def level(self, notebook: str) -> int:
        """0 for little service or none; one more for each doubling."""
        return self._level.get(notebook, 0)

    def seconds(self, notebook: str, now: float) -> float:
        """Service had, old service counting less."""
        had, at = self._had.get(notebook, (0.0, now))
        return had * math.pow(2.0, (at - now) / HALF_LIFE)

    def add(self, notebook: str, seconds: float, now: float) -> bool:
        """Count service (negative: less than was counted before). Whether the notebook's level changed."""
        had = max(0.0, self.seconds(notebook, now) + seconds)
        self._had[notebook] = had, now
        return self._relevel(notebook, now)

    def advance(self, now: float) -> list[str]:
        """The notebooks whose level fell because time went by."""
        fallen = []
        while self._drops and self._drops[0][0] <= now:
            _, notebook = heapq.heappop(self._drops)
            if self._relevel(notebook, now):
                fallen.append(notebook)
        return fallen

    def _relevel(self, notebook: str, now: float) -> bool:
        had = self.seconds(notebook, now)
        before, level = self.level(notebook), _level(had)
        if had <= FORGOTTEN:
            self._had.pop(notebook, None)
            self._level.pop(notebook, None)
        else:
            self._level[notebook] = level
            floor = FORGOTTEN if level == 0 else UNIT * math.pow(2.0, level - 1)
            # A moment later than the exact one, so that rounding cannot leave it on its level for good.
            heapq.heappush(self._drops, (now + HALF_LIFE * math.log2(had / floor) + 1e-3, notebook))
        return level != before


def _level(seconds: float) -> int:
    return 0 if seconds < UNIT else 1 + math.floor(math.log2(seconds / UNIT))
