"""Strategies: against trying them all, sensible before anything is seen, and others once the machine says so."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_jupyter.engines import catalogue, selection
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Preference
from llmos_jupyter.scheduling.choice.strategies import (
    ANSWER,
    FAILURE_SECONDS,
    FAST_SHARE,
    REQUESTS_A_LOAD,
    Considered,
    Strategy,
    choose,
    load_prior,
    prior,
    strategies,
)
from llmos_jupyter.scheduling.estimating.estimates import Estimate, Estimates, Features, Outcome
from tests.examples import examples

SMALL, MIDDLE, LARGE = "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b", "qwen2.5-coder-7b"
SIZES = {model.name: model.size_bytes for model in catalogue.models()}
FEATURES = Features(request_chars=60, prompt_tokens=700)
TWO_CORES = selection.Machine(ram_total=24 * 2**30, ram_available=20 * 2**30, cores=2)


def speed(model: str, machine: selection.Machine = TWO_CORES) -> float:
    return selection.decode_speed(catalogue.resolve(model), machine)


def expected(
    estimates: Estimates,
    models: tuple[str, ...] = (SMALL, MIDDLE),
    loaded: str | None = MIDDLE,
    features: Features = FEATURES,
    slower: float = 1.0,
) -> list[Considered]:
    """All efforts of the models, as the daemon would weigh them on two cores."""
    return [
        Considered(
            strategy,
            estimates.predict(
                ANSWER,
                strategy.name,
                features,
                prior(strategy, SIZES[strategy.model], speed(strategy.model) / slower),
            ),
            0.0 if strategy.model == loaded else load_prior(SIZES[strategy.model]).seconds,
        )
        for strategy in strategies(models)
    ]


def see(estimates: Estimates, name: str, count: int, *, right: float, seconds: float) -> None:
    """So many answers of a strategy, this share of them right, spread evenly."""
    strategy = next(one for one in strategies(SIZES) if one.name == name)
    before = prior(strategy, SIZES[strategy.model], speed(strategy.model))
    for number in range(count):
        succeeded = int((number + 1) * right) > int(number * right)
        estimates.learn(ANSWER, name, FEATURES, before, Outcome(seconds=seconds, succeeded=succeeded))


# --- against trying them all ------------------------------------------------------------------


def considered(probability: float, p50: float, wider: float, load: float) -> Considered:
    return Considered(Strategy("m"), Estimate(p50, p50 * wider, 1.0, 1.0, 1.0, probability, 3), load)


OPTIONS = st.lists(
    st.builds(considered, st.floats(0, 1), st.floats(0.01, 300), st.floats(1, 10), st.just(0.0) | st.floats(0, 60)),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=examples(200))
@given(OPTIONS, st.sampled_from(["best", "fast", "balanced"]), st.none() | st.floats(0.1, 600))
def test_no_other_strategy_is_better(options: list[Considered], preference: Preference, deadline: float | None) -> None:
    named = [Considered(Strategy(str(n)), one.estimate, one.load) for n, one in enumerate(options)]
    chosen = choose(named, preference, deadline)
    one = next(one for one in named if one.strategy == chosen.strategy)
    assert chosen.estimate is one.estimate
    assert sorted(other.strategy.model for other in chosen.considered) == sorted(o.strategy.model for o in named)
    in_time = [o for o in named if deadline is None or o.estimate.p90 + o.load <= deadline]
    if not in_time:
        assert one.estimate.p90 + one.load == min(o.estimate.p90 + o.load for o in named)
        return
    assert one in in_time
    likeliest = max(o.probability for o in in_time)
    if preference == "best":
        assert one.probability == pytest.approx(likeliest, abs=2e-6)
        ties = [o for o in in_time if o.probability >= one.probability]
        assert one.seconds <= min(o.seconds for o in ties) * (1 + 1e-5) + 1e-5
    elif preference == "fast":
        enough = [o for o in in_time if o.probability >= FAST_SHARE * likeliest]
        assert one in enough
        assert one.seconds == pytest.approx(min(o.seconds for o in enough), rel=2e-6, abs=2e-6)
    else:

        def worth(o: Considered) -> float:
            return FAILURE_SECONDS * o.probability - o.estimate.p50 - o.load / REQUESTS_A_LOAD

        assert worth(one) == pytest.approx(max(map(worth, in_time)), rel=1e-5, abs=1e-3)


@pytest.mark.parametrize(("preference", "which"), [("best", "b"), ("fast", "b"), ("balanced", "b")])
def test_equals_are_told_apart_by_the_second_aim(preference: Preference, which: str) -> None:
    rows = {
        "best": (considered(0.9, 3, 2, 0), considered(0.9, 2, 2, 0)),
        "fast": (considered(0.8, 2, 2, 0), considered(0.9, 2, 2, 0)),
        # The same cost, one waits for a model that others will use too.
        "balanced": (considered(0.9, 2, 2, 5), considered(0.9, 3, 2, 0)),
    }[preference]
    named = [Considered(Strategy(name), one.estimate, one.load) for name, one in zip("ab", rows, strict=True)]
    assert choose(named, preference).strategy.model == which
    assert choose(named[::-1], preference).strategy.model == which


def test_with_nothing_to_choose_from_one_sentence_says_so() -> None:
    with pytest.raises(LLMOSError, match="load one with"):
        choose([])


# --- before anything was seen -----------------------------------------------------------------


def test_the_priors_are_the_measured_figures_where_they_were_measured() -> None:
    for model, effort, seconds, right in (
        (MIDDLE, "single", 1.91, 56 / 80),
        (MIDDLE, "checked", 2.41, 60 / 81),
        (SMALL, "single", 1.06, 34 / 81),
        (SMALL, "checked", 1.65, 42 / 81),
    ):
        (strategy,) = [one for one in strategies([model]) if one.effort == effort]
        before = prior(strategy, SIZES[model], 16e9 / SIZES[model])  # 14.3 and 32.6 tokens a second
        assert (before.seconds, before.probability) == (pytest.approx(seconds, abs=0.02), right)


def test_larger_models_and_more_effort_are_likelier_right_and_take_longer() -> None:
    dense = [name for name in SIZES if name.startswith("qwen2.5-coder")]  # mixtures are quicker than their size
    for effort in range(3):
        rows = [prior(strategies([name])[effort], SIZES[name], speed(name)) for name in dense]
        assert [row.probability for row in rows] == sorted(row.probability for row in rows)
        assert [row.seconds for row in rows] == sorted(row.seconds for row in rows)
    for name in SIZES:
        rows = [prior(one, SIZES[name], speed(name)) for one in strategies([name])]
        assert rows[0].probability < rows[1].probability < rows[2].probability
        assert rows[1].seconds < rows[2].seconds


@settings(deadline=None, max_examples=examples(60))
@given(st.floats(0, 3000), st.floats(0, 7000), st.sampled_from([None, SMALL, MIDDLE]), st.floats(0.5, 3))
def test_balanced_at_first_is_the_middle_model_checked(
    chars: float, prompt: float, loaded: str | None, slower: float
) -> None:
    features = Features(request_chars=chars, prompt_tokens=prompt)
    options = expected(Estimates(), loaded=loaded, features=features, slower=slower)
    assert choose(options).strategy == Strategy(MIDDLE)


def test_preferences_differ_before_anything_is_seen() -> None:
    options = expected(Estimates())
    assert choose(options, "best").strategy.name == f"{MIDDLE}, thorough"
    assert choose(options, "fast").strategy.name == f"{MIDDLE}, single"
    large = expected(Estimates(), (SMALL, MIDDLE, LARGE))
    assert choose(large, "best").strategy.model == LARGE
    assert choose(large).strategy.name == f"{MIDDLE}, checked"  # on two cores the large one takes four times as long


def test_a_deadline_leaves_out_what_may_miss_it() -> None:
    options = expected(Estimates())
    late = {one.strategy.name: one.estimate.p90 + one.load for one in options}
    chosen = choose(options, "best", deadline=late[f"{MIDDLE}, checked"] + 0.1)
    assert chosen.strategy.name == f"{MIDDLE}, checked"
    hopeless = choose(options, "best", deadline=0.1)
    assert hopeless.strategy.name == min(late, key=late.__getitem__)
    assert "no other is surer to end within 0.10 s" in hopeless.why


# --- what was seen ----------------------------------------------------------------------------


def test_a_model_that_fails_here_gives_way_to_the_other() -> None:
    estimates = Estimates()
    see(estimates, f"{MIDDLE}, checked", 30, right=0.0, seconds=2.4)
    for preference in ("best", "balanced", "fast"):
        assert choose(expected(estimates), preference).strategy.model == SMALL  # type: ignore[arg-type]


def test_effort_that_pays_here_is_spent() -> None:
    estimates = Estimates()
    see(estimates, f"{MIDDLE}, checked", 60, right=0.7, seconds=2.4)
    assert choose(expected(estimates, (MIDDLE,))).strategy.name == f"{MIDDLE}, checked"
    see(estimates, f"{MIDDLE}, thorough", 20, right=0.95, seconds=4.8)
    assert choose(expected(estimates, (MIDDLE,))).strategy.name == f"{MIDDLE}, thorough"


def test_a_model_that_does_well_is_kept_however_much_is_seen() -> None:
    estimates = Estimates()
    for _ in range(4):
        see(estimates, f"{MIDDLE}, checked", 50, right=0.86, seconds=2.4)
        assert choose(expected(estimates)).strategy == Strategy(MIDDLE)
        assert choose(expected(estimates, loaded=SMALL)).strategy == Strategy(MIDDLE)


def test_a_model_that_is_slow_here_changes_what_is_fast() -> None:
    estimates = Estimates()
    assert choose(expected(estimates), "fast").strategy.model == MIDDLE
    see(estimates, f"{MIDDLE}, single", 10, right=0.7, seconds=40.0)  # the memory is too small for it, say
    see(estimates, f"{SMALL}, checked", 10, right=0.7, seconds=1.7)
    assert choose(expected(estimates), "fast").strategy.model == SMALL
    assert choose(expected(estimates)).strategy.model == SMALL
    assert choose(expected(estimates), "fast", deadline=20.0).strategy.model == SMALL


def test_a_machine_that_is_slow_throughout_makes_all_be_expected_later() -> None:
    estimates = Estimates()
    see(estimates, f"{MIDDLE}, checked", 20, right=0.85, seconds=24.0)
    before = {one.strategy.name: one.estimate.p50 for one in expected(Estimates())}
    for one in expected(estimates):
        assert 5 < one.estimate.p50 / before[one.strategy.name] < 15


# --- what the user is told --------------------------------------------------------------------


def test_the_reason_names_what_was_chosen_what_is_expected_and_what_else_there_was() -> None:
    estimates = Estimates()
    first = choose(expected(estimates, loaded=None))
    assert first.why.startswith(f"{MIDDLE}, checked (balanced): 67 % likely to be right after 7.8 s, 5.6 s of it to ")
    assert "by what is known in general" in first.why
    assert f"{SMALL}, checked (51 %, 4.5 s)" in first.why
    assert first.why.endswith(" and 2 more.")
    assert first.why.count(". ") == 0
    see(estimates, f"{MIDDLE}, checked", 12, right=0.9, seconds=2.4)
    second = choose(expected(estimates))
    assert "by 12 like it here" in second.why
    assert "load" not in second.why
    alone = choose([one for one in expected(estimates) if one.strategy == Strategy(MIDDLE)])
    assert "considered" not in alone.why


def test_efforts_have_names_and_so_have_numbers_of_the_users_own() -> None:
    assert [one.name for one in strategies(["m"])] == ["m, single", "m, checked", "m, thorough"]
    own = Strategy("m", 6, 1)
    assert own.name == "m, candidates 6, retries 1"
    assert Strategy("m", None, 0).name == "m, candidates as it takes, retries 0"
    assert prior(own, SIZES[MIDDLE], 14.0) == prior(Strategy("m"), SIZES[MIDDLE], 14.0)
