"""What must not be lost: tasks and their records, in SQLite.

Every method returns only after its transaction is on disk (WAL with `synchronous=FULL`), so what the daemon
acknowledges survives the daemon, and the machine. The transitions of a task's state are enforced here
and nowhere else.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import (
    FINAL_STATES,
    FeedbackRecord,
    Finish,
    Options,
    Record,
    Request,
    Session,
    StoredRecord,
    Task,
    TaskState,
    Trace,
)
from llmos_jupyter.system.private_files import close_files, make_private, private_folder

log = logging.getLogger(__name__)

SCHEMA_VERSION = 3

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT NOT NULL UNIQUE,
    kind    TEXT NOT NULL DEFAULT 'ask',
    session TEXT NOT NULL,
    text    TEXT NOT NULL,
    options TEXT NOT NULL,
    origin  TEXT NOT NULL,
    state   TEXT NOT NULL,
    reason  TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL,
    updated REAL NOT NULL,
    feedback TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS tasks_by_session ON tasks (session, number);
CREATE INDEX IF NOT EXISTS tasks_by_state ON tasks (state);
CREATE TABLE IF NOT EXISTS records (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    task    TEXT NOT NULL REFERENCES tasks (id),
    key     TEXT UNIQUE,
    at      REAL NOT NULL,
    record  TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS records_by_task ON records (task, id);
"""

# Columns of `tasks` that schema 1 did not have.
_ADDED = {"kind": "TEXT NOT NULL DEFAULT 'ask'", "feedback": "TEXT NOT NULL DEFAULT ''"}

_ALLOWED: dict[str, frozenset[str]] = {
    "accepted": frozenset({"running", "paused", "done", "failed", "cancelled"}),
    "running": frozenset({"paused", "done", "failed", "cancelled"}),
    "paused": frozenset({"accepted", "running", "done", "failed", "cancelled"}),
}

_record: TypeAdapter[Record] = TypeAdapter(Record)


class UnknownTask(LLMOSError):
    """No task has this number or identifier."""

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no request {what}: `%llmos history` lists the ones there are.")


