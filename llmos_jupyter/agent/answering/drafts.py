"""Candidates as the loop knows them: what is known of each, and which of several is the answer."""

from __future__ import annotations

import ast
import math
from collections import Counter
from dataclasses import dataclass, field

from llmos_jupyter.agent.replay.recording import Recorded
from llmos_jupyter.effects.transaction import Ran
from llmos_jupyter.protocol import Candidate, Capability, ErrorReport, Finding, Rehearsal

# Probabilities below this are taken for it.
LEAST = 1e-6


@dataclass
class Draft:
    """One candidate's code and what is known of it. `code` is what would run, mended where inspection could;
    `displayed`: the variable to display after a run that itself shows nothing; `foreign`: the recorded answer that it
    is, where the user has not signed that; `ran`: its run in the sandbox, from which it is committed; `bind`: a name
    that the run's result gets when it is; `outside`: why it can run in the notebook itself only, where a run has shown
    that; `done_again`: whether it ran with the network or processes open, so that another run repeats what it did;
    `believed`: how probable the model's own yes to its result is, where it was asked."""

    candidate: Candidate
    code: str
    complete: bool
    round: int
    request: str = ""
    findings: list[Finding] = field(default_factory=list)
    rehearsal: Rehearsal | None = None
    mended: bool = False
    displayed: str = ""
    foreign: Recorded | None = None
    ran: Ran | None = None
    bind: str = ""
    outside: str = ""
    done_again: bool = False
    believed: float | None = None

    @property
    def reply(self) -> str:
        """The model's reply as it goes on standing in the prompt."""
        return self.candidate.text if self.complete and not self.mended else f"```python\n{self.code.rstrip()}\n```"

    @property
    def error(self) -> ErrorReport | None:
        return self.rehearsal.error if self.rehearsal else None

    @property
    def problems(self) -> list[str]:
        return [finding.message for finding in self.findings if finding.severity == "error"]

    @property
    def faults(self) -> list[str]:
        """What is certain to fail in functions that it defines and that no run has called yet."""
        return [finding.message for finding in self._faults]

    @property
    def _faults(self) -> list[Finding]:
        if self.rehearsal is None or self.rehearsal.status != "passed":
            return []
        kinds = ("undefined-name", "unknown-attribute")
        errors = [finding for finding in self.findings if finding.severity == "error" and finding.kind in kinds]
        return [finding for finding in errors if finding.line and within_definition(self.code, finding.line)]

    @property
    def works(self) -> bool:
        if self.rehearsal is None:
            return False
        if self.rehearsal.status == "unavailable":
            # Without a rehearsal, inspection has the last word before the user.
            return not self.problems
        if self.unfinished:
            # Some code only takes long; what can be seen never to end must not begin.
            return not any(finding.kind == "endless-loop" for finding in self.findings)
        return self.rehearsal.status in ("passed", "refused")

    @property
    def unfinished(self) -> bool:
        """Whether its run was ended before it had come to its end."""
        return self.rehearsal is not None and self.rehearsal.status == "unfinished"

    @property
    def kept_from_reading(self) -> bool:
        """Whether the sandbox refused it a file, so that its result says little."""
        rehearsal = self.rehearsal
        return (
            rehearsal is not None
            and rehearsal.reading_limited
            and any(refusal.capability is Capability.READ_FILES for refusal in rehearsal.refusals)
        )

    @property
    def doubts(self) -> list[str]:
        """What makes it suspicious though nothing failed."""
        said = [*self.faults, *(self.rehearsal.doubts if self.rehearsal else [])]
        return said + [finding.message for finding in self.findings if finding.severity == "warning"]

    @property
    def why(self) -> str:
        """In a few words, why it failed."""
        if self.candidate.finish == "cancelled":
            return "the model wrote the same over and over"
        if self.error:
            return f"{self.error.type}: {self.error.message}"[:300]
        if self.faults:
            return self.faults[0].rstrip(".")
        if self.unfinished and (loop := next((f for f in self.findings if f.kind == "endless-loop"), None)):
            return loop.message.rstrip(".")
        if self.rehearsal and self.rehearsal.reason:
            return self.rehearsal.reason
        return (self.problems or ["it does not work"])[0].rstrip(".")

    @property
    def failing_line(self) -> int | None:
        """The line of `code` that raised, or that is no Python; None where nobody knows."""
        if self.error:
            return self.error.line
        findings = self._faults or [finding for finding in self.findings if finding.severity == "error"]
        return next((finding.line for finding in findings if finding.line), None)

    @property
    def outcome(self) -> tuple[object, ...]:
        """What it would come to: candidates of one outcome agree, however they are written."""
        rehearsal = self.rehearsal
        if rehearsal is None or rehearsal.status != "passed":
            wants = sorted({refusal.capability.value for refusal in rehearsal.refusals}) if rehearsal else []
            return (rehearsal.status if rehearsal else "", *wants, self.code)
        touched = [
            (change.name, change.kind, rehearsal.outcome.get(change.name, ""))
            for change in rehearsal.changes
            if change.kind != "created"
        ]
        if shown := rehearsal.outcome.get(""):
            return (shown, *sorted(touched))
        created = sorted(rehearsal.outcome[name] for name in rehearsal.outcome)
        return (*created, *sorted(touched))


