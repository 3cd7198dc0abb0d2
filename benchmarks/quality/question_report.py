"""The figures of passes over questions: solved, times, tokens, failures by kind, two passes compared, calibration."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.common import median, table
from benchmarks.common import report as print_report
from benchmarks.quality.question_grading import FAILURES
from benchmarks.quality.questions import SETS
from benchmarks.quality.report import mcnemar, wilson
from benchmarks.quality.run import read

BINS = 10
Line = dict[str, Any]
Row = dict[str, object]


def tell(files: Sequence[Path]) -> None:
    """Print the figures of all files; each further one is compared with the first. The last line is one of JSON."""
    passes = [(file.stem, read(file)) for file in files]
    rows = [row for name, lines in passes for row in solved(name, lines)]
    failed = [row for name, lines in passes for row in failures(name, lines)]
    judged = [row for name, lines in passes for row in calibration(name, lines)]
    first, *others = passes
    pairs = [row for name, lines in others for row in paired(first[0], first[1], name, lines)]
    for title, part in (("failures, %", failed), ("compared", pairs), ("chance", judged)):
        if part:
            print(f"{title}\n\n{table(part)}\n")
    print_report("questions", rows, failures=failed, compared=pairs, calibration=judged)


def _sets(lines: Sequence[Line]) -> Iterator[tuple[str, list[Line]]]:
    """The lines of each set that was asked, then all if these are two."""
    there = [name for name in SETS if any(line["set"] == name for line in lines)]
    for name in there:
        yield name, [line for line in lines if line["set"] == name]
    if len(there) > 1:
        yield "both", list(lines)


def _asked(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if "left_out" not in line]


def _values(lines: Sequence[Line], key: str) -> list[float]:
    return [line[key] for line in lines if line.get(key) is not None]


def _median(values: Sequence[float]) -> float | None:
    return round(median(values), 3) if values else None


# --- one pass ---------------------------------------------------------------------------------


def solved(name: str, lines: Sequence[Line]) -> list[Row]:
    rows: list[Row] = []
    for set_name, part in _sets(lines):
        asked = _asked(part)
        right = sum(line["right"] for line in asked)
        low, high = wilson(right, len(asked))
        seconds = _values(asked, "seconds")
        first = part[0]
        rows.append(
            {
                "pass": name,
                "set": set_name,
                "way": first["way"],
                "model": first["model"],
                "options": first["options"],
                "left out": len(part) - len(asked),
                "asked": len(asked),
                "solved": right,
                "%": round(100 * right / len(asked), 1) if asked else None,
                "95 %": f"{100 * low:.0f}-{100 * high:.0f}",
                "median s": _median(seconds),
                "mean s": round(sum(seconds) / len(seconds), 3) if seconds else None,
                "first token s": _median(_values(asked, "first_token_seconds")),
                "engine s": _median(_values(asked, "engine_seconds")),
                "tokens in": sum(line["tokens_in"] for line in asked),
                "tokens read": sum(line["tokens_read"] for line in asked),
                "tokens out": sum(line["tokens_out"] for line in asked),
                "candidates": sum(line["candidates"] for line in asked),
            }
        )
    return rows


def failures(name: str, lines: Sequence[Line]) -> list[Row]:
    """The share of each kind among all that were asked, in percent."""
    rows: list[Row] = []
    for set_name, part in _sets(_asked(lines)):
        kinds = [line["failure"] for line in part]
        shares: Row = {kind: round(100 * kinds.count(kind) / len(part), 1) for kind in FAILURES}
        rows.append({"pass": name, "set": set_name, "failed": sum(map(bool, kinds)), **shares})
    return rows


# --- two passes -------------------------------------------------------------------------------


def paired(name: str, lines: Sequence[Line], other: str, others: Sequence[Line]) -> list[Row]:
    """Two passes on the questions that both were asked."""
    rows: list[Row] = []
    for set_name, part in _sets(_asked(lines)):
        second = {line["id"]: line for line in _asked(others)}
        pairs = [(line, second[line["id"]]) for line in part if line["id"] in second]
        if not pairs:
            continue
        only_first = sum(a["right"] and not b["right"] for a, b in pairs)
        only_second = sum(b["right"] and not a["right"] for a, b in pairs)
        times = [median([pair[place]["seconds"] for pair in pairs]) for place in (0, 1)]
        rows.append(
            {
                "first": name,
                "second": other,
                "set": set_name,
                "questions": len(pairs),
                "both": sum(a["right"] and b["right"] for a, b in pairs),
                "only first": only_first,
                "only second": only_second,
                "neither": sum(not a["right"] and not b["right"] for a, b in pairs),
                "p": round(mcnemar(only_second, only_first), 4),
                "first s": round(times[0], 3),
                "second s": round(times[1], 3),
                "second/first s": round(times[1] / times[0], 3) if times[0] else None,
            }
        )
    return rows


# --- predicted chances ------------------------------------------------------------------------


def calibration(name: str, lines: Sequence[Line]) -> list[Row]:
    """How good the predicted chances are, where there are any."""
    rows: list[Row] = []
    for set_name, part in _sets(_asked(lines)):
        told = [(line["chance"], line["right"]) for line in part if line.get("chance") is not None]
        if told:
            right = sum(outcome for _, outcome in told) / len(told)
            rows.append(
                {
                    "pass": name,
                    "set": set_name,
                    "predicted": len(told),
                    "ECE": round(calibration_error(told), 4),
                    "Brier": round(brier(told), 4),
                    "constant's Brier": round(right * (1 - right), 4),
                }
            )
    return rows


def calibration_error(told: Sequence[tuple[float, bool]], bins: int = BINS) -> float:
    """The expected calibration error: in bins of equally many predictions, how far their mean is from the share that
    was right. NaN of nothing."""
    if not told:
        return math.nan
    ordered = sorted(told)
    count = min(bins, len(ordered))
    edges = [round(number * len(ordered) / count) for number in range(count + 1)]
    error = 0.0
    for begin, end in pairwise(edges):
        part = ordered[begin:end]
        error += abs(sum(chance for chance, _ in part) - sum(right for _, right in part))
    return error / len(ordered)


def brier(told: Sequence[tuple[float, bool]]) -> float:
    """The mean squared error of the predictions. NaN of nothing."""
    return sum((chance - right) ** 2 for chance, right in told) / len(told) if told else math.nan
