"""Two small Bayesian regressions that learn from one observation at a time and can be kept as JSON.

Both forget: each observation makes all earlier ones count a little less, so that they follow a machine that changes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

# What an earlier observation counts after each later one. Of amounts half after 46: a machine gets busy, or hot. Of
# successes half after 350: each says little, and models do not change.
MEMORY, SUCCESS_MEMORY = 0.985, 0.998
# An observation further off than this many standard deviations is taken as if it were just that far.
OUTLIER = 3.0


class LogRegression:
    """log y = w . x + noise, with a normal-inverse-gamma prior: the prediction is a Student t.

    prior_spread: standard deviation of each weight before anything is seen, in units of the noise. noise: its standard
    deviation as expected then, which counts like `certainty` observations. (Bishop, Pattern Recognition and Machine
    Learning, 2006, section 3.3 and exercise 3.12.)
    """

    def __init__(self, prior_spread: list[float], *, noise: float = 0.7, certainty: float = 4.0) -> None:
        self.precision = np.diag([spread**-2.0 for spread in prior_spread])
        self.weighted = np.zeros(len(prior_spread))  # precision @ weights
        self.shape = certainty / 2
        self.rate = certainty / 2 * noise**2
        self.floor = self.precision.copy()

    def quantile(self, x: list[float], share: float) -> float:
        """The value of log y that is not exceeded with this probability."""
        mean, scale = self._predict(np.array(x))
        return mean + scale * float(special.stdtrit(2 * self.shape, share)) if share != 0.5 else mean

    def learn(self, x: list[float], log_y: float) -> None:
        row = np.array(x)
        mean, scale = self._predict(row)
        seen = min(max(log_y, mean - OUTLIER * scale), mean + OUTLIER * scale)
        spread = float(row @ np.linalg.solve(self.precision, row))
        weights = np.linalg.solve(self.precision, self.weighted)
        # What is forgotten is replaced by the prior, so that nothing ever becomes less certain than at first.
        self.precision = MEMORY * self.precision + (1 - MEMORY) * self.floor + np.outer(row, row)
        self.weighted = MEMORY * self.weighted + (1 - MEMORY) * (self.floor @ weights) + row * seen
        self.shape = MEMORY * self.shape + 0.5
        self.rate = MEMORY * self.rate + 0.5 * (seen - mean) ** 2 / (1 + spread)

    def broadened(self) -> LogRegression:
        """What this one knows, as a prior for another case of the same kind: its weights, no longer certain."""
        other = LogRegression([1.0] * len(self.weighted))
        other.precision, other.floor = self.floor.copy(), self.floor.copy()
        other.weighted = self.floor @ np.linalg.solve(self.precision, self.weighted)
        other.shape = 2.0
        other.rate = self.rate / self.shape * other.shape
        return other

    def _predict(self, row: Any) -> tuple[float, float]:
        weights = np.linalg.solve(self.precision, self.weighted)
        spread = float(row @ np.linalg.solve(self.precision, row))
        return float(row @ weights), math.sqrt(self.rate / self.shape * (1 + spread))

    def to_json(self) -> dict[str, Any]:
        return {
            "precision": self.precision.tolist(),
            "floor": self.floor.tolist(),
            "weighted": self.weighted.tolist(),
            "shape": self.shape,
            "rate": self.rate,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LogRegression:
        """Raises KeyError, TypeError or ValueError for what `to_json` did not make."""
        made = cls([1.0] * len(data["weighted"]))
        made.precision, made.floor, made.weighted = _matrix(data, "precision"), _matrix(data, "floor"), _row(data)
        made.shape, made.rate = _positive(data["shape"]), _positive(data["rate"])
        return made


class LogisticRegression:
    """P(success) = sigmoid(w . x + log odds before anything is seen), w normal: each observation by Laplace's
    approximation, one Newton step.

    Predictions are moderated by how uncertain the weights are (MacKay, "The evidence framework applied to
    classification networks", Neural Computation 4, 1992).
    """

    def __init__(self, prior_spread: list[float]) -> None:
        self.precision = np.diag([spread**-2.0 for spread in prior_spread])
        self.floor = self.precision.copy()
        self.weights = np.zeros(len(prior_spread))

    def probability(self, x: list[float], prior: float = 0.5) -> float:
        row = np.array(x)
        spread = float(row @ np.linalg.solve(self.precision, row))
        return _sigmoid((float(row @ self.weights) + _log_odds(prior)) / math.sqrt(1 + math.pi * spread / 8))

    def learn(self, x: list[float], success: float, prior: float = 0.5) -> None:
        row = np.array(x)
        p = _sigmoid(float(row @ self.weights) + _log_odds(prior))
        self.precision = (
            SUCCESS_MEMORY * self.precision + (1 - SUCCESS_MEMORY) * self.floor + p * (1 - p) * np.outer(row, row)
        )
        self.weights = self.weights + np.linalg.solve(self.precision, row) * (float(success) - p)

    def broadened(self, share: float = 1.0) -> LogisticRegression:
        """What this one knows, as a prior for another case of the same kind: this share of its weights, no longer
        certain."""
        other = LogisticRegression([1.0] * len(self.weights))
        other.precision, other.floor, other.weights = self.floor.copy(), self.floor.copy(), share * self.weights
        return other

    def to_json(self) -> dict[str, Any]:
        return {
            "precision": self.precision.tolist(),
            "floor": self.floor.tolist(),
            "weighted": self.weights.tolist(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LogisticRegression:
        """Raises KeyError, TypeError or ValueError for what `to_json` did not make."""
        made = cls([1.0] * len(data["weighted"]))
        made.precision, made.floor, made.weights = _matrix(data, "precision"), _matrix(data, "floor"), _row(data)
        return made


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def _log_odds(probability: float) -> float:
    likely = min(max(probability, 0.01), 0.99)
    return math.log(likely / (1 - likely))


def _row(data: dict[str, Any]) -> Any:
    row = np.array(data["weighted"], dtype=float)
    if row.ndim != 1 or not np.isfinite(row).all():
        raise ValueError("weights are not a row of numbers")
    return row


def _matrix(data: dict[str, Any], name: str) -> Any:
    matrix = np.array(data[name], dtype=float)
    if matrix.shape != (len(data["weighted"]),) * 2 or not np.isfinite(matrix).all():
        raise ValueError(f"{name} is not a square of numbers")
    np.linalg.cholesky(matrix)  # LinAlgError, a ValueError, if it is no precision
    return matrix


def _positive(value: Any) -> float:
    number = float(value)
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{number} is not positive")
    return number
