"""Steps on disk: what ran where and when, as planned and as it was.

Steps are an account of what tasks did: a task's own state is stored by itself, before anything is acknowledged. So many
changes of steps are written together, and a daemon that is killed loses those of the last moment.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable

from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.protocol import StepRecord

_SCHEMA = """
CREATE TABLE IF NOT EXISTS steps (
    id      TEXT PRIMARY KEY,
    task    TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    state   TEXT NOT NULL,
    changed REAL NOT NULL,
    record  TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS steps_by_task ON steps (task);
CREATE INDEX IF NOT EXISTS steps_by_change ON steps (changed);
"""

_OPEN = ("waiting", "running", "paused")


class StepStore:
    """The table of steps, in the store's database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.require(_SCHEMA)

    def save(self, records: Collection[StepRecord]) -> None:
        """Store steps as they are now; those of tasks that have been forgotten meanwhile are left out."""
        now = time.time()
        rows = [(r.id, r.task, r.state, now, r.model_dump_json(), r.task) for r in records]
        with self._store.transaction() as db:
            db.executemany(
                "INSERT INTO steps (id, task, state, changed, record) SELECT ?, ?, ?, ?, ? "
                "WHERE EXISTS (SELECT 1 FROM tasks WHERE id = ?) "
                "ON CONFLICT (id) DO UPDATE SET state = excluded.state, changed = excluded.changed, "
                "record = excluded.record",
                rows,
            )

    def of_task(self, task_id: str) -> list[StepRecord]:
        return self._read("WHERE task = ?", (task_id,))

    def since(self, moment: float, limit: int = 10_000) -> list[StepRecord]:
        """The steps that changed after a moment (seconds since the epoch), the newest if there are more than `limit`;
        in the order of their arrival."""
        return self._read("WHERE changed > ? ORDER BY changed DESC LIMIT ?", (moment, limit))

    def end_open(self, why: str) -> None:
        """The daemon that ran them is gone: what had not ended ended with it."""
        open_ = self._read(f"WHERE state IN ({', '.join('?' * len(_OPEN))})", _OPEN)
        for record in open_:
            record.state, record.why = "failed", why
            if record.spans and record.spans[-1].end is None:
                record.spans[-1].end = record.spans[-1].start  # when it ended nobody saw
        if open_:
            self.save(open_)

    def _read(self, where: str, values: Iterable[object]) -> list[StepRecord]:
        with self._store.reading() as db:
            rows = db.execute(f"SELECT record FROM steps {where}", tuple(values)).fetchall()
        records = [StepRecord.model_validate_json(row["record"], extra="ignore") for row in rows]
        return sorted(records, key=lambda record: record.created)
