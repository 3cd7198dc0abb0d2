"""Status, models and resources as text, the same for the magics and the command line."""

from __future__ import annotations

import time
from collections.abc import Sequence

from llmos_jupyter.protocol import EngineStatus, Lesson, ModelInfo, ResourceInfo, Status
from llmos_jupyter.units import about, size


def status_text(status: Status) -> str:
    """What the daemon is and has, in a few lines."""
    up = time.strftime("%H:%M:%S", time.gmtime(max(time.time() - status.started, 0)))
    lines = [f"daemon   {status.version}, process {status.pid}, up {up}"]
    if not status.engines:
        lines.append("engine   no model is loaded; the next request loads one")
    for engine in status.engines:
        threads = f", {engine.threads} thread{'s' if engine.threads > 1 else ''}" if engine.threads else ""
        lines.append(
            f"engine   {engine.model} on {engine.device} ({engine.engine}{threads}), {engine.state}; "
            f"{engine.busy_slots} of {engine.slots} slots busy; {engine.context} tokens a request; "
            f"{size(engine.memory_bytes)} of memory; {used(engine)}"
        )
        if engine.restarts:
            lines.append(f"         restarted {engine.restarts} times")
        if engine.error:
            lines.append(f"         {engine.error}")
    if taken := taken_by_others(status):
        lines.append(f"cores    {taken}")
    lines.append(f"running  {status.tasks_running} requests of {status.sessions} notebooks")
    lines.append(f"history  {status.database}")
    lines.append(f"log      {status.log}")
    return "\n".join(lines)


def used(engine: EngineStatus) -> str:
    """Whether a model stays loaded, and when it was used last: `pinned, used 3 min ago`."""
    when = "in use" if engine.busy_slots else f"used {about(time.time() - engine.last_used)} ago"
    return f"pinned, {when}" if engine.pinned else when


def taken_by_others(status: Status) -> str:
    """`1 of 2 cores is taken by other programs`; empty where as good as none is."""
    cores = round(status.cores_taken)
    if not cores:
        return ""
    return f"{cores} of {status.cores} cores {'is' if cores == 1 else 'are'} taken by other programs"


def model_table(models: list[ModelInfo], engines: Sequence[EngineStatus] = ()) -> str:
    """One line a model: is it here, does it fit, which one is automatic. Below: those that are loaded."""
    width = max((len(model.name) for model in models), default=0)
    lines = [f"  {'name':<{width}}  {'file':>8}  {'memory':>8}  here  fits  licence"]
    for model in models:
        mark = "*" if model.automatic else " "
        here, fits = ("yes" if model.downloaded else "no"), ("yes" if model.fits else "no")
        lines.append(
            f"{mark} {model.name:<{width}}  {size(model.size_bytes):>8}  {size(model.memory_bytes):>8}  {here:<4}  "
            f"{fits:<4}  {model.licence}"
        )
    lines += [f"* auto: {model.why}" for model in models if model.automatic]
    lines += [
        f"loaded: {engine.model} on {engine.device}, {size(engine.memory_bytes)} of memory, {used(engine)}"
        for engine in engines
    ]
    return "\n".join(lines)


_KINDS = {
    "answer": "answers",
    "asked": "answers in the background",
    "generation": "the model's writing",
    "load": "loading a model",
    "repair": "the model's repairs",
    "run": "background cells",
    **{
        f"wait {part}": f"waits, mostly {words}"
        for part, words in {
            "queue": "for others",
            "load": "for the model to load",
            "reading": "for it to read",
            "writing": "for it to write",
            "run": "for code to run",
            "you": "for you",
        }.items()
    },
}


def lesson_table(lessons: list[Lesson]) -> str:
    """One line a kind of thing: how often it was seen, what it took, and how good the predictions were."""
    if not lessons:
        return "Nothing has been learned yet: ask for something first."
    rows = [("what", "seen", "took", "right", "predicted within", "constant", "under p90")]
    for one in lessons:
        rows.append(
            (
                _KINDS.get(one.kind, one.kind),
                str(one.seen),
                "" if one.seconds is None else f"{one.seconds:.2f} s",
                _share(one.success),
                _share(one.error),
                _share(one.constant_error),
                _share(one.within_p90),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    note = "Medians. Predicted within: of what came, half of the time; constant: the same of the best single guess."
    return "\n".join([*lines, note])


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f} %"


def resource_table(resources: list[ResourceInfo]) -> str:
    """One line a resource: what there is of it, and what of that is taken."""
    rows = [("resource", "has", "taken", "")]
    for one in resources:
        amount = size if one.kind in ("memory", "gpu", "metal", "kernel") else "{:g}".format
        has, taken = ("-" if value is None else amount(value) if value else "0" for value in (one.has, one.taken))
        rows.append((one.id, has, taken, one.detail))
    width = max(len(row[0]) for row in rows)
    return "\n".join(f"{name:<{width}}  {has:>8}  {taken:>8}  {detail}".rstrip() for name, has, taken, detail in rows)
