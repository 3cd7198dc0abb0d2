"""How a request is answered: by which model, with how many candidates and repairs. Chosen by the three models.

Each way to answer is an option of one step, with its probability p, its seconds d (to answer, and to load a model that
is not loaded) and its cost c, in seconds as well: those to answer, this request's share of those to load, and
FAILURE_SECONDS times 1 - p. What the user prefers says which model decides:

* best: the decision model, max p; ties by d.
* fast: the scheduling model, min d, of the ways that are not much less likely to be right than the best.
* balanced: the allocation model, min c; ties by d. That is max p less what waiting costs.

Nothing is ever tried out: a user's request is no place for experiments, and a failed one costs its user far more than
there is to learn. What keeps a choice from being final: estimates of what was seen little are drawn to a half, so that
a way that disappoints soon falls behind one that was not tried; what is seen of one strategy moves the others of its
model, and by half those of other models; what is old counts less; and a model that the user names is learned of too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llmos_jupyter import units
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Preference
from llmos_jupyter.scheduling.choice.models import combine
from llmos_jupyter.scheduling.choice.terms import Aim
from llmos_jupyter.scheduling.estimating.estimates import Estimate, Prior
from llmos_jupyter.scheduling.problem import Option, Problem, Resource, Step

# The kind under which whole answers are learned; the resource is `Strategy.name`. Success means that the answer is
# right, as far as one can know: far more requests end well than are right (benchmarks.estimates: answer, graded).
ANSWER = "answer"
# Efforts: candidates (None: the loop decides) and rounds of repair.
EFFORTS: dict[str, tuple[int | None, int]] = {"single": (1, 0), "checked": (None, 2), "thorough": (4, 3)}
# What a failed answer costs its user, in seconds of waiting that are as bad: to see that it is wrong, to say it in
# other words, to wait again. About a minute, so that 1 % of probability is worth 0.6 s. Assumed, not measured.
FAILURE_SECONDS = 60.0
# A model that was loaded serves those who ask next, so that each bears a part. Assumed: a notebook's next few requests.
REQUESTS_A_LOAD = 5
# What "fast" may give away of the best probability.
FAST_SHARE = 0.8
# Others that the reason names.
NAMED = 3

# Share of requests answered rightly, by bytes of the model's file: single, checked. Of 0.5B and 1.5B measured on public
# questions by the model alone and by the loop (docs/quality.md). The others are assumed: that the step from 1.5B to 3B
# rescues a sixth of the failures, and each further one as many.
_RIGHT = (
    (0.3e9, 0.05, 0.10),  # 135M: cannot write code
    (0.8e9, 34 / 81, 42 / 81),
    (1.6e9, 56 / 80, 60 / 81),
    (3.5e9, 0.75, 0.78),
    (7e9, 0.79, 0.82),
    (math.inf, 0.82, 0.85),
)
# Of the failures that "checked" leaves, "thorough" leaves so many, in so many times the seconds. Both assumed; where
# the first candidate was sure of itself, comparing it with others was seen to make 2 of 82 answers worse and 1 better.
_THOROUGH_FAILS, _THOROUGH_TAKES = 0.95, 2.0
# Seconds of a request: (a, b) of a + b / (tokens a second). The line through the medians of the same passes: single
# 1.91 s and 1.06 s, checked 2.41 s and 1.65 s, where selection.decode_speed says 14.3 and 32.6 tokens/s (1.5B, 0.5B).
_SECONDS = {"single": (0.39, 21.7), "checked": (1.05, 19.4)}
# Seconds to load, (a, b) of a + b * gigabytes: 3.1 s and 5.6 s for 0.5B and 1.5B, from the file cache, measured while
# the machine was about half busy with other work.
_LOAD = (0.9, 4.2)


@dataclass(frozen=True)
class Strategy:
    """One way to answer. `candidates`: None lets the loop decide; `retries`: rounds of repair."""

    model: str
    candidates: int | None = None
    retries: int = 2

    @property
    def effort(self) -> str:
        """single, checked, thorough; or, where somebody asked for other numbers, these."""
        for name, numbers in EFFORTS.items():
            if numbers == (self.candidates, self.retries):
                return name
        return f"candidates {self.candidates or 'as it takes'}, retries {self.retries}"

    @property
    def name(self) -> str:
        return f"{self.model}, {self.effort}"


@dataclass(frozen=True)
class Considered:
    """A strategy and what is expected of it. load: seconds until its model can answer; 0: it is loaded."""

    strategy: Strategy
    estimate: Estimate
    load: float = 0.0

    @property
    def probability(self) -> float:
        return self.estimate.probability

    @property
    def seconds(self) -> float:
        """Until the answer is there, in the middle."""
        return self.estimate.p50 + self.load

    @property
    def cost(self) -> float:
        """c_tr of the allocation model, seconds."""
        waiting = self.estimate.p50 + self.load / REQUESTS_A_LOAD
        return waiting + FAILURE_SECONDS * (1 - self.probability)

    def ends_within(self, deadline: float) -> bool:
        """With a probability of 0.9."""
        return self.estimate.p90 + self.load <= deadline


@dataclass(frozen=True)
class Chosen:
    """The strategy, one sentence for the user that says why, and all that were considered, the least cost first."""

    strategy: Strategy
    estimate: Estimate
    why: str
    considered: tuple[Considered, ...]


def strategies(models: Iterable[str]) -> list[Strategy]:
    """Every effort of each model."""
    return [Strategy(model, *numbers) for model in models for numbers in EFFORTS.values()]


def prior(strategy: Strategy, size_bytes: float, tokens_per_second: float) -> Prior:
    """What to expect of a strategy before it was seen here: of a model's file of this size, at this speed."""
    effort = strategy.effort if strategy.effort in EFFORTS else "checked"
    single, checked = next((single, checked) for limit, single, checked in _RIGHT if size_bytes <= limit)
    fixed, tokens = _SECONDS.get(effort, _SECONDS["checked"])
    seconds = fixed + tokens / max(tokens_per_second, 0.01)
    if effort == "single":
        return Prior(seconds=seconds, probability=single)
    if effort == "checked":
        return Prior(seconds=seconds, probability=checked)
    return Prior(seconds=_THOROUGH_TAKES * seconds, probability=1 - _THOROUGH_FAILS * (1 - checked))


