"""How much the loop spends on one request: when the first candidate is believed, when others are asked for."""

from __future__ import annotations

from llmos_jupyter.agent.answering.drafts import Draft

# Candidates beside the first one, written side by side: three cost about twice the time of one on two cores.
AFTER_FAILURE = 3
WHEN_DOUBTFUL = 2
# Seconds that each of them runs at the most: the model writes the others meanwhile, and they wait.
MOST_BESIDE = 60.0
# Rounds of repair where nobody says.
REPAIRS = 2
# They must differ from the first one, which is the likeliest (temperature 0).
TEMPERATURE = 0.7
# Below this geometric mean of its tokens' probabilities a candidate that works is compared with others. A higher limit
# was measured to cost half of all requests twice their time for nothing: 0.5B, development set, between 0.75 and 0.9,
# 2 of 82 answers were made worse and 1 better.
CONFIDENT = 0.75


def settled(drafts: list[Draft]) -> bool:
    """Whether one of the candidates works and nothing speaks against it, where the first one did not."""
    return any(draft.works and not draft.unfinished and not draft.doubts for draft in drafts[1:])


def beside_seconds(tried: list[Draft], least: float) -> float:
    """Seconds that a candidate written beside those `tried` may run, so that it does not hold the answer up: twice what
    the longest of them took, but `least` in any case, and MOST_BESIDE at the most."""
    took = max((draft.rehearsal.seconds for draft in tried if draft.rehearsal), default=0.0)
    return max(least, min(2 * took, MOST_BESIDE))


def repairs(wanted: int | None, advised: int | None) -> int:
    """How many rounds of repair a request may take. `wanted`: as the user said; `advised`: by the strategy, which may
    ask for more: what can be seen to be broken is tried again, whatever it saves not to."""
    return max(advised or 0, REPAIRS) if wanted is None else wanted


def in_steps(candidates: int | None, rounds: int | None) -> bool:
    """Whether a request for which no candidate works is tried in steps. `candidates`, `rounds` of repair: as the user
    said, who may want no more tries. Before other candidates, steps took two to three times as long and rescued nothing
    (docs/quality.md)."""
    return candidates is None and rounds != 0


def candidates(wanted: int | None, advised: int | None, best: Draft) -> int:
    """How many candidates to ask for beside the first and its repairs; the strategy may save them where it works and
    nothing that its run has shown speaks against it."""
    suspicious = bool(best.rehearsal and best.rehearsal.doubts)
    if wanted is None and advised is not None and best.works and not best.faults and not suspicious:
        wanted = advised
    return more_candidates(wanted, best)


def more_candidates(wanted: int | None, first: Draft) -> int:
    """How many candidates to ask for beside the first. `wanted`: a number that was said, if any."""
    if wanted is not None:
        return wanted - 1
    if not first.works or first.faults:
        return AFTER_FAILURE
    confidence = first.candidate.confidence
    suspicious = bool(first.rehearsal and first.rehearsal.doubts)
    doubtful = suspicious or (confidence is not None and confidence < CONFIDENT)
    return WHEN_DOUBTFUL if doubtful else 0
