"""Estimates: sensible before anything is seen, better afterwards, the same after a restart; and how that is judged."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.scheduling.estimating.calibration import (
    Observation,
    best_constant_error,
    brier,
    expected_calibration_error,
    quality,
    relative_error,
    replay,
)
from llmos_jupyter.scheduling.estimating.estimates import Estimates, Features, Outcome, Prior
from tests.examples import examples

PRIOR = Prior(seconds=4.0, tokens=100.0, probability=0.7)


def trace(count: int, *, seed: int = 1, read: float = 43.0, write: float = 15.5) -> list[Observation]:
    """Generations on an engine that reads and writes so many tokens a second, as a model's answers come."""
    dice = random.Random(seed)
    made = []
    for _ in range(count):
        prompt, candidates = dice.choice((10, 40, 200, 1000)), dice.choice((1, 1, 1, 4))
        chars = dice.uniform(20, 300)
        tokens = 20 + chars * 0.4 * dice.lognormvariate(0, 0.3)
        seconds = (0.2 + prompt / read + tokens / write * (1 + 0.1 * candidates)) * dice.lognormvariate(0, 0.15)
        succeeded = dice.random() < 1 / (1 + math.exp(chars / 50 - 3))  # long requests fail
        features = Features(request_chars=chars, prompt_tokens=prompt, candidates=candidates)
        made.append(Observation("generation", "engine", features, PRIOR, Outcome(seconds, tokens, succeeded=succeeded)))
    return made


def test_before_anything_is_seen_the_prior_is_the_estimate() -> None:
    estimate = Estimates().predict("generation", "engine", Features(), PRIOR)
    assert (estimate.p50, estimate.tokens, estimate.seen) == (4.0, 100.0, 0)
    assert estimate.p90 > 2 * estimate.p50
    assert 0.6 < estimate.probability < 0.7  # drawn to a coin's by how little is known


def test_estimates_beat_the_best_constant_on_what_they_have_not_seen() -> None:
    seen = trace(400)
    later, predicted = seen[100:], replay(seen)[100:]
    result = quality(later, predicted)
    assert result.relative_error is not None
    assert result.constant_relative_error is not None
    assert result.relative_error < 0.6 * result.constant_relative_error
    assert result.brier is not None
    assert result.constant_brier is not None
    assert result.brier < 0.9 * result.constant_brier
    assert result.ece is not None
    assert result.ece < 0.12
    assert result.covered is not None
    assert 0.82 < result.covered < 0.97


def test_more_seen_is_better_estimated() -> None:
    seen = trace(200)
    predicted = replay(seen)
    first, last = quality(seen[:20], predicted[:20]), quality(seen[-100:], predicted[-100:])
    assert last.relative_error is not None
    assert first.relative_error is not None
    assert last.relative_error < first.relative_error


def test_a_machine_that_gets_slower_is_followed() -> None:
    estimates = Estimates()
    replay(trace(300), estimates)
    slow = trace(150, seed=2, read=10.0, write=4.0)
    result = quality(slow[75:], replay(slow, estimates)[75:])
    assert result.relative_error is not None
    assert result.relative_error < 0.4


def test_a_new_resource_starts_from_what_is_known_of_the_kind() -> None:
    estimates = Estimates()
    replay(trace(200), estimates)
    features = Features(request_chars=200, prompt_tokens=1000)
    known = estimates.predict("generation", "engine", features, PRIOR)
    new = estimates.predict("generation", "another engine", features, PRIOR)
    assert new.seen == 0
    assert known.seen == 200
    assert new.p50 == pytest.approx(known.p50, rel=0.2)
    assert new.p90 > known.p90
    other = estimates.predict("run", "worker", features, PRIOR)
    assert other.p50 == pytest.approx(PRIOR.seconds)


def test_success_is_learned_beside_its_prior() -> None:
    """What was seen of a resource moves what is expected where its prior says more, or less."""
    estimates, strong, weak = Estimates(), Prior(probability=0.9), Prior(probability=0.3)
    for number in range(80):
        estimates.learn("answer", "here", Features(), strong, Outcome(succeeded=number % 2 == 0))
    seen = estimates.predict("answer", "here", Features(), strong).probability
    assert 0.4 < seen < 0.65
    assert estimates.predict("answer", "here", Features(), weak).probability < seen - 0.2


