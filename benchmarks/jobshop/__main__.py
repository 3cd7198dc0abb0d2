"""The flexible job shop of Brandimarte: makespan after 10 s on 2 processors, over the best known.

    python -m benchmarks.jobshop [--data benchmarks/data/fjsp] [--seconds 10] [--instances mk01 mk02 ...]

Each instance is one `Problem`. Its start is the plan of the rule "most work remaining" (MWKR); `shop_search` gets
that plan and so many seconds, all of it counted. `ratio` is the makespan over the best known (a best known makespan is
an upper bound of the optimum). Each plan is checked by `violations`, which shares nothing with the search.
The folder may also be named by LLMOS_FJSP_DATA; benchmarks/data/fjsp/README.md says where the instances come from.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from pathlib import Path

from benchmarks.common import note, report
from benchmarks.jobshop import shop_search
from benchmarks.jobshop.instances import DATA, read
from benchmarks.jobshop.shop import RULES, Shop, dispatch
from llmos_jupyter.scheduling.plan import makespan, violations
from llmos_jupyter.scheduling.problem import Problem

AIM = 1.05


def measure(name: str, problem: Problem, best: float, seconds: float, workers: int) -> dict[str, str | float]:
    shop = Shop(problem)
    began = time.monotonic()
    start = dispatch(shop, RULES["most work remaining"]).plan()
    plan = shop_search.search(problem, start, seconds=seconds, workers=workers)
    took = time.monotonic() - began
    wrong = violations(problem, plan)
    if wrong:
        raise AssertionError(f"{name}: {wrong[0]}")
    return {
        "instance": name,
        "steps": len(problem.steps),
        "best_known": best,
        "list": makespan(problem, start),
        "found": makespan(problem, plan),
        "list_ratio": makespan(problem, start) / best,
        "ratio": round(makespan(problem, plan) / best, 4),
        "seconds": round(took, 2),
    }


def geometric_mean(values: list[float]) -> float:
    return math.exp(sum(math.log(value) for value in values) / len(values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("LLMOS_FJSP_DATA", DATA)))
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--instances", nargs="*", default=[])
    options = parser.parse_args()
    known = json.loads((options.data / "best_known.json").read_text(encoding="utf-8"))
    rows = []
    for name in options.instances or sorted(known):
        problem = read(options.data / f"{name}.txt")
        rows.append(measure(name, problem, known[name]["upper_bound"], options.seconds, options.workers))
        note(f"{rows[-1]}")
    mean = geometric_mean([float(row["ratio"]) for row in rows])
    report(
        "jobshop",
        rows,
        seconds=options.seconds,
        workers=options.workers,
        list_geometric_mean=round(geometric_mean([float(row["list_ratio"]) for row in rows]), 4),
        geometric_mean=round(mean, 4),
        never_worse_than_list=all(float(row["found"]) <= float(row["list"]) for row in rows),
        aim=AIM,
        aim_met=mean <= AIM,
    )


if __name__ == "__main__":
    main()