def within_definition(code: str, line: int) -> bool:
    """Whether a line is in the body of a function or class."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return any(
        isinstance(node, kinds) and node.body[0].lineno <= line <= (node.end_lineno or line) for node in ast.walk(tree)
    )


def agreed(drafts: list[Draft]) -> bool:
    """Whether two that work, and are written differently, came to the same."""
    return any(count > 1 for count in votes(drafts).values())


def choose(drafts: list[Draft]) -> tuple[Draft, str] | None:
    """The best that works, and why: one that has come to its end, then fewest doubts, then how many different ones
    agree, then the one that the model believes, then the likeliest."""
    working = [draft for draft in drafts if draft.works]
    if not working:
        return None
    agreeing = votes(drafts)

    def rank(draft: Draft) -> tuple[float, ...]:
        return (
            *_sound(draft, agreeing),
            -_belief(draft),
            draft.round != 0,  # the first is the model's likeliest
            -(draft.candidate.confidence or 0.0),
            drafts.index(draft),
        )

    best = min(working, key=rank)
    if len(drafts) == 1:
        return best, ""
    total = f"{len(drafts)} candidates"
    if agreeing[best.outcome] > 1:
        return best, f"{agreeing[best.outcome]} of {total}, written differently, came to the same"
    if len(working) == 1:
        return best, f"the only one of {total} that works"
    if best.believed is not None:
        return best, f"no two of {total} came to the same; of this one the model says yes, {best.believed:.0%} likely"
    return best, f"no two of {total} came to the same" if len(agreeing) > 1 else "the candidates are the same"


def rivals(drafts: list[Draft]) -> list[Draft]:
    """Those that work, equally sound, and came to different results, one of each result; none if one is the best."""
    agreeing = votes(drafts)
    working = [draft for draft in drafts if draft.works and not draft.unfinished]
    best = min((_sound(draft, agreeing) for draft in working), default=())
    differing = {draft.outcome: draft for draft in reversed(working) if _sound(draft, agreeing) == best}
    return list(differing.values())[::-1] if len(differing) > 1 else []


def _sound(draft: Draft, agreeing: Counter[tuple[object, ...]]) -> tuple[float, ...]:
    """Smaller for what has come to its end, has fewer doubts, and to which more different ones came."""
    return (draft.unfinished, len(draft.doubts), -agreeing[draft.outcome])


def _belief(draft: Draft) -> float:
    """The log-probability of the model's yes and, a token, of the code; least where it was not asked."""
    if draft.believed is None:
        return -math.inf
    return sum(math.log(max(chance, LEAST)) for chance in (draft.believed, draft.candidate.confidence or 1.0))


def votes(drafts: list[Draft]) -> Counter[tuple[object, ...]]:
    """How many came to each outcome; copies of one piece of code, whatever its spacing and comments, count once."""
    return Counter(outcome for outcome, _ in {(draft.outcome, _form(draft.code)) for draft in drafts if draft.works})


def same_program(code: str, other: str) -> bool:
    """Whether two pieces of code differ in spacing and comments at most."""
    return code == other or _form(code) == _form(other)


def _form(code: str) -> str:
    try:
        return ast.dump(ast.parse(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code