def test_a_new_resource_takes_over_more_of_its_nearer_kin() -> None:
    estimates, prior = Estimates(), Prior(probability=0.8)
    for _ in range(30):
        estimates.learn("answer", "large, quick", Features(), prior, Outcome(seconds=9.0, succeeded=False))
    quick, thorough, other, unknown = (
        estimates.predict(kind, name, Features(), prior).probability
        for kind, name in (
            ("answer", "large, quick"),
            ("answer", "large, thorough"),
            ("answer", "small, quick"),
            ("else", "small"),
        )
    )
    assert quick < thorough < other - 0.1 < unknown - 0.2
    seconds = [estimates.predict("answer", name, Features(), prior).p50 for name in ("large, thorough", "small, quick")]
    assert seconds == pytest.approx([9.0, 9.0], rel=0.1)


def test_what_was_learned_survives_a_restart() -> None:
    estimates = Estimates()
    replay(trace(50), estimates)
    kept = Estimates.from_json(json.loads(json.dumps(estimates.to_json(), allow_nan=False)))
    features = Features(request_chars=100, prompt_tokens=40)
    assert kept.predict("generation", "engine", features, PRIOR) == estimates.predict(
        "generation", "engine", features, PRIOR
    )
    seen = trace(5, seed=9)
    assert replay(seen, kept) == replay(seen, estimates)


@pytest.mark.parametrize("harm", ["format", "cases", "matrix", "nan", "short", "negative", "nothing"])
def test_what_cannot_be_read_is_one_sentence(harm: str) -> None:
    estimates = Estimates()
    replay(trace(3), estimates)
    data = estimates.to_json()
    amount = data["cases"][0]["amounts"]["seconds"]
    if harm == "format":
        data["format"] = 99
    elif harm == "cases":
        data["cases"] = [3]
    elif harm == "matrix":
        amount["precision"][0][0] = -1.0
    elif harm == "nan":
        amount["weighted"][0] = math.nan
    elif harm == "short":
        amount["weighted"].pop()
    elif harm == "negative":
        amount["rate"] = -1.0
    else:
        data = {}
    with pytest.raises(LLMOSError, match=r"delete it to start afresh\.$"):
        Estimates.from_json(data)


def test_one_monstrous_observation_does_not_spoil_the_rest() -> None:
    seen = trace(100)
    estimates = Estimates()
    replay(seen, estimates)
    features = Features(request_chars=100, prompt_tokens=40)
    before = estimates.predict("generation", "engine", features, PRIOR)
    estimates.learn("generation", "engine", features, PRIOR, Outcome(seconds=1e6))
    after = estimates.predict("generation", "engine", features, PRIOR)
    assert after.p50 < 1.3 * before.p50


@pytest.mark.parametrize("wrong", [-1.0, math.nan, math.inf])
def test_numbers_that_mean_nothing_are_refused(wrong: float) -> None:
    for make in (
        lambda: Features(prompt_tokens=wrong),
        lambda: Outcome(seconds=wrong),
        lambda: Prior(seconds=wrong),
    ):
        with pytest.raises(LLMOSError, match="not negative"):
            make()


AMOUNT = st.floats(0, 1e12)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.tuples(AMOUNT, AMOUNT, AMOUNT, AMOUNT, AMOUNT, st.booleans()), min_size=1, max_size=30))
def test_whatever_is_seen_estimates_stay_usable(rows: list[tuple[float, float, float, float, float, bool]]) -> None:
    estimates = Estimates()
    for chars, prompt, data, seconds, memory, succeeded in rows:
        features = Features(chars, prompt, 1 + chars % 4, data)
        estimates.learn("k", "r", features, PRIOR, Outcome(seconds, memory=memory, succeeded=succeeded))
        estimate = estimates.predict("k", "r", replace(features, prompt_tokens=seconds), PRIOR)
        assert 0 < estimate.p50 <= estimate.p90 < math.inf
        assert 0 <= estimate.memory < math.inf
        assert 0 <= estimate.probability <= 1
    Estimates.from_json(json.loads(json.dumps(estimates.to_json())))


def test_the_measures_by_hand() -> None:
    assert brier([1.0, 0.0, 0.5], [True, False, True]) == pytest.approx(0.25 / 3)
    # Two in the bin from 0.9: 0.95 said, half came; one in the bin from 0: 0.05 said, none came.
    assert expected_calibration_error([0.95, 0.95, 0.05], [True, False, False]) == pytest.approx((0.9 + 0.05) / 3)
    assert relative_error([1.0, 2.0, 9.0], [2.0, 2.0, 3.0]) == pytest.approx(0.5)
    assert best_constant_error([1.0, 10.0, 10.0]) == 0.0
    nothing = quality([], [])
    assert (nothing.steps, nothing.brier, nothing.relative_error) == (0, None, None)
