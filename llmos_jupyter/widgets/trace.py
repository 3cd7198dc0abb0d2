"""The whole story of a task, for `%llmos why`: as Markdown, which reads as plain text too."""

from __future__ import annotations

import time

from llmos_jupyter.protocol import (
    Candidate,
    CandidateRecord,
    FeedbackRecord,
    InspectionRecord,
    RehearsalRecord,
    RunRecord,
    Task,
    Trace,
)
from llmos_jupyter.widgets.notes import rehearsal_note, run_notes


def trace_text(trace: Trace) -> str:
    """Everything that was sent, came back, was found and was run, with times from the request's acceptance."""
    task = trace.task
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(task.created))
    options = task.options.model_dump(exclude_defaults=True)
    parts = [
        f"## Request {task.number}: {task.state}" + (f" ({task.reason})" if task.reason else ""),
        f"> {task.text.strip()[:2000]}".replace("\n", "\n> "),
        f"Accepted {began}; options: {options or 'all defaults'}.",
    ]
    sent: list[str] = []
    for stored in trace.records:
        at = f"+{max(stored.at - task.created, 0):.2f} s"
        record = stored.record
        if isinstance(record, CandidateRecord):
            parts += [f"### {at}: candidate {record.round + 1}", *_candidate(record.candidate, sent)]
        elif isinstance(record, InspectionRecord):
            found = [f"- {f.severity}: {f.message}" for f in record.findings] or ["- nothing found"]
            parts += [f"### {at}: inspection", "\n".join(found)]
        elif isinstance(record, RehearsalRecord):
            parts += [f"### {at}: tried in the sandbox", *_rehearsal(record)]
        elif isinstance(record, RunRecord):
            said = f": {record.run.error.type}: {record.run.error.message}" if record.run.error else ""
            parts += [
                f"### {at}: run",
                f"{record.run.status} in {record.run.seconds:.2f} s{said}",
                _fence(record.code, "python"),
                *run_notes(record.run),
            ]
        elif isinstance(record, FeedbackRecord):
            parts.append(f"### {at}: feedback: {record.feedback or 'taken back'}")
        else:
            parts.append(f"### {at}: {record.decision}" + (f" because {record.why}" if record.why else ""))
    return "\n\n".join(parts)


def _candidate(candidate: Candidate, sent: list[str]) -> list[str]:
    timings = candidate.timings
    texts = [f"[{message.role}]\n{message.content}" for message in candidate.messages]
    new = texts[len(sent) :] if texts[: len(sent)] == sent else texts
    earlier = len(texts) - len(new)
    sent[:] = texts
    head = f"({earlier} messages as before)\n\n" if earlier else ""
    return [
        f"{candidate.model}: {timings.prompt_tokens} tokens read, {timings.cached_tokens} of them from the cache, in "
        f"{timings.prompt_ms / 1000:.2f} s; first token after {timings.first_token_ms / 1000:.2f} s; "
        f"{timings.tokens} tokens written at {timings.tokens_per_second:.1f} tokens/s; ended by {candidate.finish}.",
        "Sent:",
        _fence(head + "\n\n".join(new)),
        "Came back:",
        _fence(candidate.text),
    ]


def _rehearsal(record: RehearsalRecord) -> list[str]:
    rehearsal = record.rehearsal
    parts = [rehearsal_note(rehearsal)]
    if rehearsal.confinement:
        parts.append(f"Locked down by {rehearsal.confinement}.")
    if rehearsal.output:
        parts += ["It would show:", _fence(rehearsal.output)]
    if rehearsal.error:
        parts.append(_fence(rehearsal.error.traceback or f"{rehearsal.error.type}: {rehearsal.error.message}"))
    return parts


def task_line(task: Task) -> str:
    """One line of a history."""
    at = time.strftime("%m-%d %H:%M", time.localtime(task.created))
    text = " ".join(task.text.split())
    return f"{task.number:>5}  {at}  {task.state:<9}  {text if len(text) <= 80 else text[:77] + '...'}"


def _fence(text: str, language: str = "") -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
