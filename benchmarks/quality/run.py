"""Run tasks through the magic in real kernels, and write down what came of each.

One pass gives three levels. "loop" is what the magic did, with the options of the pass. "bare" is the first candidate
of each request as the model wrote it, run unchecked in another kernel with the same starting namespace. "inspection" is
the same candidate as inspection mended it, or held it back. In a sequence, the later requests' candidates were written
in a notebook where the loop had answered the earlier ones; the bare chain is made of them.
"""

from __future__ import annotations

import contextlib
import json
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.common import note
from benchmarks.quality.kernel import Kernel, Output
from benchmarks.quality.task import Step, Task
from benchmarks.quality.tasks import load
from llmos_jupyter.agent.context import prompts
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.protocol import CandidateRecord, InspectionRecord, Trace
from llmos_jupyter.protocol import Task as Asked

# Seconds: for one request through the magic; for a bare run of code.
REQUEST_LIMIT = 300.0
BARE_LIMIT = 8.0
# A function that the request asked for is called by its grading, and may never return.
GRADING_LIMIT = 15.0
# A kernel for bare runs is used for so many tasks.
BARE_TASKS = 25


@dataclass
class Outcome:
    """What one request came to. `harm`: starting variables changed against it; `extended`: that gained something."""

    right: bool = False
    why: str = ""
    harm: list[str] = field(default_factory=list)
    extended: list[str] = field(default_factory=list)
    code: str = ""
    error: str = ""
    ran: bool = False
    seconds: float = 0.0


def run(
    set_name: str,
    model: str,
    options: str,
    out: Path,
    *,
    only: list[str] | None = None,
    limit: int | None = None,
    shuffle: int | None = None,
    resume: bool = False,
) -> None:
    """Write one JSON line a task to `out`. With `resume`, tasks that stand there already are left out."""
    tasks = chosen(set_name, only, limit, shuffle)
    done = {line["task"] for line in read(out)} if resume and out.exists() else set()
    tasks = [task for task in tasks if task.id not in done]
    out.parent.mkdir(parents=True, exist_ok=True)
    if not resume:
        out.write_text("", encoding="utf-8")
    client = DaemonClient()
    client.load(model)
    given = f"--model {model} {options}".strip()
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Bare(folder)) as bare:
        for number, task in enumerate(tasks, 1):
            line = answer(task, set_name, given, client, bare, folder)
            line |= {"set": set_name, "model": model, "options": options}
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            marks = {level: "right" if solved(line, level) else "wrong" for level in ("bare", "loop")}
            note(f"{number}/{len(tasks)} {task.id}: bare {marks['bare']}, loop {marks['loop']}")


def chosen(set_name: str, only: list[str] | None, limit: int | None, shuffle: int | None) -> list[Task]:
    """The tasks of a pass: `only` names subjects or tasks."""
    tasks = [task for task in load(set_name) if not only or task.subject in only or task.id in only]
    if shuffle is not None:
        random.Random(shuffle).shuffle(tasks)
    return tasks[:limit]


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def solved(line: dict[str, Any], level: str) -> bool:
    """Every request answered rightly, and no starting variable changed that nobody asked to change."""
    return all(step[level]["right"] and not step[level]["harm"] for step in line["steps"])


# --- through the magic ------------------------------------------------------------------------


def answer(task: Task, set_name: str, options: str, client: DaemonClient, bare: Bare, folder: str) -> dict[str, Any]:
    steps: list[dict[str, Any]] = []
    kernel = Kernel(folder)
    try:
        kernel.run("%load_ext llmos_jupyter", limit=60)
        kernel.call("start", set_name, task.id)
        made = kernel.run(task.setup, limit=60)
        if made.error:
            raise RuntimeError(f"the setup of {task.id} failed: {made.error}")
        for number, step in enumerate(task.steps):
            steps.append(_request(kernel, client, number, step, options))
    finally:
        if kernel.alive:
            kernel.close()
    codes = [step["first_code"] for step in steps]
    words = [step["first_words"] for step in steps]
    mended = [step["inspected_code"] for step in steps]
    raw = bare.chain(task, set_name, codes, words)
    checked = raw if mended == codes else bare.chain(task, set_name, mended, words)
    for summary, first, second in zip(steps, raw, checked, strict=True):
        for level, outcome in (("bare", first), ("inspection", second)):
            summary[level] = asdict(outcome)
            summary[level]["seconds"] += summary["first_seconds"]
    return {"task": task.id, "subject": task.subject, "steps": steps}


def _request(kernel: Kernel, client: DaemonClient, number: int, step: Step, options: str) -> dict[str, Any]:
    if not kernel.alive:
        return _summary(step, None, Outcome(why="the kernel was gone"), "")
    kernel.call("before", number)
    last = latest(client)
    output = kernel.run(f"%%llmos {options}\n{step.ask}", limit=REQUEST_LIMIT)
    now = latest(client)
    trace = client.trace(now.id) if now and (last is None or now.id != last.id) else None
    words = words_said(trace)
    outcome = graded(kernel, output, words)
    if trace:
        runs = [stored.record for stored in trace.records if stored.record.type == "run"]
        outcome.ran = bool(runs)
        outcome.code = runs[-1].code if runs else ""
    return _summary(step, trace, outcome, words)


def latest(client: DaemonClient) -> Asked | None:
    """The last task of all."""
    return next(iter(client.tasks(limit=1)[-1:]), None)


