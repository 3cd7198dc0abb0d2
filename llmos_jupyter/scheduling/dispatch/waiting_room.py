"""Steps that cannot start yet: because they wait for others to end, or for their release. And how steps ended."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.scheduling.problem import Step

# So many endings are remembered, for steps that come later and depend on them.
REMEMBERED = 100_000


@dataclass(frozen=True)
class Dropped:
    """A step that can never run. reason: a clause for the user."""

    step: str
    reason: str


class WaitingRoom:
    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}
        self._missing: dict[str, set[str]] = {}
        self._dependents: dict[str, list[str]] = {}
        self._releases: list[tuple[float, str]] = []
        self._endings: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._steps)

    def knows(self, step: str) -> bool:
        return step in self._steps

    def endings(self, names: Iterable[str]) -> set[str]:
        """Which of these have ended well. Raises LLMOSError if one has ended otherwise."""
        ended = {name for name in names if name in self._endings}
        for name in ended:
            if self._endings[name] != "ended":
                raise LLMOSError(f"It would wait for {name}, which {self._endings[name]}: run that again first.")
        return ended

    def admit(self, step: Step, now: float) -> bool:
        """Whether the step can start now; if not it is kept here until it can."""
        missing = {name for name in step.after if self._endings.get(name) != "ended"}
        self._endings.pop(step.id, None)
        if not missing and step.release <= now:
            return True
        self._steps[step.id] = step
        if missing:
            self._missing[step.id] = missing
            for name in missing:
                self._dependents.setdefault(name, []).append(step.id)
        else:
            heapq.heappush(self._releases, (step.release, step.id))
        return False

    def released(self, now: float) -> list[Step]:
        """The steps whose release has come, each once."""
        steps = []
        while self._releases and self._releases[0][0] <= now:
            release, name = heapq.heappop(self._releases)
            step = self._steps.get(name)
            if step is not None and step.release == release and name not in self._missing:
                steps.append(self._steps.pop(name))
        return steps

    def ended(self, name: str, now: float) -> list[Step]:
        """A step has ended well. Returns those that can start because of it."""
        self._remember(name, "ended")
        freed = []
        for dependent in self._dependents.pop(name, []):
            missing = self._missing.get(dependent)
            if missing is None:
                continue
            missing.discard(name)
            if not missing:
                del self._missing[dependent]
                step = self._steps.pop(dependent)
                if self.admit(step, now):
                    freed.append(step)
        return freed

    def failed(self, name: str, how: str) -> list[Dropped]:
        """A step has ended otherwise ("failed", "was cancelled"). Returns those that can never run because of it."""
        self._forget(name)
        self._remember(name, how)
        dropped: list[Dropped] = []
        gone = [(name, how)]
        while gone:
            lost, how = gone.pop()
            for dependent in self._dependents.pop(lost, []):
                if dependent in self._steps:
                    self._forget(dependent)
                    self._remember(dependent, "could not run")
                    dropped.append(Dropped(dependent, f"it waited for {lost}, which {how}"))
                    gone.append((dependent, "could not run"))
        return dropped

    def reprioritise(self, name: str, priority: float) -> bool:
        if name not in self._steps:
            return False
        self._steps[name] = replace(self._steps[name], priority=priority)
        return True

    def why(self, name: str, now: float) -> str:
        if name in self._missing:
            return f"It waits for {', '.join(sorted(self._missing[name]))} to end."
        if name in self._steps:
            return f"It may start in {self._steps[name].release - now:.1f} s."
        if name in self._endings:
            return f"It {self._endings[name]}."
        raise LLMOSError(f"There is no step {name}: `llmos queue` lists those there are.")

    def next_after(self, known: Collection[str]) -> list[Step]:
        """Steps that could follow when those known have ended, each after those it waits for."""
        chosen = set(known)
        steps: list[Step] = []
        ahead = list(known)
        while ahead:
            for dependent in self._dependents.get(ahead.pop(0), []):
                missing = self._missing.get(dependent)
                if missing is not None and dependent not in chosen and missing <= chosen:
                    chosen.add(dependent)
                    ahead.append(dependent)
                    steps.append(self._steps[dependent])
        return steps

    def _forget(self, name: str) -> None:
        self._steps.pop(name, None)
        self._missing.pop(name, None)

    def _remember(self, name: str, how: str) -> None:
        self._endings[name] = how
        if len(self._endings) > REMEMBERED:
            del self._endings[next(iter(self._endings))]
