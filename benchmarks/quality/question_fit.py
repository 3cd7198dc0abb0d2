"""The weights by which an answer's chance is predicted, fitted on passes over questions; and how good they are.

Logistic regression with a little ridge. What is reported of it is cross-validated: each answer is judged by weights
that were fitted without its fifth of the questions, whatever pass it is of.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from benchmarks.common import report
from benchmarks.quality.question_report import brier, calibration_error
from benchmarks.quality.run import read
from llmos_jupyter.agent.answering.chance import UNKNOWN, log_odds

FOLDS = 5
RIDGE = 0.1
NAMES = ("constant", "certainty", "repaired", "doubted")


def fit(files: Sequence[Path]) -> None:
    """Print the weights of `agent.answering.chance.WEIGHTS`, and their calibration error and Brier score."""
    lines = [line for file in files for line in read(file) if line.get("way") == "loop" and "left_out" not in line]
    ran = [(features, line) for line in lines if (features := _features(line)) is not None]
    x = np.array([features for features, _ in ran])
    y = np.array([float(line["right"]) for _, line in ran])
    questions = {question: number for number, question in enumerate(dict.fromkeys(line["id"] for _, line in ran))}
    folds = np.array([questions[line["id"]] % FOLDS for _, line in ran])
    held = np.empty(len(y))
    for fold in range(FOLDS):
        mine = folds == fold
        held[mine] = _chances(x[mine], _weights(x[~mine], y[~mine]))
    told = [(float(p), bool(right)) for p, right in zip(held, y, strict=True)]
    constant = [(float(y.mean()), bool(right)) for right in y]
    row: dict[str, object] = {"answers": len(y), "right": round(float(y.mean()), 3)}
    row |= {name: round(float(value), 2) for name, value in zip(NAMES, _weights(x, y), strict=True)}
    row |= {"calibration error": round(calibration_error(told), 3), "Brier": round(brier(told), 3)}
    report("chance", [row | {"Brier of a constant": round(brier(constant), 3)}])


def _features(line: dict[str, Any]) -> list[float] | None:
    """Of the candidate that ran; None where none did."""
    runs = [record for record in line["records"] if record["type"] == "run"]
    if not runs:
        return None
    place = (runs[-1].get("round", 0), runs[-1].get("index", 0))
    written = [record for record in line["records"] if record["type"] == "candidate"]
    mine = [r["candidate"] for r in written if (r.get("round", 0), r["candidate"].get("index", 0)) == place]
    certainty = mine[-1].get("confidence") if mine else None
    return [
        1.0,
        log_odds(UNKNOWN if certainty is None else certainty),
        float(place[0] > 0),
        float(bool(line["doubts"])),
    ]


def _chances(x: Any, weights: Any) -> Any:
    return 1 / (1 + np.exp(-(x @ weights)))


def _weights(x: Any, y: Any) -> Any:
    def loss(weights: Any) -> float:
        score = x @ weights
        return float(np.logaddexp(0, score).sum() - y @ score + RIDGE * (weights[1:] ** 2).sum())

    return minimize(loss, np.zeros(x.shape[1])).x
