"""The tasks that run and wait, as rows: for a live table, for a saved notebook and for a terminal.

The side panel has the same rows (`labextension/src/components/queueRow.tsx`); `tests/data/views.json` holds both to the
same words.
"""

from __future__ import annotations

import html
import time
from collections.abc import Sequence
from dataclasses import dataclass

from llmos_jupyter.protocol import Queued, priority_name
from llmos_jupyter.units import about, shortened

_HEADS = ("No", "State", "Priority", "Age", "Starts", "What", "Why")
# Characters of a task's text that are shown, and of its tooltip and its reason.
SHOWN, TOLD = 80, 300
# Seconds: what is planned to start sooner starts now, as far as people care.
SOON = 5.0


@dataclass(frozen=True)
class Row:
    """One task, in words. `runs`: for how long it has run; `text`: its beginning, which a tooltip tells."""

    number: int
    state: str
    priority: str
    age: str
    starts: str
    runs: str
    what: str
    why: str
    text: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        state = f"{self.state} for {self.runs}" if self.runs else self.state
        return (str(self.number), state, self.priority, self.age, self.starts, self.what, self.why)


def rows(queue: Sequence[Queued], now: float, limit: int = 12) -> tuple[list[Row], int]:
    """The first tasks, and how many more there are. `now`: seconds since the epoch by the daemon's clock."""
    more = (queue[0].more if queue else 0) + max(0, len(queue) - limit)
    return [_row(queued, now) for queued in queue[:limit]], more


def _row(queued: Queued, now: float) -> Row:
    task, step = queued.task, queued.step
    planned = step.planned if step and queued.state == "waiting" else None
    running = step.spans[-1] if step and step.spans and queued.state == "running" else None
    wait = planned.start - now if planned else 0.0
    return Row(
        number=task.number,
        state=queued.state,
        priority=priority_name(queued.priority),
        age=about(now - task.created),
        starts=("now" if wait < SOON else f"in {about(wait)}") if planned else "",
        runs=about(now - running.start) if running else "",
        what=shortened(task.text, SHOWN),
        why=shortened(queued.why, TOLD),
        text=shortened(task.text, TOLD),
    )


def table_text(rows: Sequence[Row], more: int) -> str:
    """The rows as aligned text."""
    if not rows:
        return "Nothing waits and nothing runs."
    lines = [_HEADS, *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADS))]
    aligned = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    ]
    return "\n".join([*aligned, *([f"and {more} more"] if more else [])])


def queue_text(queue: Sequence[Queued]) -> str:
    """The queue as `%llmos queue` and `llmos queue` print it: each task it is given, by this machine's clock."""
    return table_text(*rows(queue, time.time(), limit=len(queue)))


def table_html(rows: Sequence[Row], more: int) -> str:
    """The rows as a table. What comes from tasks is escaped, and keeps its own writing direction."""
    if not rows:
        return "<p>Nothing waits and nothing runs.</p>"
    head = "".join(f'<th scope="col">{name}</th>' for name in _HEADS)
    body = "".join(_line(row) for row in rows)
    rest = f"<p>and {more} more</p>" if more else ""
    return f'<table class="llmos-queue"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}'


def _line(row: Row) -> str:
    number, state, priority, age, starts, what, why = (html.escape(cell) for cell in row.cells)
    tip = f' title="{html.escape(row.text)}"' if row.text != row.what else ""
    plain = "".join(f"<td>{cell}</td>" for cell in (state, priority, age, starts))
    return f'<tr><th scope="row">{number}</th>{plain}<td dir="auto"{tip}>{what}</td><td dir="auto">{why}</td></tr>'