def load_prior(size_bytes: float) -> Prior:
    """What to expect of loading a model whose file is on the disk."""
    return Prior(seconds=_LOAD[0] + _LOAD[1] * size_bytes / 1e9, probability=0.99)


def choose(
    considered: Sequence[Considered], preference: Preference = "balanced", deadline: float | None = None
) -> Chosen:
    """The strategy for a request. deadline: seconds by which the answer should be there.

    What would miss the deadline more often than one time in ten is left out. If all would, the one is taken that has
    the earliest p90. Raises LLMOSError when there is nothing to choose from.
    """
    if not considered:
        raise LLMOSError("No model is here to answer: load one with `%llmos use NAME`.")
    open_ = [one for one in considered if deadline is None or one.ends_within(deadline)]
    late = not open_
    if late:
        best = min(considered, key=lambda one: (one.estimate.p90 + one.load, -one.probability))
    else:
        best = _solve(open_, preference)
    ranked = tuple(sorted(considered, key=lambda one: one.cost))
    why = _why(best, ranked, preference, deadline, late)
    return Chosen(best.strategy, best.estimate, why, ranked)


def _solve(considered: Sequence[Considered], preference: Preference) -> Considered:
    """One step with an option for each strategy, given to the model that the preference names."""
    if preference == "fast":
        least = FAST_SHARE * max(one.probability for one in considered)
        considered = [one for one in considered if one.probability >= least]
    aims = {
        "best": (Aim.SUCCESS, Aim.DELAY),
        "fast": (Aim.DELAY, Aim.SUCCESS),
        "balanced": (Aim.COST, Aim.DELAY),
    }[preference]
    options = {
        str(number): Option(duration=one.seconds, cost=one.cost, probability=one.probability)
        for number, one in enumerate(considered)
    }
    problem = Problem((Step(ANSWER, options),), tuple(Resource(number) for number in options))
    return considered[int(combine(problem, aims).resource[ANSWER])]


def _why(
    best: Considered, ranked: Sequence[Considered], preference: Preference, deadline: float | None, late: bool
) -> str:
    seen = best.estimate.seen
    source = f"by {seen} like it here" if seen else "by what is known in general"
    loading = f", {units.seconds(best.load)} of it to load the model" if best.load else ""
    others = [one for one in ranked if one is not best]
    named = ", ".join(f"{one.strategy.name} ({_percent(one)}, {units.seconds(one.seconds)})" for one in others[:NAMED])
    more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
    missed = f"; no other is surer to end within {units.seconds(deadline)}" if late and deadline is not None else ""
    beside = f"; also considered: {named}{more}" if others else ""
    return (
        f"{best.strategy.name} ({preference}): {_percent(best)} likely to be right after {units.seconds(best.seconds)}"
        f"{loading}, {source}{missed}{beside}."
    )


def _percent(one: Considered) -> str:
    return f"{100 * one.probability:.0f} %"
