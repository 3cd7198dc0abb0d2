"""From the daemon's records to observations: what was known before each step, and what it came to.

Kinds: "generation" and "repair" (seconds from the daemon's receipt to the last token; success: a candidate works),
"cell" (the run in the notebook, expected to take as long as its rehearsal), "answer" (the whole request; success: it
is done), "graded" (the same; success: right by the benchmark's reference, which no daemon knows), "run HASH" (a
background cell).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from llmos_jupyter.daemon.stores.learned import run_kind
from llmos_jupyter.engines import selection
from llmos_jupyter.protocol import CandidateRecord, InspectionRecord, Record, RehearsalRecord, RunRecord, Trace
from llmos_jupyter.protocol.jobs import Ended
from llmos_jupyter.scheduling.choice.strategies import ANSWER, Strategy, prior
from llmos_jupyter.scheduling.estimating.calibration import Observation
from llmos_jupyter.scheduling.estimating.estimates import Features, Outcome, Prior

# What is expected of any engine before it was seen: reading is so many times as fast as writing (1.5B: 43 and 15.5
# tokens/s), a token is so many characters, a first answer so many tokens.
READING = 2.8
CHARS_A_TOKEN = 3.2
ANSWER_TOKENS = 40.0
# A background cell, before anything is known of it.
UNKNOWN = Prior(seconds=10.0, probability=0.9)
# The engine keeps the prompts that were read last: one in each of its slots.
PROMPTS_CACHED = 4


class Observer:
    """Follows one engine, in the order in which it was asked."""

    def __init__(self, model: str) -> None:
        found = selection.resolve(model)
        self.model, self._size = found.name, found.size_bytes
        self._speed = selection.decode_speed(found, selection.Machine.here())
        self._prompts: deque[str] = deque(maxlen=PROMPTS_CACHED)

    def request(self, trace: Trace, right: bool) -> list[Observation]:
        """All that can be learned of one request that was asked with the default effort."""
        records = [stored.record for stored in trace.records]
        rounds: dict[int, list[CandidateRecord]] = {}
        for record in records:
            if isinstance(record, CandidateRecord):
                rounds.setdefault(record.round, []).append(record)
        fresh = {number: self._to_read(candidates[0]) for number, candidates in rounds.items()}
        chars = float(len(trace.task.text))
        made = [
            seen
            for number, candidates in rounds.items()
            if (seen := self._generation(number, candidates, records, chars, fresh[number]))
        ]
        made += _cells(records, chars)
        strategy = Strategy(self.model)
        features = Features(request_chars=chars, prompt_tokens=next(iter(fresh.values()), 0.0))
        expected = prior(strategy, self._size, self._speed)
        seconds = max(0.0, trace.task.updated - trace.task.created)
        for kind, succeeded in ((ANSWER, trace.task.state == "done"), ("graded", right)):
            outcome = Outcome(seconds=seconds, succeeded=succeeded)
            made.append(Observation(kind, strategy.name, features, expected, outcome))
        return made

    def _to_read(self, record: CandidateRecord) -> float:
        """Tokens of its prompt that the engine has not read before, by the length of the text."""
        prompt = "\n".join(f"{message.role}\n{message.content}" for message in record.candidate.messages)
        known = max((_shared(prompt, old) for old in self._prompts), default=0)
        self._prompts.append(prompt)
        return (len(prompt) - known) / CHARS_A_TOKEN

    def _generation(
        self, number: int, candidates: list[CandidateRecord], records: list[Record], chars: float, fresh: float
    ) -> Observation | None:
        ended = [record.candidate for record in candidates if record.candidate.finish != "cancelled"]
        if not ended:
            return None
        timings = [candidate.timings for candidate in ended]
        works = [_works(records, number, record.candidate.index) for record in candidates]
        return Observation(
            "repair" if candidates[0].purpose == "repair" else "generation",
            self.model,
            Features(request_chars=chars, prompt_tokens=fresh, candidates=len(candidates)),
            Prior(seconds=0.2 + (fresh / READING + ANSWER_TOKENS) / self._speed, tokens=ANSWER_TOKENS),
            Outcome(
                seconds=max(one.first_token_ms + one.decode_ms for one in timings) / 1000,
                tokens=float(sum(one.tokens for one in timings)),
                succeeded=True if True in works else (False if False in works else None),
            ),
        )


def _shared(text: str, other: str) -> int:
    """How many characters two texts begin with together."""
    return next((n for n, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))


def _works(records: list[Record], number: int, index: int) -> bool | None:
    """Whether a candidate could run; None for words, and for what was not tried because another was the same."""
    found: bool | None = None
    for record in records:
        if record.type == "rehearsal" and (record.round, record.index) == (number, index):
            found = record.rehearsal.status in ("passed", "refused", "unfinished")
        elif isinstance(record, InspectionRecord) and (record.round, record.index) == (number, index):
            found = False if any(finding.kind == "syntax" for finding in record.findings) else found
    return found


def _cells(records: list[Record], chars: float) -> Iterator[Observation]:
    for record in records:
        if not isinstance(record, RunRecord) or record.run.status == "interrupted":
            continue
        rehearsed = [
            other.rehearsal
            for other in records
            if isinstance(other, RehearsalRecord)
            and (other.round, other.index) == (record.round, record.index)
            and other.rehearsal.status == "passed"
        ]
        expected = Prior(seconds=rehearsed[-1].seconds, probability=0.98) if rehearsed else Prior(probability=0.5)
        outcome = Outcome(seconds=record.run.seconds, succeeded=record.run.status == "ok")
        yield Observation("cell", "notebook", Features(request_chars=chars), expected, outcome)


def job(code: str, ended: Ended) -> Observation:
    """What a background cell came to."""
    outcome = Outcome(seconds=ended.seconds, memory=float(ended.peak_bytes), succeeded=ended.state == "done")
    return Observation(run_kind(code), "workers", Features(request_chars=float(len(code))), UNKNOWN, outcome)


# --- as lines of a file -----------------------------------------------------------------------


def to_line(seen: Observation) -> dict[str, Any]:
    """Numbers alone, what is not known left out."""
    plain: dict[str, Any] = {"kind": seen.kind, "resource": seen.resource}
    for name in ("features", "prior", "outcome"):
        values = asdict(getattr(seen, name))
        plain[name] = {
            key: value if isinstance(value, bool) else float(f"{value:.5g}")
            for key, value in values.items()
            if value is not None
        }
    return plain


def from_line(line: dict[str, Any]) -> Observation:
    """What `to_line` gave. Raises KeyError, TypeError or LLMOSError for anything else."""
    return Observation(
        line["kind"],
        line["resource"],
        Features(**line["features"]),
        Prior(**line["prior"]),
        Outcome(**line["outcome"]),
    )
