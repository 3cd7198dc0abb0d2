"""The flexible job shop in arrays, for search that needs thousands of evaluations a second.

A problem is one if every resource takes one step at a time and nothing else is shared, and each step waits for at most
one other and is waited for by at most one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llmos_jupyter.scheduling.plan import Placement, Plan, place, possible
from llmos_jupyter.scheduling.problem import Problem


def is_shop(problem: Problem) -> bool:
    """Whether the problem is a flexible job shop."""
    waited_for = [before for step in problem.steps for before in step.after]
    limits = [limit for r in problem.resources for limit in (r.cores, r.memory, r.gpus) if limit is not None]
    return (
        not limits
        and not problem.running
        and all(resource.slots <= 1 for resource in problem.resources)
        and len(waited_for) == len(set(waited_for))
        and all(len(step.after) <= 1 for step in problem.steps)
        and all(option.wait == option.duration for step in problem.steps for option in step.options.values())
    )


class Shop:
    """Steps 0 to n-1. `before` and `after` are the neighbours in the job; n stands for none.

    options: (machine, duration) of each step. release: seconds after now.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.names = [step.id for step in problem.steps]
        self.machines = [resource.id for resource in problem.resources]
        self.size = len(self.names)
        number = {name: index for index, name in enumerate(self.names)}
        machine = {name: index for index, name in enumerate(self.machines)}
        self.before = [self.size] * (self.size + 1)
        self.after = [self.size] * (self.size + 1)
        self.release = [max(0.0, step.release - problem.now) for step in problem.steps]
        self.options = [
            [(machine[name], step.options[name].duration) for name in possible(problem, step)] for step in problem.steps
        ]
        for step in problem.steps:
            for earlier in step.after:
                self.before[number[step.id]] = number[earlier]
                self.after[number[earlier]] = number[step.id]
        self.jobs = [self._job(first) for first in range(self.size) if self.before[first] == self.size]

    def _job(self, step: int) -> list[int]:
        steps = []
        while step < self.size:
            steps.append(step)
            step = self.after[step]
        return steps

    def bound(self) -> float:
        """No makespan is less than this: the longest job, the mean load of all machines, what one machine must do."""
        least = [min(duration for _, duration in options) for options in self.options]
        jobs = [self.release[job[0]] + sum(least[step] for step in job) for job in self.jobs]
        only: dict[frozenset[int], float] = {}
        for step, options in enumerate(self.options):
            able = frozenset(machine for machine, _ in options)
            only[able] = only.get(able, 0.0) + least[step]
        loads = [
            sum(load for able, load in only.items() if able <= machines) / len(machines)
            for machines in {*only, frozenset(range(len(self.machines)))}
        ]
        return max([*jobs, *loads], default=0.0)

    def schedule(self, plan: Plan) -> Schedule:
        """The machine sequences of a plan, with every step as early as they allow."""
        number = {name: index for index, name in enumerate(self.names)}
        sequences: list[list[int]] = [[] for _ in self.machines]
        durations = [0.0] * self.size
        # Of steps that start together those that take no time come first, and of those the earlier in the job.
        for placement in sorted(plan.values(), key=lambda p: (p.start, p.end)):
            step = number[placement.step]
            sequences[self.machines.index(placement.resource)].append(step)
            durations[step] = placement.end - placement.start
        return Schedule(self, sequences, durations)


class Schedule:
    """Machine sequences with the times that follow from them.

    end[i]: when step i ends at the earliest. tail[i]: from its start to the end of all that follows it, at the least.
    """

    def __init__(self, shop: Shop, sequences: Sequence[Sequence[int]], durations: Sequence[float]) -> None:
        self.shop = shop
        self.sequences = [list(sequence) for sequence in sequences]
        self.duration = [*durations, 0.0]
        self.machine = [0] * shop.size
        self.earlier = [shop.size] * (shop.size + 1)
        self.later = [shop.size] * (shop.size + 1)
        for machine in range(len(self.sequences)):
            self.link(machine)
        self.end = [0.0] * (shop.size + 1)
        self.tail = [0.0] * (shop.size + 1)
        self.makespan = 0.0
        self.order: list[int] = []
        self.evaluate()

    def link(self, machine: int) -> None:
        """Take over a changed machine sequence."""
        last = none = self.shop.size
        for step in self.sequences[machine]:
            self.machine[step] = machine
            self.earlier[step] = last
            if last != none:
                self.later[last] = step
            last = step
        if last != none:
            self.later[last] = none

    def evaluate(self) -> bool:
        """Compute all times. False if the sequences contradict each other: then the times mean nothing."""
        shop, none = self.shop, self.shop.size
        before, after, release = shop.before, shop.after, shop.release
        earlier, later, duration = self.earlier, self.later, self.duration
        end, tail = self.end, self.tail
        missing = [(b != none) + (e != none) for b, e in zip(before, earlier, strict=True)]
        missing[none] = 1 << 60
        order = [step for step in range(none) if not missing[step]]
        for step in order:  # grows while it is walked
            start = release[step]
            if (other := end[before[step]]) > start:
                start = other
            if (other := end[earlier[step]]) > start:
                start = other
            end[step] = start + duration[step]
            follower = after[step]
            missing[follower] -= 1
            if not missing[follower]:
                order.append(follower)
            follower = later[step]
            missing[follower] -= 1
            if not missing[follower]:
                order.append(follower)
        if len(order) < none:
            return False
        for step in reversed(order):
            one, other = tail[after[step]], tail[later[step]]
            tail[step] = duration[step] + (one if one > other else other)
        self.order = order
        self.makespan = max(end)
        return True

    def plan(self) -> dict[str, Placement]:
        shop = self.shop
        starts = [shop.problem.now + self.end[step] - self.duration[step] for step in range(shop.size)]
        return {
            name: place(shop.problem.step[name], shop.machines[self.machine[step]], starts[step])
            for step, name in enumerate(shop.names)
        }


Rule = Callable[[Shop, int, float, float], float]


def dispatch(shop: Shop, rank: Rule) -> Schedule:
    """Build a schedule by a dispatching rule: always the step of lowest rank, on the machine where it ends first.

    rank is given the shop, a step, the work left in its job from it on, and when it would end.
    """
    left = [0.0] * (shop.size + 1)
    for job in shop.jobs:
        for step in reversed(job):
            left[step] = left[shop.after[step]] + sum(d for _, d in shop.options[step]) / len(shop.options[step])
    free = [0.0] * len(shop.machines)
    ended = [0.0] * (shop.size + 1)
    sequences: list[list[int]] = [[] for _ in shop.machines]
    durations = [0.0] * shop.size
    waiting = {job[0] for job in shop.jobs}
    while waiting:
        choices = []
        for step in waiting:
            ready = max(shop.release[step], ended[shop.before[step]])
            end, duration, machine = min((max(ready, free[m]) + d, d, m) for m, d in shop.options[step])
            choices.append((rank(shop, step, left[step], end), end, step, machine, duration))
        _, end, step, machine, duration = min(choices)
        sequences[machine].append(step)
        durations[step], free[machine], ended[step] = duration, end, end
        waiting.remove(step)
        if shop.after[step] < shop.size:
            waiting.add(shop.after[step])
    return Schedule(shop, sequences, durations)


RULES: dict[str, Rule] = {
    "most work remaining": lambda shop, step, left, end: -left,
    "earliest end": lambda shop, step, left, end: end,
    "earliest end, most work remaining": lambda shop, step, left, end: end - left,
    "end and half the work remaining": lambda shop, step, left, end: end - left / 2,
}
