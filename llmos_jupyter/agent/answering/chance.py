"""How likely an answer is right, as a number between 0 and 1, and what is said of it where that is little.

A logistic regression on what is known before the run, fitted on public questions that others wrote
(`python -m benchmarks.quality questions fit`; figures in docs/quality.md). The model's own certainty tells most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from llmos_jupyter.agent.answering.drafts import Draft, votes

# Below this chance the answer says so.
UNSURE = 0.5
# Characters of a result that are quoted.
QUOTED = 60


@dataclass(frozen=True)
class Weights:
    """Of the regression. `certainty` is the log-odds of the mean probability of the candidate's tokens."""

    constant: float
    certainty: float
    repaired: float
    doubted: float


WEIGHTS = Weights(constant=-2.42, certainty=1.46, repaired=-1.03, doubted=-1.04)
# Where an engine tells no probabilities: the mean of those seen.
UNKNOWN = 0.9


def chance(draft: Draft) -> float:
    """The predicted chance that a draft which works is right."""
    certainty = draft.candidate.confidence
    score = (
        WEIGHTS.constant
        + WEIGHTS.certainty * log_odds(UNKNOWN if certainty is None else certainty)
        + WEIGHTS.repaired * (draft.round > 0)
        + WEIGHTS.doubted * bool(draft.doubts)
    )
    return 1 / (1 + math.exp(-score))


def log_odds(probability: float) -> float:
    bounded = min(max(probability, 1e-3), 1 - 1e-3)
    return math.log(bounded / (1 - bounded))


def unsure(draft: Draft, drafts: list[Draft]) -> str:
    """What is told of an answer that is likely wrong, or against which the data speak; empty for others."""
    likely = chance(draft)
    doubts = draft.rehearsal.doubts if draft.rehearsal else []
    other = next((d for d in drafts if d.works and d.outcome != draft.outcome and votes(drafts)[d.outcome]), None)
    shown = [_quoted(d) for d in (draft, other) if d is not None]
    if likely < UNSURE and len(shown) == 2 and all(shown) and shown[0] != shown[1]:
        return f"I am not sure: two ways of writing this gave {shown[0]} and {shown[1]}."
    if doubts:
        return f"I am not sure: {'; '.join(doubt[:1].lower() + doubt[1:].rstrip('.') for doubt in doubts)}."
    if likely >= UNSURE:
        return ""
    return (
        f"I am not sure: about {round(10 * likely)} in 10 such answers are right. Check the code before you rely on it."
    )


def _quoted(draft: Draft) -> str:
    text = " ".join((draft.rehearsal.output if draft.rehearsal else "").split())
    return text if len(text) <= QUOTED else f"{text[: QUOTED - 1]}…"
