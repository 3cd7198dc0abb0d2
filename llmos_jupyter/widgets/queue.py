"""The tasks that run and wait, as rows: for a live table, for a saved notebook and for a terminal."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from llmos_jupyter.protocol import Queued, priority_name
from llmos_jupyter.units import about

_HEADS = ("No", "State", "Priority", "Age", "Starts", "What", "Why")
# Characters of a task's text that are shown, and of its tooltip and its reason.
SHOWN, TOLD = 60, 300


@dataclass(frozen=True)
class Row:
    """One task, in words. `text` is its beginning, which a tooltip tells."""

    number: int
    state: str
    priority: str
    age: str
    starts: str
    what: str
    why: str
    text: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        return (str(self.number), self.state, self.priority, self.age, self.starts, self.what, self.why)


def rows(queue: Sequence[Queued], now: float, limit: int = 12) -> tuple[list[Row], int]:
    """The first tasks, and how many more there are. `now`: seconds since the epoch by the daemon's clock."""
    more = (queue[0].more if queue else 0) + max(0, len(queue) - limit)
    return [_row(one, now) for one in queue[:limit]], more


def _row(one: Queued, now: float) -> Row:
    task, step = one.task, one.step
    priority = step.priority if step else task.options.priority
    planned = step.planned if step and step.state == "waiting" else None
    text = " ".join(task.text[: 4 * TOLD].split())
    state = "waiting" if task.state == "accepted" or (step and step.state == "waiting") else task.state
    return Row(
        number=task.number,
        state=state,
        priority=priority_name(priority),
        age=about(now - task.created),
        starts=f"in {about(planned.start - now)}" if planned else "",
        what=_cut(text, SHOWN),
        why=_cut(one.why, TOLD),
        text=_cut(text, TOLD),
    )


def table_text(rows: Sequence[Row], more: int) -> str:
    """The rows as aligned text."""
    if not rows:
        return "Nothing waits and nothing runs."
    lines = [_HEADS, *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADS))]
    told = ["  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([*told, *([f"and {more} more"] if more else [])])


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


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