def graded(kernel: Kernel, output: Output, words: str) -> Outcome:
    """What a cell came to by the reference, in the kernel where it ran."""
    outcome = Outcome(error=output.error, seconds=output.seconds)
    if not kernel.alive:
        outcome.why = output.error
        return outcome
    try:
        verdict = json.loads(kernel.call("after", output.shown, words, limit=GRADING_LIMIT))
    except RuntimeError as error:
        outcome.why = str(error)
        return outcome
    outcome.right, outcome.why = verdict["right"], verdict["why"]
    outcome.harm, outcome.extended = verdict["harm"], verdict["extended"]
    return outcome


def words_said(trace: Trace | None) -> str:
    """The reply, if the request was answered in words."""
    candidates = [record for record in _records(trace) if isinstance(record, CandidateRecord)]
    ran = any(record.type == "run" for record in _records(trace))
    reply = prompts.read_reply(candidates[-1].candidate.text) if candidates and not ran else None
    return reply.text if reply and reply.kind == "words" else ""


def _records(trace: Trace | None) -> Iterator[Any]:
    return (stored.record for stored in trace.records) if trace else iter(())


def _summary(step: Step, trace: Trace | None, outcome: Outcome, words: str) -> dict[str, Any]:
    records = list(_records(trace))
    candidates = [record for record in records if isinstance(record, CandidateRecord)]
    first = candidates[0].candidate if candidates else None
    reply = prompts.read_reply(first.text) if first else prompts.Reply("nothing", "")
    code = reply.text if reply.kind == "code" else ""
    inspected = next((record for record in records if isinstance(record, InspectionRecord)), None)
    held = inspected is not None and any(finding.severity == "error" for finding in inspected.findings)
    timings = [record.candidate.timings for record in candidates]
    return {
        "request": step.ask,
        "loop": asdict(outcome),
        "words": words,
        "state": trace.task.state if trace else "none",
        "reason": trace.task.reason if trace else outcome.why,
        "first_code": code,
        "first_words": reply.text if reply.kind == "words" else "",
        "inspected_code": "" if held else (inspected.code if inspected else code),
        "first_seconds": (first.timings.first_token_ms + first.timings.decode_ms) / 1000 if first else 0.0,
        "candidates": len(candidates),
        "tokens_in": sum(one.prompt_tokens for one in timings),
        "tokens_read": sum(one.prompt_tokens - one.cached_tokens for one in timings),
        "tokens_out": sum(one.tokens for one in timings),
        "first_tokens_in": timings[0].prompt_tokens if timings else 0,
        "first_tokens_out": timings[0].tokens if timings else 0,
        "records": [brief(record) for record in records],
    }


def brief(record: Any) -> dict[str, Any]:
    """A record of the trace; of the prompt only its last message, as each holds all that came before."""
    plain: dict[str, Any] = record.model_dump(mode="json", exclude_defaults=True)
    if isinstance(record, CandidateRecord):
        plain["candidate"]["messages"] = [message.model_dump() for message in record.candidate.messages[-1:]]
    return {"type": record.type, **plain}


# --- without the loop -------------------------------------------------------------------------


class Bare:
    """Runs code in a kernel of its own that may be killed."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._kernel: Kernel | None = None
        self._tasks = 0

    def close(self) -> None:
        if self._kernel and self._kernel.alive:
            self._kernel.close()
        self._kernel = None

    def chain(self, task: Task, set_name: str, codes: list[str], words: list[str]) -> list[Outcome]:
        """The outcome of each request of a task, if these pieces of code were run one after the other."""
        kernel = self._fresh()
        kernel.run("%reset -f", limit=30)
        kernel.call("start", set_name, task.id, False)
        made = kernel.run(task.setup, limit=60)
        if made.error:
            raise RuntimeError(f"the setup of {task.id} failed: {made.error}")
        outcomes: list[Outcome] = []
        for number, (code, said) in enumerate(zip(codes, words, strict=True)):
            if not kernel.alive:
                outcomes.append(Outcome(code=code, why="the kernel was gone"))
                continue
            kernel.call("before", number)
            output = kernel.run(code, limit=BARE_LIMIT) if code else Output()
            outcome = graded(kernel, output, said)
            outcome.code, outcome.ran = code, bool(code)
            outcomes.append(outcome)
        return outcomes

    def _fresh(self) -> Kernel:
        self._tasks += 1
        if self._kernel is None or not self._kernel.alive or self._tasks % BARE_TASKS == 0:
            self.close()
            self._kernel = Kernel(self._folder)
        return self._kernel


# --- without a model --------------------------------------------------------------------------


def check(set_name: str, only: list[str] | None = None) -> list[str]:
    """Every task's reference passes its own grading and an empty answer does not: the tasks of which this is not so."""
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Bare(folder)) as bare:
        for task in chosen(set_name, only, None, None):
            began = time.monotonic()
            references = bare.chain(
                task, set_name, [step.expect for step in task.steps], [step.answer for step in task.steps]
            )
            empty = bare.chain(task, set_name, ["pass" for _ in task.steps], ["" for _ in task.steps])
            for number, (good, bad) in enumerate(zip(references, empty, strict=True), 1):
                if not good.right or good.harm or good.extended:
                    wrong.append(f"{task.id} step {number}: {good.error} {good.why} {good.harm or good.extended}")
                if bad.right:
                    wrong.append(f"{task.id} step {number}: an empty answer passes")
            if time.monotonic() - began > 10:
                note(f"{task.id} took {time.monotonic() - began:.0f} s")
    return wrong
