"""The notes beside an answer: one short line each, for a person."""

from __future__ import annotations

from llmos_jupyter.protocol import Candidate, Finding, NameChange, Progress, Rehearsal, Run
from llmos_jupyter.units import elapsed, size

# Bytes from which on it is told what code uses.
MUCH_MEMORY = 200e6
_PHASES = {
    "downloading": "downloading",
    "verifying": "checking the download of",
    "loading": "loading",
    "waiting": "waiting",
    "reading": "reading the notebook",
    "restarting": "the engine was restarted, the answer begins anew",
}


def progress_note(progress: Progress) -> str:
    """What is going on before the first token."""
    text = _PHASES[progress.phase]
    if progress.detail:
        text += f" {progress.detail}" if progress.phase != "waiting" else f": {progress.detail}"
    if progress.total:
        if progress.phase == "reading":
            text += f": {progress.done} of {progress.total} tokens"
        else:
            share = 100 * progress.done / progress.total
            text += f": {share:.0f} % of {size(progress.total)}"
    return text


def candidate_note(candidate: Candidate, number: int, attempts: int) -> str:
    """The status line: which model, how soon, how fast."""
    timings = candidate.timings
    parts = [candidate.model, f"first token {timings.first_token_ms / 1000:.1f} s"]
    if timings.tokens_per_second:
        parts.append(f"{timings.tokens_per_second:.1f} tokens/s")
    if attempts > 1:
        parts.append(f"attempt {attempts}")
    return " · ".join([*parts, f"request {number}"])


def finding_notes(findings: list[Finding]) -> list[str]:
    """What inspection saw, worst first; notes that say nothing of danger are left out."""
    shown = [finding for finding in findings if finding.severity != "note" or finding.kind in ("mended", "data")]
    notes = [f"inspection: {finding.message}" for finding in shown[:4]]
    if len(shown) > 4:
        notes.append(f"inspection: and {len(shown) - 4} more, see %llmos why")
    return notes


def running_note(seconds: float, memory: int) -> str:
    """Behind the word "running": for how long, and with how much memory where that is much."""
    return f"for {elapsed(seconds)}" + (f", using {size(memory)} of memory" if memory > MUCH_MEMORY else "")


def rehearsal_note(rehearsal: Rehearsal) -> str:
    """What the rehearsal found, in one line."""
    seconds = f"{rehearsal.seconds:.1f} s"
    if rehearsal.status == "unavailable":
        return f"inspected, not rehearsed: {rehearsal.reason}"
    level = "rehearsed locked-down"
    if rehearsal.status == "unfinished":
        head = f"{level}: no error in the first {seconds}, then stopped"
    elif rehearsal.status == "passed":
        head = f"{level} in {seconds}: no error"
    elif rehearsal.status == "refused":
        head = f"{level} in {seconds}: went as far as it may without your yes"
    else:
        said = rehearsal.error.type if rehearsal.error else rehearsal.reason
        head = f"{level} in {seconds}: failed ({said})"
    parts = [head]
    if foreseen := change_notes(rehearsal.changes):
        parts.append(foreseen)
    if rehearsal.refusals:
        parts.append("refused: " + ", ".join(f"{r.capability.value} ({r.what})" for r in rehearsal.refusals[:3]))
    if rehearsal.peak_bytes > MUCH_MEMORY:
        parts.append(f"needed {size(rehearsal.peak_bytes)} of memory")
    if rehearsal.reason and rehearsal.status == "passed":
        parts.append(rehearsal.reason)
    return "; ".join(parts)


def change_notes(changes: list[NameChange]) -> str:
    """`creates a, b; changes df (+1 column)`, bounded."""
    verbs = {"created": "creates", "rebound": "replaces", "mutated": "changes", "deleted": "deletes"}
    return "; ".join(f"{verbs[kind]} {names}" for kind, names in _by_kind(changes))


def run_notes(run: Run) -> list[str]:
    """What became of the user's names, after the real run."""
    verbs = {"created": "created", "rebound": "replaced", "mutated": "changed", "deleted": "deleted"}
    text = "; ".join(f"{verbs[kind]} {names}" for kind, names in _by_kind(run.changes))
    return [text] if text else []


def _by_kind(changes: list[NameChange]) -> list[tuple[str, str]]:
    groups: dict[str, list[str]] = {}
    for change in changes:
        what = ", ".join(part for part in (change.type, change.detail) if part)
        groups.setdefault(change.kind, []).append(f"`{change.name}`" + (f" ({what})" if what else ""))
    return [
        (kind, ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else ""))
        for kind, names in groups.items()
    ]
