"""How good estimates are: on a recorded trace, beside the best constant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Protocol

from llmos_jupyter.scheduling.estimating.estimates import Estimate, Estimates, Features, Outcome, Prior

BINS = 10


@dataclass(frozen=True)
class Observation:
    """A step of a trace: what was known before, and what it came to."""

    kind: str
    resource: str
    features: Features
    prior: Prior
    outcome: Outcome


@dataclass(frozen=True)
class Quality:
    """Of estimates and, `constant_`, of the one number that fits the whole trace best, known in hindsight.

    brier, ece: of the probability of success, less is better. relative_error: median of |p50 - actual| / actual.
    covered: share of steps that took no longer than p90; 0.9 is right. None: nothing to judge by.
    """

    steps: int
    brier: float | None
    constant_brier: float | None
    ece: float | None
    relative_error: float | None
    constant_relative_error: float | None
    covered: float | None


class Learner(Protocol):
    """What predicts and learns: `Estimates`, or `Knowledge`."""

    def predict(self, kind: str, resource: str, features: Features, prior: Prior) -> Estimate: ...

    def learn(self, kind: str, resource: str, features: Features, prior: Prior, outcome: Outcome) -> None: ...


def replay(trace: Iterable[Observation], estimates: Learner | None = None) -> list[Estimate]:
    """What would have been predicted for each step of a trace, having learned from those before it."""
    estimates = Estimates() if estimates is None else estimates
    predicted = []
    for seen in trace:
        predicted.append(estimates.predict(seen.kind, seen.resource, seen.features, seen.prior))
        estimates.learn(seen.kind, seen.resource, seen.features, seen.prior, seen.outcome)
    return predicted


def quality(trace: Sequence[Observation], predicted: Sequence[Estimate]) -> Quality:
    """Estimates beside what really happened, step by step."""
    judged = [
        (estimate.probability, seen.outcome.succeeded)
        for estimate, seen in zip(predicted, trace, strict=True)
        if isinstance(seen.outcome.succeeded, bool)
    ]
    timed = [
        (estimate, seen.outcome.seconds)
        for estimate, seen in zip(predicted, trace, strict=True)
        if seen.outcome.seconds is not None and seen.outcome.seconds > 0
    ]
    probabilities, succeeded = [p for p, _ in judged], [success for _, success in judged]
    actual = [seconds for _, seconds in timed]
    return Quality(
        steps=len(trace),
        brier=brier(probabilities, succeeded) if judged else None,
        constant_brier=brier([mean(succeeded)] * len(judged), succeeded) if judged else None,
        ece=expected_calibration_error(probabilities, succeeded) if judged else None,
        relative_error=relative_error([estimate.p50 for estimate, _ in timed], actual) if timed else None,
        constant_relative_error=best_constant_error(actual) if timed else None,
        covered=mean(seconds <= estimate.p90 for estimate, seconds in timed) if timed else None,
    )


def brier(probabilities: Sequence[float], succeeded: Sequence[bool]) -> float:
    """Mean squared difference between probability and outcome: 0 is perfect, 0.25 is a coin (Brier 1950)."""
    return mean((p - success) ** 2 for p, success in zip(probabilities, succeeded, strict=True))


def expected_calibration_error(probabilities: Sequence[float], succeeded: Sequence[bool]) -> float:
    """Mean distance between probability and frequency of success, in BINS equal bins, weighted by what is in them.

    (Naeini, Cooper and Hauskrecht, AAAI 2015.)
    """
    bins: dict[int, list[tuple[float, bool]]] = {}
    for p, success in zip(probabilities, succeeded, strict=True):
        bins.setdefault(min(int(p * BINS), BINS - 1), []).append((p, success))
    return sum(abs(sum(p - success for p, success in inside)) for inside in bins.values()) / len(probabilities)


def relative_error(predicted: Sequence[float], actual: Sequence[float]) -> float:
    """Median of |predicted - actual| / actual."""
    return median(abs(p - a) / a for p, a in zip(predicted, actual, strict=True))


def best_constant_error(actual: Sequence[float]) -> float:
    """The least median relative error that one prediction for all can have, among the actual values."""
    return min(relative_error([constant] * len(actual), actual) for constant in set(actual))
