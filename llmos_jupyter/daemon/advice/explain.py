"""What a story says of a task's steps: where each ran, why then, what it waited for, predicted against actual."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from llmos_jupyter.protocol import StepRecord, Task, Usage
from llmos_jupyter.units import size

_KINDS = {
    "generation": "The model wrote",
    "run": "Its code ran in a worker",
    "rehearsal": "It was tried in the sandbox",
    "kernel": "Its code ran in the notebook",
}


def explain(
    task: Task,
    steps: Sequence[StepRecord],
    waits_for: Callable[[str], str],
    model: str = "",
    used: Sequence[Usage] = (),
) -> list[str]:
    """One sentence or two a step, in order, and what was used; none for a task without steps. `waits_for` is asked of
    steps that have not ended, `model` is the one that wrote."""
    return [*(_step(step, waits_for, model) for step in steps), *map(_used, used)]


def _used(usage: Usage) -> str:
    said = [f"{usage.cpu_seconds:.1f} s of processor time in workers"] if usage.cpu_seconds else []
    if usage.engine_seconds:
        said.append(f"the model for {usage.engine_seconds:.1f} s")
    if usage.gpu_seconds or usage.gpu_memory_peak:
        said.append(f"{usage.gpu_seconds:.1f} s of a GPU, at most {size(usage.gpu_memory_peak)} of its memory")
    return f"It used {', '.join(said) or 'next to nothing'}."


def _step(step: StepRecord, waits_for: Callable[[str], str], model: str) -> str:
    what = _KINDS[step.kind]
    if step.kind == "generation" and model:
        what = f"{model} wrote"
    if not step.spans:
        said = waits_for(step.id) if step.state in ("waiting", "paused") else f"It never began: {step.state}."
        return f"{what.replace('wrote', 'is to write').replace('ran', 'is to run')}: {said}{_planned(step)}"
    first, last = step.spans[0], step.spans[-1]
    ran = sum((span.end if span.end is not None else time.time()) - span.start for span in step.spans)
    waited = max(0.0, first.start - step.created)
    parts = [f"{what} on {step.resource}" if step.resource not in what else what]
    parts.append(f"for {ran:.2f} s" if last.end is not None else f"for {ran:.1f} s so far")
    if step.predicted is not None and step.kind in ("generation", "run"):
        within = f", 9 of 10 within {step.predicted_p90:.1f} s" if step.predicted_p90 is not None else ""
        parts.append(f"(predicted: {step.predicted:.1f} s{within})")
    sentence = " ".join(parts) + f", after {waited:.2f} s of waiting."
    if len(step.spans) > 1:
        away = sum(b.start - (a.end or a.start) for a, b in zip(step.spans, step.spans[1:], strict=False))
        gave = len(step.spans) - 1
        sentence += f" It gave way {gave} time{'s' * (gave != 1)}, for {away:.1f} s."
    if step.state not in ("done", "running"):
        sentence += f" It is {step.state}."
    return f"{sentence} {step.why}".strip()


def _planned(step: StepRecord) -> str:
    if step.planned is None:
        return ""
    return f" It is planned to start in {max(0.0, step.planned.start - time.time()):.0f} s."
