"""The list scheduler that decides every time something arrives, ends, fails or overruns. It keeps no clock of its own.

Who goes first:

1. The higher class (interactive, normal, low, or a number).
2. Within a class the notebook that has had less service of late (in levels, see `service`), then the step predicted
   to be shortest, then the one that came first.
3. A step that has waited longer than its class allows, or must start now to meet its deadline, is *due*. Due steps go
   before the others of their class, and lower classes get one DUE_SHARE-th of the time from higher ones if they did not
   have as much anyway (see `turns`): nothing starves, and interactive steps lose at most that.
4. What does not fit (cores, memory, GPUs) is passed over, but a due step that does not fit is kept room for: until it
   can start, others start beside it only if they are predicted to end before (EASY backfilling, Lifka 1995).
5. On an undivided resource a lower class waits while a higher one runs, and gives way when one comes; not while it has
   its turn.
6. Steps of an improved plan that was taken (`follow`) start as planned until something unforeseen happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.scheduling.dispatch import window
from llmos_jupyter.scheduling.dispatch.capacity import TOLERANCE, Usage
from llmos_jupyter.scheduling.dispatch.ready import Rank, ReadySteps, Waiting
from llmos_jupyter.scheduling.dispatch.service import Service
from llmos_jupyter.scheduling.dispatch.turns import Turns, turn
from llmos_jupyter.scheduling.dispatch.waiting_room import Dropped, WaitingRoom
from llmos_jupyter.scheduling.plan import Placement, Plan
from llmos_jupyter.scheduling.policy import LOOKAHEAD, Decision, Start, Yield, due, reason
from llmos_jupyter.scheduling.problem import (
    Problem,
    Resource,
    Step,
    chain,
    check_resources,
    check_step,
    class_name,
    class_of,
)

NEXT = "the next decision"


@dataclass
class _Running:
    entry: Waiting
    resource: str
    began: float
    ends: float
    charged: float
    turn_ends: float


class ListScheduler:
    """Steps and resources as they are now. Every method takes the time; one earlier than before counts as before."""

    def __init__(self, resources: Sequence[Resource], now: float = 0.0) -> None:
        self.resources = check_resources(resources)
        self.now = now
        self._service = Service()
        self._usage = Usage(self.resources)
        self._room = WaitingRoom()
        self._ready: dict[frozenset[str], ReadySteps] = {}
        self._where: dict[str, frozenset[str]] = {}
        self._running: dict[str, _Running] = {}
        self._turns = Turns()
        self._number = 0
        self._lacked: dict[frozenset[str], str] = {}
        self._held: dict[str, Waiting] = {}
        self._closed: dict[str, str] = {}
        self._awaited: dict[str, int] = {}
        self._planned: dict[str, list[Placement]] = {}

    # What happens.

    def add(self, step: Step, now: float) -> None:
        """A step arrives. Raises LLMOSError if it could never run, or waits for what is unknown or failed."""
        self._advance(now)
        if step.id in self._known([step.id]):
            raise LLMOSError(f"A step {step.id} is queued already: give this one another name.")
        check_step(step, self.resources, self._room.endings(step.after) | self._known(step.after), self.now)
        if step.served and self._service.seconds(step.notebook, self.now) == 0.0:
            self._charge(step.notebook, step.served)
        self._planned.clear()
        if self._room.admit(step, self.now):
            self._make_ready(step)

    def end(self, step: str, now: float) -> None:
        """A running step has ended well: what waited for it can start."""
        self._advance(now)
        self._release(step)
        for freed in self._room.ended(step, self.now):
            self._make_ready(freed)

    def fail(self, step: str, now: float) -> list[Dropped]:
        """A step has failed for good. Returns what can therefore never run, and why."""
        self._advance(now)
        self._release(step)
        self._planned.clear()
        return self._room.failed(step, "failed")

    def cancel(self, step: str, now: float) -> list[Dropped]:
        """A step, waiting or running, is taken out. Returns what can therefore never run, and why."""
        self._advance(now)
        if step in self._where:
            self._ready[self._where.pop(step)].remove(step)
        elif step in self._running:
            self._release(step)
        elif step in self._held:
            del self._held[step]
        elif not self._room.knows(step):
            raise LLMOSError(f"Step {step} neither waits nor runs: there is nothing to cancel.")
        self._planned.clear()
        return self._room.failed(step, "was cancelled")

    def retry(self, step: str, now: float, *, after: float = 0.0) -> None:
        """A running step has failed and is to be tried again, not sooner than `after` seconds from now."""
        self._advance(now)
        entry = self._release(step)
        self._planned.clear()
        again = replace(entry.step, release=self.now + after, after=())
        if self._room.admit(again, self.now):
            self._make_ready(again)

    def pause(self, step: str, now: float, *, left: float = 1.0) -> None:
        """A running step has been paused with this share of it left. It keeps its place by age."""
        self._advance(now)
        entry = self._release(step)
        options = {name: option.rest(left) for name, option in entry.step.options.items()}
        self._enqueue(replace(entry, step=replace(entry.step, options=options), number=self._next()))

    def hold(self, step: str, now: float) -> None:
        """Somebody wants a step that could start, or has been paused, not to be started for now."""
        self._advance(now)
        self._planned.clear()
        if step not in self._where:
            raise LLMOSError(f"Step {step} cannot be held: it does not wait for a resource.")
        self._held[step] = self._ready[self._where.pop(step)].remove(step)

    def release(self, step: str, now: float) -> None:
        """A step that was held may start again. It has kept its place by age."""
        self._advance(now)
        self._planned.clear()
        if step not in self._held:
            raise LLMOSError(f"Step {step} is not held: there is nothing to release.")
        self._enqueue(self._held.pop(step))

    def close(self, resource: str, reason: str) -> None:
        """Start nothing on a resource until it is opened again: `reason` is told as what a step waits for."""
        self._closed[resource] = reason

    def open(self, resource: str) -> None:
        self._closed.pop(resource, None)

    def reprioritise(self, step: str, priority: float, now: float) -> None:
        """A waiting step moves to another class. Raises LLMOSError if it does not wait."""
        self._advance(now)
        self._planned.clear()
        if step in self._held:
            entry = self._held[step]
            moved = replace(entry.step, priority=priority)
            self._held[step] = replace(entry, step=moved, due=min(entry.due, due(moved, entry.ready)))
            return
        if step in self._where:
            entry = self._ready[self._where[step]].remove(step)
            moved = replace(entry.step, priority=priority)
            self._enqueue(Waiting(moved, entry.ready, min(entry.due, due(moved, entry.ready)), self._next()))
        elif not self._room.reprioritise(step, priority):
            raise LLMOSError(f"Step {step} is not waiting: only what waits can change its priority.")

    def change_resources(self, resources: Sequence[Resource], now: float) -> list[str]:
        """Resources came, went or changed. Running steps of those that went wait again; returns their ids."""
        self._advance(now)
        self.resources = check_resources(resources)
        self._planned.clear()
        lost = [name for name, running in self._running.items() if running.resource not in self.resources]
        for name in lost:
            running = self._running.pop(name)
            self._charge(running.entry.step.notebook, self.now - running.began - running.charged)
            self._enqueue(replace(running.entry, number=self._next()))
        self._usage = Usage(self.resources)
        for running in self._running.values():
            self._usage.take(running.entry.step, running.resource)
        return lost

    def follow(self, plan: Plan, now: float) -> None:
        """Take an improved plan for steps that wait: they start in its order and where it says."""
        self._advance(now)
        self._planned = {}
        for placement in sorted(plan.values(), key=lambda placement: placement.start):
            if placement.step not in self._running:
                self._planned.setdefault(placement.resource, []).append(placement)

    # What to do.

    def decide(self, now: float) -> Decision:
        """What to start, and what to pause, now. The starts are counted as begun."""
        self._advance(now)
        overran = self._overran()
        self._awaited.clear()
        starts = self._start_planned()
        reserved: tuple[Waiting, str, float] | None = None
        passed = 0
        while passed < LOOKAHEAD:
            chosen = self._next_choice(allow_due=reserved is None)
            if chosen is None:
                break
            entry, as_due, in_turn = chosen
            where = self._place(entry.step, reserved, in_turn=in_turn)
            if where is not None:
                starts.append(self._start(entry, where, as_due=as_due, in_turn=in_turn))
            elif as_due:
                reserved = self._reserve(entry)
            else:
                self._ready[self._where[entry.step.id]].set_aside(entry)
                passed += 1
        for ready in self._ready.values():
            ready.put_back()
        for eligible, ready in self._ready.items():
            if ready.waiting and not self._has_slot(eligible):
                closed = [self._closed[name] for name in eligible if name in self._closed]
                self._lacked[eligible] = closed[0] if closed else f"a slot of {' or '.join(sorted(eligible))}"
        return Decision(tuple(starts), tuple(self._yields()), overran)

    def why(self, step: str, now: float) -> str:
        """What a step waits for, or since when it runs, as one sentence."""
        self._advance(now)
        if step in self._running:
            running = self._running[step]
            return f"It has run on {running.resource} for {self.now - running.began:.1f} s."
        if step in self._held:
            return f"It is held, and has waited {self.now - self._held[step].ready:.1f} s."
        if step not in self._where:
            return self._room.why(step, self.now)
        eligible = self._where[step]
        entry = self._ready[eligible].waiting[step]
        rank = self._ready[eligible].rank(entry)
        ahead = sum(other < rank for other, _ in self._ready[eligible].ranked())
        lacked = self._lacked.get(eligible, NEXT)
        first = "it is next" if ahead == 0 else f"{ahead} go first"
        waited = self.now - entry.ready
        return f"It has waited {waited:.1f} s for {lacked}; in class {class_name(entry.step.priority)} {first}."

    def waits_for(self, step: str) -> str:
        """What a step that has not started waits for, in a few words."""
        if step in self._held:
            return "held"
        if step in self._where:
            return f"waits for {self._lacked.get(self._where[step], NEXT)}"
        return self._room.why(step, self.now)

    def waiting(self) -> int:
        """How many steps have not started."""
        return len(self._where) + len(self._held) + len(self._room)

    def ranks(self) -> dict[str, Rank]:
        """What each step that could start is ordered by; less is earlier."""
        return {entry.step.id: rank for ready in self._ready.values() for rank, entry in ready.ranked()}

    def window(self, size: int, now: float) -> Problem:
        """The next `size` steps in the order they would go, with all that runs, for a solver to improve; see
        `window.look_ahead`."""
        self._advance(now)
        ranked = [pair for ready in self._ready.values() for pair in ready.ranked()]
        running = [window.Begun(r.entry.step, r.resource, r.began, r.ends) for r in self._running.values()]
        return window.look_ahead(ranked, running, self._room, self.resources, size, self.now)

    # How.

    def _advance(self, now: float) -> None:
        self.now = max(self.now, now)
        for notebook in self._service.advance(self.now):
            self._relevel(notebook)
        for step in self._room.released(self.now):
            self._make_ready(step)

    def _known(self, names: Iterable[str]) -> set[str]:
        places = (self._running, self._where, self._held)
        return {name for name in names if any(name in place for place in places) or self._room.knows(name)}

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _make_ready(self, step: Step) -> None:
        self._enqueue(Waiting(step, self.now, due(step, self.now), self._next()))

    def _enqueue(self, entry: Waiting) -> None:
        eligible = frozenset(entry.step.options)
        self._where[entry.step.id] = eligible
        self._ready.setdefault(eligible, ReadySteps(self._service)).add(entry)

    def _charge(self, notebook: str, seconds: float) -> None:
        if self._service.add(notebook, seconds, self.now):
            self._relevel(notebook)

    def _relevel(self, notebook: str) -> None:
        for ready in self._ready.values():
            ready.relevel(notebook)

    def _release(self, step: str) -> Waiting:
        if step not in self._running:
            raise LLMOSError(f"Step {step} is not running.")
        running = self._running.pop(step)
        self._usage.give(running.entry.step, running.resource)
        self._charge(running.entry.step.notebook, self.now - running.began - running.charged)
        self._count_turns(running)
        return running.entry

    def _count_turns(self, running: _Running) -> None:
        """Whether lower classes, if they have waited too long, had this time of the resource or others had it."""
        due = [
            entry.step.priority
            for eligible, ready in self._ready.items()
            if running.resource in eligible
            for entry in ready.first_due(self.now)
        ]
        if due:
            higher = running.entry.step.priority > min(due)
            self._turns.ran(running.resource, self.now - running.turn_ends, higher=higher)
        else:
            self._turns.none_due(running.resource)

    def _has_slot(self, eligible: Iterable[str]) -> bool:
        return any(
            name in self.resources and name not in self._closed and self._usage.slots[name] < self.resources[name].slots
            for name in eligible
        )

    def _next_choice(self, *, allow_due: bool) -> tuple[Waiting, bool, bool] | None:
        """The next step by the rules, whether it goes because it is due, and whether in spite of a higher class.

        Only where a slot is free.
        """
        free = [ready for eligible, ready in self._ready.items() if ready.waiting and self._has_slot(eligible)]
        firsts = [(ready.rank(entry), entry) for ready in free if (entry := ready.first()) is not None]
        first = min(firsts, default=None, key=lambda pair: pair[0])
        dues = [entry for ready in free for entry in ready.first_due(self.now)] if allow_due else []
        if dues:
            oldest_first = sorted(dues, key=lambda entry: (entry.due, entry.number))
            highest = max(entry.step.priority for entry in (dues if first is None else [first[1]]))
            for entry in oldest_first:
                if self._has_turn(entry, highest):
                    return entry, True, True
            own = [entry for entry in oldest_first if entry.step.priority >= highest]
            if own:
                return own[0], True, False
        return None if first is None else (first[1], False, False)

    def _has_turn(self, entry: Waiting, highest: float) -> bool:
        """Whether a due step may go in spite of a higher class that waits (its priority is given) or runs."""
        step = entry.step
        return any(
            name in self.resources
            and self._turns.earned(name, turn(step, option.duration))
            and max([highest, *self._priorities_on(name)]) > step.priority
            for name, option in step.options.items()
        )

    def _priorities_on(self, name: str) -> list[float]:
        return [running.entry.step.priority for running in self._running.values() if running.resource == name]

    def _place(self, step: Step, reserved: tuple[Waiting, str, float] | None, *, in_turn: bool = False) -> str | None:
        """The free resource where it is predicted to end first; None, with the reason kept, if there is none."""
        best = None
        for name, option in step.options.items():
            if name not in self.resources:
                continue
            lacking = self._lacking(step, name, in_turn) or self._held_back(step, name, option.duration, reserved)
            if lacking is not None:
                self._lacked[frozenset(step.options)] = lacking
            elif best is None or (option.duration, option.cost) < best[0]:
                best = (option.duration, option.cost), name
        return None if best is None else best[1]

    def _lacking(self, step: Step, name: str, in_turn: bool = False) -> str | None:
        """What keeps a step from starting on a resource now, whatever else waits."""
        lacking = self._closed.get(name) or self._usage.lacking(step, name)
        return lacking or (None if in_turn else self._divided(step, name))

    def _divided(self, step: Step, name: str) -> str | None:
        """What of another class runs on an undivided resource: the step waits for its end, or for it to give way.

        Until all of it has given way nothing of its class takes the places that become free.
        """
        if not self.resources[name].undivided:
            return None
        own = class_of(step.priority)
        if self._awaited.get(name, own) > own:
            return f"{name}, on which less urgent work gives way"
        for running in self._running.values():
            if running.resource == name and running.turn_ends <= self.now:
                other = class_of(running.entry.step.priority)
                if other > own:
                    return f"{name}, on which more urgent work runs"
                if other < own and running.entry.step.preemptible:
                    self._awaited.setdefault(name, own)
                    return f"{name}, on which less urgent work gives way"
        return None

    def _held_back(
        self, step: Step, name: str, duration: float, reserved: tuple[Waiting, str, float] | None
    ) -> str | None:
        planned = self._planned.get(name)
        if planned and planned[0].step != step.id and self.now + duration > planned[0].start + TOLERANCE:
            return f"{name}, which is kept for a planned step"
        if reserved is None or reserved[0].step.id == step.id:
            return None
        _, place, until = reserved
        apart = {r.id for r in chain(name, self.resources)}.isdisjoint(r.id for r in chain(place, self.resources))
        if apart or self.now + duration <= until + TOLERANCE:
            return None
        return f"{name}, which is kept for a step that has waited too long"

    def _reserve(self, entry: Waiting) -> tuple[Waiting, str, float]:
        """Where a step that does not fit can start first, and when, if what runs ends as predicted."""
        usage = Usage(self.resources)
        for running in self._running.values():
            usage.take(running.entry.step, running.resource)
        for running in sorted(self._running.values(), key=lambda running: running.ends):
            usage.give(running.entry.step, running.resource)
            for name in entry.step.options:
                if name in self.resources and usage.lacking(entry.step, name) is None:
                    return entry, name, running.ends
        return entry, next(iter(entry.step.options)), float("-inf")

    def _start(
        self, entry: Waiting, name: str, *, as_due: bool = False, in_turn: bool = False, planned: bool = False
    ) -> Start:
        step = entry.step
        eligible = self._where.pop(step.id)
        lacked = self._lacked.get(eligible, NEXT)
        self._ready[eligible].remove(step.id)
        duration = step.options[name].duration
        self._usage.take(step, name)
        turn_ends = self.now
        if in_turn:
            turn_ends += turn(step, duration)
            self._turns.take(step.options, turn(step, duration))
        self._running[step.id] = _Running(entry, name, self.now, self.now + duration, duration, turn_ends)
        self._charge(step.notebook, duration)
        if not self._ready[eligible].waiting:
            del self._ready[eligible]
            self._lacked.pop(eligible, None)
        why = reason(entry, self.now, lacked, as_due=as_due, planned=planned)
        return Start(step.id, name, why, duration)

    def _start_planned(self) -> list[Start]:
        starts = []
        for name, placements in list(self._planned.items()):
            while placements:
                step = placements[0].step
                if step not in self._where and self._room.knows(step):
                    break  # what it waits for has not ended
                if step in self._where:
                    entry = self._ready[self._where[step]].waiting[step]
                    if name not in self.resources or self._lacking(entry.step, name) is not None:
                        break
                    starts.append(self._start(entry, name, planned=True))
                placements.pop(0)
            if not placements:
                del self._planned[name]
        return starts

    def _overran(self) -> tuple[str, ...]:
        """Steps past their predicted end. The longer one has run, the longer it is taken to go on."""
        late = [name for name, running in self._running.items() if running.ends < self.now - TOLERANCE]
        for name in late:
            running = self._running[name]
            running.ends = self.now + (self.now - running.began)
        if late:
            self._planned.clear()
        return tuple(late)

    def _yields(self) -> Iterable[Yield]:
        asked: set[str] = set()
        for eligible, ready in self._ready.items():
            entry = ready.first()
            if entry is None:
                continue
            able = sorted(
                (running.entry.step.priority, -running.ends, name)
                for name, running in self._running.items()
                if running.resource in eligible
                and running.entry.step.preemptible
                and running.turn_ends <= self.now
                and running.entry.step.priority < entry.step.priority
                and name not in asked
            )
            own = class_of(entry.step.priority)
            lower = [name for priority, _, name in able if class_of(priority) < own and self._undivided(name)]
            if not lower and not self._has_slot(eligible):
                lower = [name for _, _, name in able[:1]]
            for name in lower:
                asked.add(name)
                waiting, kind = entry.step.id, class_name(entry.step.priority)
                yield Yield(name, waiting, f"{waiting} of class {kind} waits for {self._running[name].resource}")

    def _undivided(self, step: str) -> bool:
        return self.resources[self._running[step].resource].undivided
