"""How long the list scheduler takes for one decision, with 10 to 10,000 steps queued.

    python -m benchmarks.decision [--decisions 500]

A machine with an engine of two slots and four workers. Steps of three classes, of 40 notebooks, with cores, memory,
deadlines and dependencies. Each round one running step ends, one arrives, and the scheduler decides; `event` is all
that takes, `decide` the decision alone. The last rows are harder on purpose: every step of a notebook of its own, and
every queued step too large to fit beside what runs.
"""

from __future__ import annotations

import argparse
import random
import time

from benchmarks.common import note, percentile, report
from llmos_jupyter.protocol import INTERACTIVE, LOW, NORMAL
from llmos_jupyter.scheduling.dispatch.online import ListScheduler
from llmos_jupyter.scheduling.problem import GIB, Option, Resource, Step

AIM_SECONDS = 0.010

MACHINE = (
    Resource("machine", slots=0, cores=8, memory=32 * GIB, gpus=1),
    Resource("engine", slots=2, within="machine", held_cores=4),
    *(Resource(f"worker-{number}", within="machine") for number in range(4)),
)
WORKERS = tuple(resource.id for resource in MACHINE[2:])


def step(name: str, now: float, dice: random.Random, *, notebooks: int, large: bool) -> Step:
    seconds = dice.lognormvariate(1.0, 1.0)
    generates = dice.random() < 0.5 and not large
    return Step(
        name,
        {"engine": Option(seconds)} if generates else dict.fromkeys(WORKERS, Option(seconds)),
        notebook=str(dice.randrange(notebooks)),
        cores=0 if generates else dice.choice((1, 1, 2)),
        memory=(31 if large else dice.uniform(0.1, 4.0)) * GIB,
        priority=dice.choice((INTERACTIVE, NORMAL, NORMAL, LOW)),
        deadline=now + 10_000 if dice.random() < 0.1 else None,
    )


def measure(queued: int, decisions: int, *, notebooks: int = 40, large: bool = False) -> dict[str, object]:
    dice = random.Random(queued)
    scheduler = ListScheduler(MACHINE)
    if large:  # one step leaves too little memory for any other, and too little to run beside
        scheduler.add(Step("base", {WORKERS[0]: Option(1e9)}, memory=2 * GIB, priority=INTERACTIVE), 0.0)
        scheduler.decide(0.0)
    now = 0.0
    running: list[str] = [] if not large else ["base"]
    for number in range(queued + 6):
        scheduler.add(step(f"q{number}", now, dice, notebooks=notebooks, large=large), now)
    running += [start.step for start in scheduler.decide(now).starts]
    events, decides = [], []
    for number in range(decisions):
        now += dice.expovariate(1.0)
        arrival = step(f"n{number}", now, dice, notebooks=notebooks, large=large)
        began = time.perf_counter()
        scheduler.add(arrival, now)
        if not large and running:
            scheduler.end(running.pop(dice.randrange(len(running))), now)
        middle = time.perf_counter()
        decision = scheduler.decide(now)
        ended = time.perf_counter()
        running += [start.step for start in decision.starts]
        events.append(ended - began)
        decides.append(ended - middle)
    return {
        "queued": queued,
        "case": "nothing fits" if large else ("a notebook each" if notebooks > 1000 else "usual"),
        "decide_p50_ms": 1000 * percentile(decides, 0.5),
        "decide_p99_ms": 1000 * percentile(decides, 0.99),
        "decide_max_ms": 1000 * max(decides),
        "event_p99_ms": 1000 * percentile(events, 0.99),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=500)
    options = parser.parse_args()
    rows = [measure(queued, options.decisions) for queued in (10, 100, 1_000, 10_000)]
    note("the harder cases")
    rows.append(measure(10_000, options.decisions, notebooks=1_000_000))
    rows.append(measure(10_000, options.decisions, large=True))
    slowest = max(float(str(row["decide_p99_ms"])) for row in rows)
    report("decision", rows, aim_ms=1000 * AIM_SECONDS, slowest_p99_ms=slowest, aim_met=slowest < 1000 * AIM_SECONDS)


if __name__ == "__main__":
    main()
