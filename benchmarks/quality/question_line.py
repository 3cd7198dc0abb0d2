"""What is written down of one question: one flat JSON object, whichever way it was answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.quality.kernel import Output
from benchmarks.quality.question_grading import Failure
from benchmarks.quality.questions import Question
from benchmarks.quality.run import brief
from llmos_jupyter.agent.answering.drafts import Draft, votes
from llmos_jupyter.protocol import Candidate, CandidateRecord, DecisionRecord, RehearsalRecord, RunRecord, Trace

SHOWN = 600


def common(question: Question, output: Output) -> dict[str, Any]:
    return {
        "id": question.id,
        "set": question.set,
        "shown": output.shown[:SHOWN],
        "error": output.error,
        "seconds": round(output.seconds, 3),
    }


def left_out(question: Question, why: str) -> dict[str, Any]:
    """A question that cannot be answered rightly here, or needs no answer."""
    return {"id": question.id, "set": question.set, "left_out": why}


def graded(output: Output, why: str, failure: Failure, *, ran: bool, words: bool) -> dict[str, Any]:
    """The outcome, where what happened to the code says more than what the grading missed."""
    if failure or not ran:
        if output.status == "timeout":
            why, failure = output.error, "timeout"
        elif not ran:
            failure = "no code" if words else "held back"
            why = output.error or why
        elif output.error:
            failure = "exception"
            why = output.error
    return {"right": not failure, "why": why, "failure": failure}


def written(candidates: list[Candidate]) -> dict[str, Any]:
    """What the engine did."""
    timings = [one.timings for one in candidates]
    first = candidates[0] if candidates else None
    return {
        "first_token_seconds": round(first.timings.first_token_ms / 1000, 3) if first else None,
        "engine_seconds": round(sum(one.prompt_ms + one.decode_ms for one in timings) / 1000, 3),
        "tokens_in": sum(one.prompt_tokens for one in timings),
        "tokens_read": sum(one.prompt_tokens - one.cached_tokens for one in timings),
        "tokens_out": sum(one.tokens for one in timings),
        "candidates": len(candidates),
        "confidence": first.confidence if first else None,
        "least_confidence": first.doubt if first else None,
    }


def traced(trace: Trace | None, answer: dict[str, Any]) -> dict[str, Any]:
    """What the loop did. `answer`: the answer's cell as it was last shown."""
    records = [stored.record for stored in trace.records] if trace else []
    candidates = [record for record in records if isinstance(record, CandidateRecord)]
    runs = [record for record in records if isinstance(record, RunRecord)]
    code = runs[-1].code if runs else ""
    rehearsed = [record for record in records if isinstance(record, RehearsalRecord)]
    chosen = [record for record in rehearsed if record.code == code] or rehearsed
    decisions = [record for record in records if isinstance(record, DecisionRecord)]
    plain = [brief(record) for record in records]
    return {
        **written([record.candidate for record in candidates]),
        "code": code,
        "state": answer.get("state", ""),
        "reason": trace.task.reason if trace else "",
        "rounds": len({record.round for record in candidates}),
        "doubts": chosen[-1].rehearsal.doubts if chosen else [],
        "agreed": agreed(decisions, rehearsed, chosen[-1]) if chosen else None,
        "chance": chance(answer, plain),
        "records": plain,
    }


def agreed(decisions: list[DecisionRecord], rehearsed: list[RehearsalRecord], chosen: RehearsalRecord) -> bool | None:
    """Whether another candidate, written differently, came to the same as the chosen one; None where none were
    compared."""
    if not any(record.decision == "chosen" for record in decisions):
        return None
    # Of a candidate that ran twice, the second time with more time, the last run counts.
    last = {(record.round, record.index): _draft(record) for record in rehearsed}
    return votes(list(last.values()))[_draft(chosen).outcome] > 1


def _draft(record: RehearsalRecord) -> Draft:
    return Draft(Candidate(text=record.code), record.code, True, record.round, rehearsal=record.rehearsal)


def chance(answer: dict[str, Any], records: list[dict[str, Any]]) -> float | None:
    """The predicted chance of being right, where the answer or its trace tells one; the last of several."""
    told = [*_chances(records), *_chances(answer)]
    return told[-1] if told else None


def _chances(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        if isinstance(value.get("chance"), int | float):
            yield float(value["chance"])
        for item in value.values():
            yield from _chances(item)
    elif isinstance(value, list):
        for item in value:
            yield from _chances(item)
