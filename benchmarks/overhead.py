"""What llmos adds to the engine: `%%llmos` from Enter to result, minus the raw engine's own time for the same prompt.

    python -m benchmarks.overhead [--model qwen2.5-coder-1.5b] [--rounds 3]

The engine says with every reply how long it read the prompt and how long it wrote (its `timings`); for the same prompt
with the same cache that is all a bare call to it could take. Overhead is the rest of the time from Enter to result:
context, HTTP, the store, the display, inspection, rehearsal and the run itself.
"""

from __future__ import annotations

import argparse
import time

from benchmarks.asking import Asked, ask, notebook_shell, own_daemon
from benchmarks.common import median, note, report

AIM_SHARE, AIM_SECONDS = 0.05, 0.150

REQUESTS = (
    "make a list called squares with the squares of the numbers 1 to 10",
    "average body_mass_g of each species in penguins",
    "how many penguins are there on each island?",
    "the five heaviest penguins",
    "correlation between flipper_length_mm and body_mass_g",
    "count the missing values of each column of penguins",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with own_daemon():
        shell = notebook_shell()
        # The first request starts daemon and engine; it is not what is measured.
        ask(shell, "make a variable called ready that is True", f"--model {options.model}")
        rows = []
        for _ in range(options.rounds):
            for text in REQUESTS:
                # The warming after a cell must be over, or its end is counted as ours.
                time.sleep(3.0)
                asked = ask(shell, text, f"--model {options.model}")
                if asked.ran and len(asked.candidates) == 1:
                    rows.append(row(text, asked))
                    note(f"{rows[-1]}")
    shares = [float(entry["overhead_share"]) for entry in rows]
    seconds = [float(entry["overhead_s"]) for entry in rows]
    report(
        "overhead",
        rows,
        model=options.model,
        median_overhead_s=round(median(seconds), 3),
        median_overhead_share=round(median(shares), 4),
        aim_share=AIM_SHARE,
        aim_seconds=AIM_SECONDS,
        aim_met=median(shares) < AIM_SHARE and median(seconds) < AIM_SECONDS,
    )


def row(text: str, asked: Asked) -> dict[str, str | float]:
    engine = asked.engine_seconds
    overhead = asked.seconds - engine
    return {
        "request": text[:40],
        "enter_to_result_s": round(asked.seconds, 3),
        "engine_s": round(engine, 3),
        "overhead_s": round(overhead, 3),
        "overhead_share": round(overhead / engine, 4),
    }


if __name__ == "__main__":
    main()
