"""What CP-SAT adds to the list scheduler: weighted flow of the next steps, before and after so many seconds.

    python -m benchmarks.replanning [--windows 10] [--sizes 20 30] [--seconds 0.5 2]

A window is what a loaded scheduler would start next (three classes, cores, memory, dependencies; some steps running).
Its first plan is what the list scheduler would do if all lasted as predicted; `improve` gets that plan and the seconds.
`better` is the share of weighted flow (see `plan.weighted_flow`) that it takes off: never negative, because a plan
that is not better is not taken.
"""

from __future__ import annotations

import argparse
import random

from benchmarks.common import median, note, report
from llmos_jupyter.protocol import INTERACTIVE, LOW, NORMAL
from llmos_jupyter.scheduling.dispatch.online import ListScheduler
from llmos_jupyter.scheduling.improving import solver
from llmos_jupyter.scheduling.plan import Goal, violations
from llmos_jupyter.scheduling.problem import GIB, Option, Problem, Resource, Step

MACHINE = (
    Resource("machine", slots=0, cores=8, memory=16 * GIB),
    Resource("engine", slots=2, within="machine", held_cores=4),
    *(Resource(f"worker-{number}", within="machine") for number in range(3)),
)
WORKERS = tuple(resource.id for resource in MACHINE[2:])


def window(seed: int, size: int) -> Problem:
    dice = random.Random(seed)
    scheduler = ListScheduler(MACHINE)
    for number in range(4 * size):
        seconds = round(dice.lognormvariate(1.5, 1.0), 1) + 0.1
        generates = dice.random() < 0.5
        scheduler.add(
            Step(
                f"s{number}",
                {"engine": Option(seconds)} if generates else dict.fromkeys(WORKERS, Option(seconds)),
                notebook=str(dice.randrange(8)),
                cores=0 if generates else dice.choice((1, 2)),
                memory=dice.uniform(0, 6) * GIB,
                priority=dice.choice((LOW, NORMAL, NORMAL, INTERACTIVE)),
                after=(f"s{number - 1}",) if number and dice.random() < 0.3 else (),
            ),
            0.0,
        )
    scheduler.decide(0.0)
    return scheduler.window(size, 0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=10)
    parser.add_argument("--sizes", type=int, nargs="+", default=[20, 30])
    parser.add_argument("--seconds", type=float, nargs="+", default=[0.5, 2.0])
    options = parser.parse_args()
    rows = []
    for size in options.sizes:
        for seconds in options.seconds:
            shares = []
            for seed in range(options.windows):
                problem = window(seed, size)
                before = solver.first_plan(problem)
                after = solver.improve(problem, before, seconds=seconds)
                wrong = violations(problem, after, deadlines=False)
                if wrong:
                    raise AssertionError(wrong[0])
                shares.append(1 - Goal.FLOW.of(problem, after) / Goal.FLOW.of(problem, before))
            rows.append(
                {
                    "steps": size,
                    "seconds": seconds,
                    "windows": len(shares),
                    "better_median": median(shares),
                    "better_min": min(shares),
                    "better_max": max(shares),
                }
            )
            note(f"{rows[-1]}")
    report("replanning", rows)


if __name__ == "__main__":
    main()
