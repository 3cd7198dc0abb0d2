"""The figures of passes: solved by level and subject, failures against the bare model, time, tokens, harm."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import median, percentile, table
from benchmarks.common import report as print_report
from benchmarks.quality.run import read, solved

LEVELS = ("bare", "inspection", "loop")
Line = dict[str, Any]


def wilson(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, by Wilson (1927): holds for small numbers too. (0, 1) of nothing."""
    if of == 0:
        return 0.0, 1.0
    z = 1.959964
    share = right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def mcnemar(mended: int, spoilt: int) -> float:
    """The exact two-sided probability of so uneven a split of the tasks whose outcome differs, if nothing did."""
    differing = mended + spoilt
    if not differing:
        return 1.0
    tail = sum(math.comb(differing, k) for k in range(min(mended, spoilt) + 1)) / float(2**differing)
    return min(1.0, 2 * tail)


def failure_ratio(pairs: Sequence[tuple[bool, bool]], *, draws: int = 2000) -> tuple[float, float, float]:
    """Failures of the second over those of the first, with its 95 % bootstrap interval over tasks. Pairs are of solved.

    NaN where the first has none.
    """

    def ratio(sample: Sequence[tuple[bool, bool]]) -> float:
        first = sum(not a for a, _ in sample)
        return sum(not b for _, b in sample) / first if first else math.nan

    chance = random.Random(7)
    drawn = [ratio(chance.choices(pairs, k=len(pairs))) for _ in range(draws)] if pairs else []
    drawn = [value for value in drawn if not math.isnan(value)]
    if not drawn:
        return math.nan, math.nan, math.nan
    return ratio(pairs), float(percentile(drawn, 0.025)), float(percentile(drawn, 0.975))


def tell(files: Sequence[Path]) -> None:
    """Print the figures of each file, then one line of JSON a file."""
    for file in files:
        lines = read(file)
        if not lines:
            print(f"{file.name}: no task yet")
            continue
        _one(file.stem, lines)


def _one(name: str, lines: list[Line]) -> None:
    first = lines[0]
    print(f"\n{name}: {first['model']}, {first['set']} set, options {first['options'] or 'default'!r}\n")
    subjects = [*dict.fromkeys(line["subject"] for line in lines), "sequences", "all"]
    print(table([_subject(subject, _of(lines, subject)) for subject in subjects]))
    print()
    print_report("quality", [_level(level, lines) for level in LEVELS], run=name, **_times(lines), **_setting(first))


def _setting(line: Line) -> dict[str, Any]:
    return {"model": line["model"], "set": line["set"], "options": line["options"]}


def _of(lines: list[Line], subject: str) -> list[Line]:
    if subject == "all":
        return lines
    if subject == "sequences":
        return [line for line in lines if len(line["steps"]) > 1]
    return [line for line in lines if line["subject"] == subject]


def _subject(subject: str, lines: list[Line]) -> dict[str, object]:
    row: dict[str, object] = {"subject": subject, "tasks": len(lines)}
    return row | {level: sum(solved(line, level) for line in lines) for level in LEVELS}


def _level(level: str, lines: list[Line]) -> dict[str, object]:
    steps = [step for line in lines for step in line["steps"]]
    right = sum(solved(line, level) for line in lines)
    low, high = wilson(right, len(lines))
    pairs = [(solved(line, "bare"), solved(line, level)) for line in lines]
    mended, spoilt = sum(b and not a for a, b in pairs), sum(a and not b for a, b in pairs)
    ratio, least, most = failure_ratio(pairs)
    return {
        "level": level,
        "tasks": len(lines),
        "solved": right,
        "%": round(100 * right / len(lines), 1),
        "95 %": f"{100 * low:.0f}-{100 * high:.0f}",
        "failures/bare": round(ratio, 3),
        "interval": f"{least:.2f}-{most:.2f}",
        "mended": mended,
        "spoilt": spoilt,
        "p": round(mcnemar(mended, spoilt), 4),
        "requests": len(steps),
        "right": sum(step[level]["right"] for step in steps),
        # A wrong answer that ran to its end: the user sees a result, and nothing says that it is wrong.
        "wrong ran": sum(
            step[level]["ran"] and not step[level]["right"] and not step[level]["error"] for step in steps
        ),
        "errors": sum(step[level]["ran"] and bool(step[level]["error"]) for step in steps),
        "harmful": sum(bool(step[level]["harm"]) for step in steps),
        "extended": sum(bool(step[level]["extended"]) for step in steps),
    }


def _times(lines: list[Line]) -> dict[str, Any]:
    steps = [step for line in lines for step in line["steps"] if step["candidates"]]
    if not steps:
        return {}
    bare = [step["bare"]["seconds"] for step in steps]
    loop = [step["loop"]["seconds"] for step in steps]
    figures = {
        "bare_median_s": round(median(bare), 2),
        "bare_p90_s": round(percentile(bare, 0.9), 2),
        "loop_median_s": round(median(loop), 2),
        "loop_p90_s": round(percentile(loop, 0.9), 2),
        "ratio_of_medians": round(median(loop) / median(bare), 3) if median(bare) else math.nan,
        "median_of_ratios": round(median([b / a for a, b in zip(bare, loop, strict=True) if a]), 3),
        "candidates_per_request": round(sum(step["candidates"] for step in steps) / len(steps), 2),
        "bare_tokens_in": sum(step["first_tokens_in"] for step in steps),
        "bare_tokens_out": sum(step["first_tokens_out"] for step in steps),
        "loop_tokens_in": sum(step["tokens_in"] for step in steps),
        "loop_tokens_read": sum(step["tokens_read"] for step in steps),
        "loop_tokens_out": sum(step["tokens_out"] for step in steps),
    }
    print(table([{"figure": key, "value": value} for key, value in figures.items()]))
    print()
    return figures


def show(file: Path, task: str) -> None:
    """Print what happened to one task."""
    line = next((line for line in read(file) if line["task"] == task), None)
    if line is None:
        print(f"{task} is not in {file.name}")
        return
    for number, step in enumerate(line["steps"], 1):
        print(f"=== {task}, request {number}: {step['request']}\n")
        for record in step["records"]:
            if record["type"] == "candidate":
                candidate = record["candidate"]
                for message in candidate["messages"]:
                    print(f"--- sent last ({message['role']})\n{message['content']}\n")
                print(f"--- candidate {record['round']}\n{candidate['text']}\n")
            else:
                print(f"--- {record['type']}\n{_plain(record)}\n")
        for level in LEVELS:
            outcome = step[level]
            said = "right" if outcome["right"] else f"WRONG: {outcome['why']}"
            print(f"{level:<10} {said}  {outcome['error']} {' '.join(outcome['harm'] + outcome['extended'])}")
        print()


def _plain(record: Line) -> str:
    parts = {key: value for key, value in record.items() if key not in ("type", "round")}
    return "\n".join(f"{key}: {value}" for key, value in parts.items())
