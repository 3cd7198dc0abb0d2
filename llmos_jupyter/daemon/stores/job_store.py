"""Background jobs on disk: what is to be run, what it showed, what it gave back, when and why it ran."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from pydantic import TypeAdapter

from llmos_jupyter.daemon.stores.store import Store, UnknownTask
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import OPEN_STATES, Request, Task
from llmos_jupyter.protocol.jobs import Bundle, Ended, Job, StoredOutput, Timeline, WorkerItem
from llmos_jupyter.workers.transfer import overlay

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    task     TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
    job      TEXT NOT NULL,
    timeline TEXT NOT NULL,
    ended    TEXT
);
CREATE TABLE IF NOT EXISTS outputs (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    task TEXT NOT NULL REFERENCES jobs (task) ON DELETE CASCADE,
    at   REAL NOT NULL,
    item TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS outputs_by_task ON outputs (task, id);
"""

_item: TypeAdapter[WorkerItem] = TypeAdapter(WorkerItem)


class JobStore:
    """The tables of jobs, in the store's database and by its rules: what a method has returned from is on disk."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.require(_SCHEMA)

    def accept(self, request: Request, job: Job) -> Task:
        """Store a job as a task. The same identifier again gives the same task."""
        task = self._store.accept(request)
        with self._store.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO jobs (task, job, timeline) VALUES (?, ?, ?)",
                (task.id, job.model_dump_json(), Timeline(accepted=task.created).model_dump_json()),
            )
        return task

    def job(self, task_id: str) -> Job:
        return Job.model_validate_json(self._one(task_id, "job"), extra="ignore")

    def give(self, task_id: str, results: Bundle) -> None:
        """Let a job that waits have what another has made. Raises OSError where that cannot be copied."""
        job = self.job(task_id)
        if job.variables is not None:
            job.variables = overlay(job.variables, results)
            with self._store.transaction() as db:
                db.execute("UPDATE jobs SET job = ? WHERE task = ?", (job.model_dump_json(), task_id))

    def timeline(self, task_id: str) -> Timeline:
        return Timeline.model_validate_json(self._one(task_id, "timeline"), extra="ignore")

    def ended(self, task_id: str) -> Ended | None:
        text = self._one(task_id, "ended")
        return Ended.model_validate_json(text, extra="ignore") if text else None

    def has(self, task_id: str) -> bool:
        with self._store.reading() as db:
            return db.execute("SELECT 1 FROM jobs WHERE task = ?", (task_id,)).fetchone() is not None

    def note(self, task_id: str, **changes: object) -> Timeline:
        """Change a task's timeline."""
        timeline = self.timeline(task_id).model_copy(update=changes)
        with self._store.transaction() as db:
            db.execute("UPDATE jobs SET timeline = ? WHERE task = ?", (timeline.model_dump_json(), task_id))
        return timeline

    def note_places(self, places: Mapping[str, float]) -> None:
        """The priorities of many tasks at once, with their places within their class."""
        with self._store.transaction() as db:
            db.executemany(
                "UPDATE jobs SET timeline = json_set(timeline, '$.priority', ?) WHERE task = ?",
                [(place, task_id) for task_id, place in places.items()],
            )

    def add_output(self, task_id: str, item: WorkerItem) -> None:
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO outputs (task, at, item) VALUES (?, ?, ?)", (task_id, time.time(), item.model_dump_json())
            )

    def end(self, task_id: str, ended: Ended) -> None:
        with self._store.transaction() as db:
            db.execute("UPDATE jobs SET ended = ? WHERE task = ?", (ended.model_dump_json(), task_id))

    def begin_anew(self, task_id: str) -> None:
        """Forget what an earlier try showed and gave back."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM outputs WHERE task = ?", (task_id,))
            db.execute("UPDATE jobs SET ended = NULL WHERE task = ?", (task_id,))

    def outputs(self, task_id: str, after: int = 0, limit: int = 500) -> list[StoredOutput]:
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT id, at, item FROM outputs WHERE task = ? AND id > ? ORDER BY id LIMIT ?",
                (task_id, after, limit),
            ).fetchall()
        return [
            StoredOutput(id=row["id"], at=row["at"], item=_item.validate_json(row["item"], extra="ignore"))
            for row in rows
        ]

    def open_jobs(self) -> Iterator[Task]:
        """The jobs whose tasks have not ended, oldest first."""
        for task in self._store.tasks(states=OPEN_STATES, limit=100_000):
            if task.kind == "run" or task.options.background:
                yield task

    def _one(self, task_id: str, column: str) -> str:
        with self._store.reading() as db:
            row = db.execute(f"SELECT {column} FROM jobs WHERE task = ?", (task_id,)).fetchone()
        if row is None:
            if self._store.task(task_id):
                raise LLMOSError("This request ran in its notebook, not in the background: `%llmos why` tells of it.")
            raise UnknownTask(task_id)
        return str(row[column]) if row[column] is not None else ""