class Store:
    """The database. Safe to use from several threads; one transaction at a time."""

    def __init__(self, file: Path) -> None:
        private_folder(file.parent)
        self.file = file
        self._lock = threading.RLock()
        self._schema = _SCHEMA
        self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise LLMOSError(
                    f"The database {self.file} cannot be opened ({error}): free some disk space or set "
                    "LLMOS_DATA_DIR to a folder that can be written."
                ) from error
            return self._begin_anew(error)[0]

    def _begin_anew(self, error: sqlite3.Error) -> tuple[sqlite3.Connection, Path]:
        """A damaged history must not keep the user from working, nor be thrown away: it is set aside, and what can
        still be read of it goes into the new one."""
        aside = set_aside(self.file)
        log.error("the database was damaged (%s); kept as %s, a new one begins", error, aside)
        db = self._connect()
        try:
            kept = salvage(aside, db)
            log.error("%d requests could be read from the damaged database", kept)
        except (sqlite3.Error, OSError) as problem:
            log.error("nothing could be read from the damaged database: %s", problem)
        return db, aside

    def _trouble(self, error: sqlite3.Error) -> LLMOSError:
        """One sentence for the user; where the file is damaged, a new one is begun first."""
        said = str(error)
        if "malformed" in said or "not a database" in said:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
            self._db, aside = self._begin_anew(error)
            return LLMOSError(f"The history's database was damaged and is kept as {aside.name}: ask again.")
        if "full" in said or "disk I/O" in said:
            return LLMOSError(
                f"The disk is full, so this could not be stored: free some in {self.file.parent}, ask again."
            )
        return LLMOSError(f"The history's database {self.file} cannot be used ({said}): `%llmos doctor` shows more.")

    def _connect(self) -> sqlite3.Connection:
        with contextlib.suppress(OSError):  # what keeps it from being made, SQLite says better
            make_private(self.file)  # its log and index take their modes from it
        db = sqlite3.connect(self.file, check_same_thread=False, isolation_level=None, timeout=10)
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA foreign_keys=ON")
            # What is deleted is overwritten with zeros, so that `forget` can keep its word.
            db.execute("PRAGMA secure_delete=ON")
            if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("quick_check failed")
            found = db.execute("PRAGMA user_version").fetchone()[0]
            if found > SCHEMA_VERSION:
                raise LLMOSError(f"The database {self.file} was written by a newer llmos-jupyter: upgrade this one.")
            db.executescript(self._schema)
            self._upgrade(db)
            db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            db.execute("DROP TABLE IF EXISTS events")  # of versions that kept a stream of them
        except BaseException:
            db.close()
            raise
        close_files(self.file.parent, f"{self.file.name}*")
        return db

    @staticmethod
    def _upgrade(db: sqlite3.Connection) -> None:
        """Add the columns that a database of an earlier version lacks; some may be there, if this was cut short."""
        present = {row["name"] for row in db.execute("PRAGMA table_info(tasks)")}
        for column, declared in _ADDED.items():
            if column not in present:
                db.execute(f"ALTER TABLE tasks ADD COLUMN {column} {declared}")

    def require(self, schema: str) -> None:
        """Tables of others in the same file, also in one that is begun anew."""
        self._schema += schema
        with self.reading() as db:
            db.executescript(schema)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with self.reading() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    # What cannot be undone on a damaged disk is undone when the file is next opened.
                    with contextlib.suppress(sqlite3.Error):
                        db.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise self._trouble(error) from error

    # --- tasks ------------------------------------------------------------------------------

    def accept(self, request: Request) -> Task:
        """Store a request as a task. The same identifier again gives the same task."""
        now = time.time()
        with self.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO tasks (id, kind, session, text, options, origin, state, created, updated) "
                "VALUES (?, ?, ?, ?, ?, ?, 'accepted', ?, ?)",
                (
                    request.id,
                    request.kind,
                    request.session.id,
                    request.text,
                    request.options.model_dump_json(),
                    request.session.model_dump_json(),
                    now,
                    now,
                ),
            )
        return self.task(request.id)

    def task(self, key: str) -> Task:
        """The task with this identifier or number. Raises UnknownTask."""
        column = "number" if key.isdigit() and len(key) < 19 else "id"
        with self.reading() as db:
            row = db.execute(f"SELECT * FROM tasks WHERE {column} = ?", (key,)).fetchone()
        if row is None:
            raise UnknownTask(key)
        return task_of(row)

    def tasks(self, *, session: str | None = None, states: tuple[TaskState, ...] = (), limit: int = 50) -> list[Task]:
        """The newest tasks, oldest first."""
        where, values = ["1"], list[Any]()
        if session is not None:
            where.append("session = ?")
            values.append(session)
        if states:
            where.append(f"state IN ({', '.join('?' * len(states))})")
            values.extend(states)
        with self.reading() as db:
            rows = db.execute(
                f"SELECT * FROM tasks WHERE {' AND '.join(where)} ORDER BY number DESC LIMIT ?", (*values, limit)
            ).fetchall()
        return [task_of(row) for row in reversed(rows)]

    def move(self, task_id: str, state: TaskState, reason: str = "") -> Task:
        """Change a task's state. A task that has ended stays as it ended: its first end is the true one."""
        with self.transaction() as db:
            row = db.execute("SELECT state FROM tasks WHERE id = ?", (task_id,)).fetchone()
            if row is None:
                raise UnknownTask(task_id)
            if state in _ALLOWED.get(row["state"], frozenset()):
                db.execute(
                    "UPDATE tasks SET state = ?, reason = ?, updated = MAX(created, ?) WHERE id = ?",
                    (state, reason, time.time(), task_id),
                )
        return self.task(task_id)

    def reopen(self, task_id: str) -> Task:
        """A task that failed or was cancelled is to be tried again; its number stays."""
        with self.transaction() as db:
            db.execute(
                "UPDATE tasks SET state = 'accepted', reason = '', updated = MAX(created, ?) "
                "WHERE id = ? AND state IN ('failed', 'cancelled')",
                (time.time(), task_id),
            )
        return self.task(task_id)

    def finish(self, task_id: str, finish: Finish) -> Task:
        return self.move(task_id, finish.state, finish.reason)

    def forget(self, session: str = "", notebook: str = "") -> int:
        """Remove the tasks of a session and of a notebook, and their records, from the disk. Returns how many.

        `notebook` is compared with what its kernels called it: a full path, else notebooks of one name are one.
        Raises LLMOSError while one of the tasks has not ended.
        """
        with self.transaction() as db:
            rows = db.execute(
                "SELECT id, number, state FROM tasks WHERE (? != '' AND session = ?) "
                "OR (? != '' AND json_extract(origin, '$.notebook') = ?)",
                (session, session, notebook, notebook),
            ).fetchall()
            for row in rows:
                if row["state"] not in FINAL_STATES:
                    raise LLMOSError(
                        f"Request {row['number']} is still running: wait for it or `%llmos cancel {row['number']}`, "
                        "then forget again."
                    )
            ids = [row["id"] for row in rows]
            self._remove(db, ids)
        self._scrub()
        return len(ids)

    def remove_older(self, moment: float, limit: int = 1000) -> int:
        """Remove tasks that ended before a moment (seconds since the epoch), at most `limit`; returns how many."""
        with self.transaction() as db:
            marks = ", ".join("?" * len(FINAL_STATES))
            rows = db.execute(
                f"SELECT id FROM tasks WHERE updated < ? AND state IN ({marks}) LIMIT ?",
                (moment, *sorted(FINAL_STATES), limit),
            ).fetchall()
            self._remove(db, [row["id"] for row in rows])
        return len(rows)

    @staticmethod
    def _remove(db: sqlite3.Connection, ids: list[str]) -> None:
        for table, column in (("records", "task"), ("tasks", "id")):
            db.executemany(f"DELETE FROM {table} WHERE {column} = ?", [(one,) for one in ids])

    def _scrub(self) -> None:
        """Nothing that was deleted is left in the files: neither in the write-ahead log nor in free pages."""
        with self.reading() as db:
            with suppress(sqlite3.OperationalError):  # no room for a copy: what is deleted from now on is zeros anyway
                db.execute("VACUUM")
            if db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise LLMOSError(
                    f"Forgotten, but another program is reading {self.file} and keeps its old log alive: "
                    "close it and forget again."
                )

    # --- records ----------------------------------------------------------------------------

    def add_record(self, task_id: str, record: Record, key: str | None = None) -> None:
        """Store one record of a task's trace; the same key again is the same record."""
        with self.transaction() as db:
            if db.execute("SELECT 1 FROM tasks WHERE id = ?", (task_id,)).fetchone() is None:
                raise UnknownTask(task_id)
            cursor = db.execute(
                "INSERT OR IGNORE INTO records (task, key, at, record) VALUES (?, ?, ?, ?)",
                (task_id, key, time.time(), record.model_dump_json()),
            )
            if cursor.rowcount and isinstance(record, FeedbackRecord):
                db.execute("UPDATE tasks SET feedback = ? WHERE id = ?", (record.feedback, task_id))

    def trace(self, key: str) -> Trace:
        task = self.task(key)
        with self.reading() as db:
            rows = db.execute("SELECT id, at, record FROM records WHERE task = ? ORDER BY id", (task.id,)).fetchall()
        stored = [
            StoredRecord(id=row["id"], at=row["at"], record=_record.validate_json(row["record"], extra="ignore"))
            for row in rows
        ]
        return Trace(task=task, records=stored)


