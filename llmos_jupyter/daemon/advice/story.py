"""What each record of a trace says, in words: the one teller of a trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from llmos_jupyter.protocol import (
    CandidateRecord,
    ErrorReport,
    FeedbackRecord,
    Finding,
    Fold,
    InspectionRecord,
    Message,
    NameChange,
    Record,
    RehearsalRecord,
    RunRecord,
    Story,
    StoryLine,
    Trace,
)
from llmos_jupyter.units import rate, seconds, shortened, size

# Records, and sentences of `why`, that are told, the newest; a task with more has been tried over and over.
LINES = 300
# Facts, findings and names of one record.
POINTS = 50
# Characters of one sentence, of one longer text (a prompt fits), and of all longer texts together: those of the newest
# records are kept.
SENTENCE, TEXT, TEXTS = 2_000, 100_000, 3_000_000

_FINISHES = {
    "stop": "",
    "length": "cut off at its limit of tokens",
    "cancelled": "cancelled",
    "preempted": "gave way to more urgent work",
}
# How code ended, of a rehearsal and of a run, with the time it took.
_ENDS = {
    "passed": "no error in {}",
    "ok": "no error in {}",
    "failed": "failed after {}",
    "refused": "went as far as it may without your yes, for {}",
    "unfinished": "no error in the first {}, then stopped",
    "died": "the sandbox ended after {}",
    "interrupted": "interrupted after {}",
}
_CHANGES = {"created": "created", "rebound": "replaced", "mutated": "changed", "deleted": "deleted"}
_FEEDBACK = {
    "": "taken back",
    "up": "good answer",
    "down": "bad answer",
    "undone": "undone",
    "edited": "run with changes",
}


def tell(trace: Trace, why: list[str]) -> Story:
    """The story of a task, within bounds: `why`, and a line for each record, or a sentence for the oldest of many."""
    skipped = max(0, len(trace.records) - LINES)
    candidates = sum(isinstance(stored.record, CandidateRecord) for stored in trace.records)
    earlier = _Earlier(several=candidates > 1)
    lines = []
    for place, stored in enumerate(trace.records):
        if isinstance(stored.record, CandidateRecord):
            earlier.number(stored.record)
        at = max(0.0, stored.at - trace.task.created)
        if place >= skipped:
            lines.append(_line(stored.record, at, earlier))
        elif place == skipped - 1:
            lines.append(StoryLine(seconds=at, what=f"Left out: {_count(skipped, 'earlier record')}"))
    return Story(task=trace.task, why=why[-LINES:], lines=_bounded(lines))


@dataclass
class _Earlier:
    """What the records so far have told, so that it is told once. `several`: the trace has more than one candidate."""

    several: bool
    code: str = ""
    sent: list[Message] = field(default_factory=list)
    count: int = 0
    repairs: int = 0
    numbers: dict[tuple[int, int], int] = field(default_factory=dict)

    def number(self, record: CandidateRecord) -> None:
        self.count += 1
        self.repairs += record.purpose == "repair"
        self.numbers[record.round, record.candidate.index] = self.count

    def whose(self, record: InspectionRecord | RehearsalRecord | RunRecord) -> str:
        """The candidate that a record is of, where that is not plain."""
        number = self.numbers.get((record.round, record.index))
        return f" (candidate {number})" if number is not None and self.several else ""

    def new_code(self, code: str) -> list[Fold]:
        """Code, unless it was the last one told: inspection, rehearsal and run are usually of the same."""
        if not code or code == self.code:
            return []
        self.code = code
        return [_fold("Code", code, code=True)]


def _line(record: Record, at: float, earlier: _Earlier) -> StoryLine:
    if isinstance(record, CandidateRecord):
        return _candidate(record, at, earlier)
    if isinstance(record, InspectionRecord):
        return _inspection(record, at, earlier)
    if isinstance(record, RehearsalRecord):
        return _rehearsal(record, at, earlier)
    if isinstance(record, RunRecord):
        return _run(record, at, earlier)
    if isinstance(record, FeedbackRecord):
        return StoryLine(seconds=at, what=f"Feedback: {_FEEDBACK[record.feedback]}")
    what = f"Decision: {record.decision}" + (f": {record.why}" if record.why else "")
    return StoryLine(seconds=at, what=shortened(what, SENTENCE))


def _candidate(record: CandidateRecord, at: float, earlier: _Earlier) -> StoryLine:
    candidate, timings = record.candidate, record.candidate.timings
    purpose = {"answer": "", "compare": " (to compare)", "repair": f" (repair {earlier.repairs})"}[record.purpose]
    parts = [f"Candidate {earlier.count}{purpose}"]
    if candidate.model:
        parts.append(candidate.model + (f" on {candidate.device}" if candidate.device else ""))
    if timings.tokens:
        written = _count(timings.tokens, "token")
        if timings.decode_ms:
            written += f" in {seconds(timings.decode_ms / 1000)} ({rate(timings.tokens_per_second)} tokens/s)"
        parts.append(written)
    if timings.first_token_ms:
        parts.append(f"first token after {seconds(timings.first_token_ms / 1000)}")
    if timings.prompt_tokens:
        parts.append(
            f"{_count(timings.prompt_tokens, 'token')} read in {seconds(timings.prompt_ms / 1000)}, "
            f"{timings.cached_tokens} of them from the cache"
        )
    if candidate.confidence is not None:
        parts.append(f"confidence {100 * candidate.confidence:.0f} %")
    if finish := _FINISHES[candidate.finish]:
        parts.append(finish)
    before = zip(candidate.messages, earlier.sent, strict=False)
    known = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], before))
    earlier.sent = candidate.messages
    facts = [f"Sent: {known} of {_count(len(candidate.messages), 'message')} as before"] if known else []
    sent = [_fold(f"Sent: {message.role}", message.content) for message in candidate.messages[known:]]
    earlier.code = candidate.text
    came_back = _fold("Came back", candidate.text)
    return StoryLine(seconds=at, what=shortened(" · ".join(parts), SENTENCE), facts=facts, folds=[*sent, came_back])


def _inspection(record: InspectionRecord, at: float, earlier: _Earlier) -> StoryLine:
    count = len(record.findings)
    return StoryLine(
        seconds=at,
        what=f"Inspection{earlier.whose(record)}: {_count(count, 'finding') if count else 'nothing found'}",
        facts=[f"The first {POINTS} findings are told."] if count > POINTS else [],
        findings=[_short(finding) for finding in record.findings[:POINTS]],
        folds=earlier.new_code(record.code),
    )


def _rehearsal(record: RehearsalRecord, at: float, earlier: _Earlier) -> StoryLine:
    rehearsal, whose = record.rehearsal, earlier.whose(record)
    if rehearsal.status == "unavailable":
        what = f"Not tried in the sandbox{whose}: {rehearsal.reason or 'it cannot be here'}"
    else:
        what = f"Tried in the sandbox{whose}: {_ENDS[rehearsal.status].format(seconds(rehearsal.seconds))}"
        what += f", {size(rehearsal.peak_bytes)} of memory" if rehearsal.peak_bytes > 0 else ""
        what += _error(rehearsal.error)
        what += f"; {rehearsal.reason}" if rehearsal.reason else ""
    facts = [
        *_changes(rehearsal.changes),
        *_some([f"Refused: {refusal.capability.value}: {refusal.what}" for refusal in rehearsal.refusals]),
        *_some([f"Doubt: {doubt}" for doubt in rehearsal.doubts]),
        *([f"Lock: {rehearsal.confinement}"] if rehearsal.confinement else []),
    ]
    printed = [_fold("What it printed", rehearsal.output)] if rehearsal.output else []
    return StoryLine(
        seconds=at,
        what=shortened(what, SENTENCE),
        facts=[shortened(fact, SENTENCE) for fact in facts],
        folds=[*earlier.new_code(record.code), *printed, *_traceback(rehearsal.error)],
    )


def _run(record: RunRecord, at: float, earlier: _Earlier) -> StoryLine:
    run = record.run
    what = f"Run{earlier.whose(record)}: {_ENDS[run.status].format(seconds(run.seconds))}{_error(run.error)}"
    facts = _changes(run.changes)
    if record.chance is not None:
        facts.append(f"Chance of being right, predicted before it: {100 * record.chance:.0f} %")
    return StoryLine(
        seconds=at,
        what=shortened(what, SENTENCE),
        facts=[shortened(fact, SENTENCE) for fact in facts],
        folds=[*earlier.new_code(record.code), *_traceback(run.error)],
    )


def _error(error: ErrorReport | None) -> str:
    if error is None:
        return ""
    return f": {error.type}: {error.message}" + (f" (line {error.line})" if error.line else "")


def _traceback(error: ErrorReport | None) -> list[Fold]:
    return [_fold("Traceback", error.traceback)] if error is not None and error.traceback else []


def _changes(changes: Sequence[NameChange]) -> list[str]:
    """What became of the user's names, in one line; none for no change."""
    names = []
    for change in changes:
        what = ", ".join(part for part in (change.type, change.detail) if part)
        names.append(f"{_CHANGES[change.kind]} `{change.name}`" + (f" ({what})" if what else ""))
    return [f"Names: {', '.join(_some(names))}"] if names else []


def _some(points: list[str]) -> list[str]:
    """The first of many, and how many more there are."""
    return points[:POINTS] + ([f"and {len(points) - POINTS} more"] if len(points) > POINTS else [])


def _short(finding: Finding) -> Finding:
    """A finding as far as it is shown."""
    return finding.model_copy(
        update={
            "message": shortened(finding.message, SENTENCE),
            "suggestions": [shortened(name, SENTENCE) for name in finding.suggestions[:POINTS]],
            "targets": [],
        }
    )


def _fold(title: str, text: str, *, code: bool = False) -> Fold:
    return Fold(title=title, text=text[:TEXT], code=code, left_out=max(0, len(text) - TEXT))


def _bounded(lines: list[StoryLine]) -> list[StoryLine]:
    """The same lines; of longer texts that are too many together, the oldest are left out."""
    room = TEXTS
    for line in reversed(lines):
        for fold in line.folds:
            kept = min(len(fold.text), room)
            room -= kept
            fold.left_out += len(fold.text) - kept
            fold.text = fold.text[:kept]
    return lines


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"
