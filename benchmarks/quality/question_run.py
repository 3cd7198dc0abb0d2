"""Ask the questions one way, in one pass, and write down what came of each.

`bare`: one greedy answer of the model alone, its code run unchecked. `loop`: the magic in a real kernel. Both through
the daemon, so that model and engine are the same.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from benchmarks.common import note
from benchmarks.quality import question_line
from benchmarks.quality.question_bare import Bare
from benchmarks.quality.question_kernel import QuestionKernel
from benchmarks.quality.questions import Asserts, Question
from benchmarks.quality.run import latest, read
from llmos_jupyter.agent.context import prompts
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import OPEN_STATES, CandidateRecord, Trace

Way = Literal["bare", "loop"]
WAYS: tuple[Way, ...] = ("bare", "loop")
Line = dict[str, Any]

# Seconds that a question may take, reading, writing and running.
LIMIT = 300.0
# A kernel for bare answers, or for references, is used for so many questions.
QUESTIONS_A_KERNEL = 20


def run(
    questions: Sequence[Question],
    way: Way,
    model: str,
    options: str,
    out: Path,
    *,
    limit: int | None = None,
    minutes: float | None = None,
    resume: bool = True,
    kept: bool = False,
) -> None:
    """Append one JSON line a question to `out`: those that stand there already are left out, unless not `resume`.

    `limit`: how many are asked. After `minutes` no other one is begun. `kept`: right answers stay in the history, wrong
    ones are forgotten, as by a user who looks.
    """
    setting = {"way": way, "model": model, "options": options} | ({"kept": "right"} if kept else {})
    out.parent.mkdir(parents=True, exist_ok=True)
    if not resume:
        out.write_text("", encoding="utf-8")
    todo = remaining(questions, out, setting)
    client = DaemonClient()
    client.load(model)
    began, asked = time.monotonic(), 0
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        references = stack.enter_context(contextlib.closing(Kernels(folder)))
        shared = stack.enter_context(contextlib.closing(Kernels(folder)))
        bare = Bare(client, model)
        for question in todo:
            if asked == limit or (minutes is not None and time.monotonic() - began > 60 * minutes):
                break
            if why := unusable(question, references):
                line = question_line.left_out(question, why)
            else:
                asked += 1
                if way == "bare":
                    line = answer_bare(question, bare, shared.fresh())
                else:
                    line = answer_loop(question, client, f"--model {model} --timeout 600 {options}".strip(), folder)
                    if kept and not line["right"] and (last := latest(client)) is not None:
                        client.forget(last.session.id)
                mark = "right" if line["right"] else f"WRONG ({line['failure']})"
                note(f"{asked}. {question.id}: {mark}, {line['seconds']:.1f} s")
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line | setting) + "\n")


def remaining(questions: Sequence[Question], out: Path, setting: dict[str, str]) -> list[Question]:
    """Those that do not stand in the file yet. Raises SystemExit if it is of another way, model or options."""
    lines = read(out) if out.exists() else []
    for line in lines:
        if other := {key: line.get(key) for key in setting if line.get(key) != setting[key]}:
            raise SystemExit(f"{out} is of another pass ({other}): give another --out, or --no-resume.")
    done = {line["id"] for line in lines}
    return [question for question in questions if question.id not in done]


class Kernels:
    """One kernel after the other, each emptied before a question and used for some of them."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._kernel: QuestionKernel | None = None
        self._used = 0

    def fresh(self) -> QuestionKernel:
        if self._kernel is None or not self._kernel.alive or self._used >= QUESTIONS_A_KERNEL:
            self.close()
            self._kernel, self._used = QuestionKernel(self._folder), 0
        else:
            self._kernel.again()
            if not self._kernel.alive:
                return self.fresh()
        self._used += 1
        return self._kernel

    def close(self) -> None:
        if self._kernel and self._kernel.alive:
            self._kernel.close()
        self._kernel = None


# --- the two ways -----------------------------------------------------------------------------


def answer_bare(question: Question, bare: Bare, kernel: QuestionKernel) -> Line:
    if failed := kernel.prepare(question):
        raise RuntimeError(f"the first cell of {question.id} failed: {failed}")
    output, candidate, code = bare.answer(kernel, question, LIMIT)
    why, failure = kernel.grade(question, output)
    return {
        **question_line.common(question, output),
        **question_line.graded(output, why, failure, ran=bool(code), words=True),
        **question_line.written([candidate] if candidate else []),
        "code": code,
        "state": output.status,
        "reason": "",
        "rounds": 1 if candidate else 0,
        "doubts": [],
        "agreed": None,
        "chance": None,
        "records": [{"type": "candidate", "candidate": {"text": candidate.text}}] if candidate else [],
    }


def answer_loop(question: Question, client: DaemonClient, options: str, folder: str) -> Line:
    """In a kernel of its own: a conversation cannot be emptied."""
    kernel = QuestionKernel(folder)
    try:
        if failed := kernel.run("%load_ext llmos_jupyter", limit=60).error or kernel.prepare(question):
            raise RuntimeError(f"the first cell of {question.id} failed: {failed}")
        last = latest(client)
        output = kernel.run(f"%%llmos {options}\n{question.request}", limit=LIMIT)
        trace = _trace(client, last.id if last else "")
        why, failure = kernel.grade(question, output)
    finally:
        if kernel.alive:
            kernel.close()
    told = question_line.traced(trace, kernel.answer)
    ran = any(record["type"] == "run" for record in told["records"])
    graded = question_line.graded(output, why, failure, ran=ran, words=_in_words(trace))
    if not ran and graded["failure"] != "timeout":
        graded["why"] = told["reason"] or graded["why"]
    return question_line.common(question, output) | graded | told


def _trace(client: DaemonClient, last: str) -> Trace | None:
    """That of the newest request, if it is not this last one. One that goes on still is cancelled."""
    now = latest(client)
    if now is None or now.id == last:
        return None
    if now.state in OPEN_STATES:
        with contextlib.suppress(LLMOSError):
            client.cancel(now.id)
    return client.trace(now.id)


def _in_words(trace: Trace | None) -> bool:
    candidates = [stored.record for stored in trace.records] if trace else []
    texts = [record.candidate.text for record in candidates if isinstance(record, CandidateRecord)]
    return not any(prompts.read_reply(text).kind == "code" for text in texts)


# --- without a model --------------------------------------------------------------------------


def unusable(question: Question, kernels: Kernels) -> str:
    """Why a question measures nothing here: its first cell fails, its reference does, or no answer is needed."""
    kernel = kernels.fresh()
    if failed := kernel.prepare(question):
        return f"its first cell fails: {failed}"
    if not isinstance(question.grading, Asserts):
        return ""
    passes, _ = kernel.grade(question, kernel.run("pass", limit=LIMIT))
    if not passes:
        return "it is right without an answer"
    kernel = kernels.fresh()
    kernel.prepare(question)
    output = kernel.run(question.grading.reference, limit=LIMIT)
    why, _ = kernel.grade(question, output)
    return f"its reference fails: {output.error or why}" if why else ""


def check(questions: Sequence[Question]) -> Iterator[tuple[Question, str]]:
    """Each question with why it is left out, or nothing."""
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Kernels(folder)) as kernels:
        for question in questions:
            yield question, unusable(question, kernels)
