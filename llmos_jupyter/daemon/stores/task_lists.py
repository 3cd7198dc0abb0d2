"""Lists of tasks as people look at them: the queue in the order in which it runs, the history by what was said.

Both are read in windows: of ten thousand tasks nobody sees more than a screen at a time.
"""

from __future__ import annotations

from llmos_jupyter.daemon.stores.rows import task_of
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.daemon.work.schedule import Schedule
from llmos_jupyter.protocol import OPEN_STATES, StepRecord, Task, TaskState
from llmos_jupyter.scheduling.dispatch.ready import Rank

_NO_RANK: Rank = (0.0, 0, 0.0, 0)
_MARKS = ", ".join("?" * len(OPEN_STATES))


def queue_order(store: Store, steps: dict[str, StepRecord], ranks: dict[str, Rank]) -> list[int]:
    """The numbers of the tasks that have not ended: those that run; those that wait, in the order in which they would
    start, then those that wait for others; those that are paused. `steps` by task, `ranks` by step."""
    with store.reading() as db:
        rows = db.execute(
            "SELECT number, id, state, json_extract(options, '$.priority') AS priority FROM tasks "
            f"WHERE state IN ({_MARKS})",
            OPEN_STATES,
        ).fetchall()

    def place(row: tuple[int, str, str, int]) -> tuple[int, float, Rank, int]:
        number, task, state, priority = row
        step = steps.get(task)
        if state == "paused":
            return 3, 0.0, _NO_RANK, number
        if state == "running" and (step is None or step.state == "running"):
            return 0, 0.0, _NO_RANK, number
        rank = ranks.get(step.id) if step is not None else None
        if rank is None:
            return 2, float(-(step.priority if step is not None else priority)), _NO_RANK, number
        return 1, 0.0, rank, number

    return [row[0] for row in sorted(map(tuple, rows), key=place)]


def by_number(store: Store, numbers: list[int]) -> list[Task]:
    """These tasks, in this order; what was forgotten meanwhile is left out."""
    with store.reading() as db:
        marks = ", ".join("?" * len(numbers))
        rows = db.execute(f"SELECT * FROM tasks WHERE number IN ({marks})", numbers).fetchall()
    found = {row["number"]: task_of(row) for row in rows}
    return [found[number] for number in numbers if number in found]


def places(order: list[str], task: str, before: str | None, level: int) -> dict[str, float]:
    """Priorities by which the tasks of a class stand in this order, save that one stands right before another, or
    behind all. Whoever stands behind the new place keeps an earlier one, so all of the class are written anew."""
    order = [name for name in order if name != task]
    order.insert(order.index(before) if before else len(order), task)
    return {name: level + (len(order) - rank) / (len(order) + 1) for rank, name in enumerate(order)}


def steps_by_task(schedule: Schedule) -> dict[str, StepRecord]:
    """Of each task that has not ended, its step that runs, or else one that waits."""
    found: dict[str, StepRecord] = {}
    for record in schedule.open_steps():
        if record.task not in found or record.state == "running":
            found[record.task] = record
    return found


def counts(store: Store) -> dict[TaskState, int]:
    """How many tasks there are of each state that is not an end."""
    with store.reading() as db:
        rows = db.execute(
            f"SELECT state, COUNT(*) AS count FROM tasks WHERE state IN ({_MARKS}) GROUP BY state", OPEN_STATES
        ).fetchall()
    return {row["state"]: row["count"] for row in rows}


def history(
    store: Store,
    *,
    session: str | None = None,
    states: tuple[TaskState, ...] = (),
    search: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[Task]:
    """The newest tasks, oldest first: of a session, in some states, in whose words or reason all of these words stand
    (or whose number it is), and older than task number `before`."""
    where, values = ["1"], list[object]()
    if session is not None:
        where.append("session = ?")
        values.append(session)
    if states:
        where.append(f"state IN ({', '.join('?' * len(states))})")
        values.extend(states)
    if before is not None:
        where.append("number < ?")
        values.append(before)
    for word in search.split():
        where.append("(instr(lower(text), ?) OR instr(lower(reason), ?) OR CAST(number AS TEXT) = ?)")
        values.extend((word.lower(), word.lower(), word))
    with store.reading() as db:
        rows = db.execute(
            f"SELECT * FROM tasks WHERE {' AND '.join(where)} ORDER BY number DESC LIMIT ?", (*values, limit)
        ).fetchall()
    return [task_of(row) for row in reversed(rows)]
