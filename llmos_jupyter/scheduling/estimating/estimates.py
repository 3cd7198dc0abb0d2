"""How long a step will take, what it will use, and how likely it comes out right: priors first, then what was seen.

For each kind of step on each resource there is one regression a quantity, on features known before the step starts.
The quantity is learned as a factor on its prior (`Prior`), success as a factor on its odds, so that what the caller
knows of the machine (its tokens a second) or of a model is used from the first step on. A resource that is new starts
from what is known of the kind elsewhere; one named "a, b" from what is known of those named "a" and "a, c".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.scheduling.estimating.regression import LogisticRegression, LogRegression

# Standard deviations of the weights before anything is seen: of the constant, and of each feature.
CONSTANT_SPREAD, FEATURE_SPREAD = 2.0, 0.5
# 1.3 in log odds: a prior of 0.5 may as well be 0.2 or 0.8.
ODDS_SPREAD, ODDS_FEATURE_SPREAD = 1.3, 0.5
# Where steps fail more often than expected, half of that is laid to what is asked, half to the resource they ran on.
OF_THE_KIND = 0.5
# Amounts below this are taken for this: logarithms need more than zero.
LEAST = 1e-3
QUANTITIES = ("seconds", "tokens", "memory", "cost")
FORMAT = 2


@dataclass(frozen=True)
class Features:
    """What is known of a step before it starts. prompt_tokens: those that must be read, without cached ones."""

    request_chars: float = 0.0
    prompt_tokens: float = 0.0
    candidates: float = 1.0
    data_bytes: float = 0.0

    def __post_init__(self) -> None:
        _check(self)

    def row(self) -> list[float]:
        """What the regressions see: all about between 0 and 5."""
        return [
            1.0,
            math.log1p(self.request_chars / 50),
            math.log1p(self.prompt_tokens / 100),
            math.log(max(1.0, self.candidates)),
            math.log1p(self.data_bytes / 2**20),
        ]


@dataclass(frozen=True)
class Prior:
    """What to expect of a kind of step before any was seen. Seconds, tokens, bytes, any unit of cost, 0 to 1."""

    seconds: float = 1.0
    tokens: float = 80.0
    memory: float = 100 * 2**20
    cost: float = 1.0
    probability: float = 0.6

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True)
class Outcome:
    """What a step came to; None is not known, or does not apply.

    succeeded: true or false, or, of what nobody judged, how likely it is.
    """

    seconds: float | None = None
    tokens: float | None = None
    memory: float | None = None
    cost: float | None = None
    succeeded: bool | float | None = None

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True)
class Estimate:
    """p50 and p90: seconds not exceeded with that probability. The other amounts are medians.

    probability: of success. seen: how many such steps this rests on; 0: on the prior alone.
    """

    p50: float
    p90: float
    tokens: float
    memory: float
    cost: float
    probability: float
    seen: int


class _Case:
    """One kind of step on one resource."""

    def __init__(self) -> None:
        size = len(Features().row()) - 1
        self.seen = 0
        self.amounts = {name: LogRegression([CONSTANT_SPREAD, *[FEATURE_SPREAD] * size]) for name in QUANTITIES}
        self.success = LogisticRegression([ODDS_SPREAD, *[ODDS_FEATURE_SPREAD] * size])

    def broadened(self, success: float) -> _Case:
        """What a narrower case starts from; `success`: the share of what was seen of success that it takes over."""
        case = _Case()
        case.amounts = {name: regression.broadened() for name, regression in self.amounts.items()}
        case.success = self.success.broadened(success)
        return case


class Estimates:
    """All that was learned. `to_json` and `from_json` keep it across restarts."""

    def __init__(self) -> None:
        self._cases: dict[tuple[str, str], _Case] = {}

    def predict(self, kind: str, resource: str, features: Features, prior: Prior) -> Estimate:
        """What a step of a kind is expected to come to on a resource."""
        case, row = self._case(kind, resource), features.row()

        def amount(name: str, share: float = 0.5) -> float:
            # A factor of more than e^20 says nothing any more, and would overflow sooner or later.
            log_factor = min(max(case.amounts[name].quantile(row, share), -20.0), 20.0)
            return max(float(getattr(prior, name)), LEAST) * math.exp(log_factor)

        return Estimate(
            p50=amount("seconds"),
            p90=amount("seconds", 0.9),
            tokens=amount("tokens"),
            memory=amount("memory"),
            cost=amount("cost"),
            probability=case.success.probability(row, prior.probability),
            seen=case.seen,
        )

    def learn(self, kind: str, resource: str, features: Features, prior: Prior, outcome: Outcome) -> None:
        """Take in what a step came to. `features` and `prior` as they were when it was predicted."""
        row = features.row()
        cases = {name: self._case(kind, name) for name in _around(resource)}  # each as it was before this was seen
        for name, case in cases.items():
            self._cases[kind, name] = case
            case.seen += 1
            for quantity in QUANTITIES:
                value = getattr(outcome, quantity)
                if value is not None:
                    factor = max(value, LEAST) / max(float(getattr(prior, quantity)), LEAST)
                    case.amounts[quantity].learn(row, math.log(factor))
            if outcome.succeeded is not None:
                case.success.learn(row, outcome.succeeded, prior.probability)

    def _case(self, kind: str, resource: str) -> _Case:
        for name in reversed(_around(resource)):
            case = self._cases.get((kind, name))
            if case is not None:
                return case if name == resource else case.broadened(1.0 if name else OF_THE_KIND)
        return _Case()

    def to_json(self) -> dict[str, Any]:
        """Plain data that `json` can write."""
        cases = [
            {
                "kind": kind,
                "resource": resource,
                "seen": case.seen,
                "amounts": {name: regression.to_json() for name, regression in case.amounts.items()},
                "success": case.success.to_json(),
            }
            for (kind, resource), case in self._cases.items()
        ]
        return {"format": FORMAT, "cases": cases}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Estimates:
        """What `to_json` gave. Raises LLMOSError for anything else."""
        made = cls()
        try:
            if data["format"] != FORMAT:
                raise ValueError("another format")
            for entry in data["cases"]:
                case = _Case()
                case.seen = int(entry["seen"])
                case.amounts = {name: LogRegression.from_json(entry["amounts"][name]) for name in QUANTITIES}
                case.success = LogisticRegression.from_json(entry["success"])
                if any(len(r.weighted) != len(Features().row()) for r in case.amounts.values()):
                    raise ValueError("other features")
                made._cases[str(entry["kind"]), str(entry["resource"])] = case
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LLMOSError("What was learned about durations cannot be read: delete it to start afresh.") from error
        return made


def _around(resource: str) -> list[str]:
    """All resources, those that share the first words of its name up to a comma, and the resource itself."""
    words = resource.split(", ")
    return list(dict.fromkeys(["", *(", ".join(words[:count]) for count in range(1, len(words) + 1))]))


def _check(thing: Features | Prior | Outcome) -> None:
    for field in fields(thing):
        value = getattr(thing, field.name)
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise LLMOSError(f"An estimate has {field.name} {value}: give a number that is not negative.")
