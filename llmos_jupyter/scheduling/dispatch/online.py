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
5. On an undivided resource, and on all within it, a lower class waits while a higher one runs, and gives way when one
   comes; not while it has its turn. A step that waits for an engine beside its own on such a device has room kept for
   it as a due one has: else an engine that is always asked would never let the other write.
6. Steps of an improved plan that was taken (`follow`) start as planned until something unforeseen happens.

Over 400 lines: the rules of one class read the same state, and apart they would have to hand it around.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.scheduling.dispatch import window
from llmos_jupyter.scheduling.dispatch.capacity import TOLERANCE
from llmos_jupyter.scheduling.dispatch.occupied import Occupied, Reservation, Running
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
    check_step,
    class_name,
)

NEXT = "the next decision"


class ListScheduler:
    """Steps and resources as they are now. Every method takes the time; one earlier than before counts as before."""

    def __init__(self, resources: Sequence[Resource], now: float = 0.0) -> None:
        self.now = now
        self._service = Service()
        self._occupied = Occupied(resources)
        self._room = WaitingRoom()
        self._ready: dict[frozenset[str], ReadySteps] = {}
        self._where: dict[str, frozenset[str]] = {}
        self._turns = Turns()
        self._number = 0
        self._lacked: dict[frozenset[str], str] = {}
        self._held: dict[str, Waiting] = {}
        self._planned: dict[str, list[Placement]] = {}

    @property
    def resources(self) -> dict[str, Resource]:
        """What steps run on, by name."""
        return self._occupied.resources

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
        elif step in self._occupied.running:
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
        self._occupied.close(resource, reason)

    def open(self, resource: str) -> None:
        self._occupied.open(resource)

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
        self._planned.clear()
        lost = self._occupied.change(resources)
        for running in lost:
            self._charge(running.entry.step.notebook, self.now - running.began - running.charged)
            self._enqueue(replace(running.entry, number=self._next()))
        return [running.entry.step.id for running in lost]

    def follow(self, plan: Plan, now: float) -> None:
        """Take an improved plan for steps that wait: they start in its order and where it says."""
        self._advance(now)
        self._planned = {}
        for placement in sorted(plan.values(), key=lambda placement: placement.start):
            if placement.step not in self._occupied.running:
                self._planned.setdefault(placement.resource, []).append(placement)

    # What to do.

    def decide(self, now: float) -> Decision:
        """What to start, and what to pause, now. The starts are counted as begun."""
        self._advance(now)
        if overran := self._occupied.overran(self.now):
            self._planned.clear()
        self._occupied.decide_anew()
        starts = self._start_planned()
        reserved: Reservation | None = None
        passed = 0
        while passed < LOOKAHEAD:
            chosen = self._next_choice(allow_due=reserved is None)
            if chosen is None:
                break
            entry, as_due, in_turn = chosen
            where = self._place(entry.step, reserved, in_turn=in_turn)
            if where is not None:
                starts.append(self._start(entry, where, as_due=as_due, in_turn=in_turn))
            elif as_due or (reserved is None and self._occupied.waits_for_others(entry.step)):
                reserved = self._occupied.reserve(entry)
            else:
                self._ready[self._where[entry.step.id]].set_aside(entry)
                passed += 1
        for ready in self._ready.values():
            ready.put_back()
        for eligible, ready in self._ready.items():
            if ready.waiting and not self._occupied.has_slot(eligible):
                self._lacked[eligible] = self._occupied.lacks(eligible)
        return Decision(tuple(starts), tuple(self._yields()), overran)

    def why(self, step: str, now: float) -> str:
        """What a step waits for, or since when it runs, as one sentence."""
        self._advance(now)
        if step in self._occupied.running:
            running = self._occupied.running[step]
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
        running = [window.Begun(r.entry.step, r.resource, r.began, r.ends) for r in self._occupied.running.values()]
        return window.look_ahead(ranked, running, self._room, self.resources, size, self.now)

    # How.

    def _advance(self, now: float) -> None:
        self.now = max(self.now, now)
        for notebook in self._service.advance(self.now):
            self._relevel(notebook)
        for step in self._room.released(self.now):
            self._make_ready(step)

    def _known(self, names: Iterable[str]) -> set[str]:
        places = (self._occupied.running, self._where, self._held)
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
        running = self._occupied.end(step)
        self._charge(running.entry.step.notebook, self.now - running.began - running.charged)
        self._count_turns(running)
        return running.entry

    def _count_turns(self, running: Running) -> None:
        """Whether lower classes, if they have waited too long, had this time of the resource or others had it."""
        ground = self._occupied.ground(running.resource)
        due = [
            entry.step.priority
            for eligible, ready in self._ready.items()
            if ground in map(self._occupied.ground, eligible)
            for entry in ready.first_due(self.now)
        ]
        if due:
            higher = running.entry.step.priority > min(due)
            self._turns.ran(ground, self.now - running.turn_ends, higher=higher)
        else:
            self._turns.none_due(ground)

    def _next_choice(self, *, allow_due: bool) -> tuple[Waiting, bool, bool] | None:
        """The next step by the rules, whether it goes because it is due, and whether in spite of a higher class.

        Only where a slot is free.
        """
        free = [ready for eligible, ready in self._ready.items() if ready.waiting and self._occupied.has_slot(eligible)]
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
            and self._turns.earned(self._occupied.ground(name), turn(step, option.duration))
            and max([highest, *self._occupied.priorities_on(name)]) > step.priority
            for name, option in step.options.items()
        )

    def _place(self, step: Step, reserved: Reservation | None, *, in_turn: bool = False) -> str | None:
        """The free resource where it is predicted to end first; None, with the reason kept, if there is none."""
        best = None
        for name, option in step.options.items():
            if name not in self.resources:
                continue
            lacking = self._occupied.lacking(step, name, self.now, in_turn)
            lacking = lacking or self._held_back(step, name, option.duration, reserved)
            if lacking is not None:
                self._lacked[frozenset(step.options)] = lacking
            elif best is None or (option.duration, option.cost) < best[0]:
                best = (option.duration, option.cost), name
        return None if best is None else best[1]

    def _held_back(self, step: Step, name: str, duration: float, reserved: Reservation | None) -> str | None:
        planned = self._planned.get(name)
        if planned and planned[0].step != step.id and self.now + duration > planned[0].start + TOLERANCE:
            return f"{name}, which is kept for a planned step"
        if reserved is None or reserved.entry.step.id == step.id:
            return None
        if not self._occupied.in_the_way(reserved, name, self.now + duration):
            return None
        return f"{name}, which is kept for a step that has waited too long"

    def _start(
        self, entry: Waiting, name: str, *, as_due: bool = False, in_turn: bool = False, planned: bool = False
    ) -> Start:
        step = entry.step
        eligible = self._where.pop(step.id)
        lacked = self._lacked.get(eligible, NEXT)
        self._ready[eligible].remove(step.id)
        duration = step.options[name].duration
        turn_ends = self.now
        if in_turn:
            turn_ends += turn(step, duration)
            self._turns.take(map(self._occupied.ground, step.options), turn(step, duration))
        self._occupied.begin(Running(entry, name, self.now, self.now + duration, duration, turn_ends))
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
                    if name not in self.resources or self._occupied.lacking(entry.step, name, self.now) is not None:
                        break
                    starts.append(self._start(entry, name, planned=True))
                placements.pop(0)
            if not placements:
                del self._planned[name]
        return starts

    def _yields(self) -> Iterable[Yield]:
        asked: set[str] = set()
        for eligible, ready in self._ready.items():
            entry = ready.first()
            if entry is None:
                continue
            for name in self._occupied.to_give_way(entry, eligible, asked, self.now):
                asked.add(name)
                waiting, kind = entry.step.id, class_name(entry.step.priority)
                where = self._occupied.running[name].resource
                yield Yield(name, waiting, f"{waiting} of class {kind} waits for {where}")