def task_of(row: sqlite3.Row) -> Task:
    return Task(
        id=row["id"],
        number=row["number"],
        kind=row["kind"],
        text=row["text"],
        options=Options.model_validate_json(row["options"], extra="ignore"),
        session=Session.model_validate_json(row["origin"], extra="ignore"),
        state=row["state"],
        reason=row["reason"],
        created=row["created"],
        updated=row["updated"],
        # Of an older database that is salvaged there is none.
        feedback=row["feedback"] if "feedback" in row.keys() else "",  # noqa: SIM118
    )


def set_aside(file: Path) -> Path:
    """Rename a damaged database and its log of the last transactions; returns the new name."""
    number = int(time.time())
    while (aside := file.with_name(f"{file.name}.damaged-{number}")).exists():
        number += 1
    file.replace(aside)
    log_file = file.with_name(f"{file.name}-wal")
    if log_file.exists() and log_file.stat().st_size:
        log_file.replace(aside.with_name(f"{aside.name}-wal"))
    for leftover in (f"{file.name}-wal", f"{file.name}-shm"):
        file.with_name(leftover).unlink(missing_ok=True)
    return aside


def salvage(damaged: Path, db: sqlite3.Connection) -> int:
    """Copy what can be read of a damaged database into a new one: tasks, records, and how far the numbers went.

    Returns how many tasks. Raises sqlite3.Error or OSError when nothing can be read, or there is no room.
    """
    with tempfile.TemporaryDirectory(dir=damaged.parent) as folder:
        # A copy, because reading one with a log writes into both.
        copy = Path(folder) / "damaged.db"
        shutil.copyfile(damaged, copy)
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(f"{damaged}-wal", f"{copy}-wal")
        with contextlib.closing(sqlite3.connect(copy)) as old:
            old.row_factory = sqlite3.Row
            old.text_factory = lambda data: data.decode("utf-8", "replace")
            numbers = dict.fromkeys(("tasks", "records"), 0)
            with contextlib.suppress(sqlite3.Error):
                numbers |= {row["name"]: row["seq"] for row in old.execute("SELECT name, seq FROM sqlite_sequence")}
            db.execute("BEGIN IMMEDIATE")
            kept = _copy_rows(old, db, "tasks", "number", task_of)
            _copy_rows(old, db, "records", "id", lambda row: _record.validate_json(row["record"], extra="ignore"))
            for table, number in numbers.items():
                # Numbers that a user has seen are never given again.
                db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
                highest = db.execute(f"SELECT COALESCE(MAX(rowid), 0) FROM {table}").fetchone()[0]
                db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, max(number, highest)))
            db.execute("COMMIT")
    return kept


def _copy_rows(
    old: sqlite3.Connection, db: sqlite3.Connection, table: str, key: str, check: Callable[[sqlite3.Row], object]
) -> int:
    kept = 0
    # From both ends, because a reading stops at the damage.
    for order in ("ASC", "DESC"):
        with contextlib.suppress(sqlite3.DatabaseError):
            for row in old.execute(f"SELECT * FROM {table} ORDER BY {key} {order}"):
                with contextlib.suppress(ValueError, sqlite3.IntegrityError):
                    check(row)
                    marks = ", ".join("?" * len(row.keys()))
                    insert = f"INSERT OR IGNORE INTO {table} ({', '.join(row.keys())}) VALUES ({marks})"
                    kept += db.execute(insert, tuple(row)).rowcount
    return kept


def is_final(task: Task) -> bool:
    return task.state in FINAL_STATES
