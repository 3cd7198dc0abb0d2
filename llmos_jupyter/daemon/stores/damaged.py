"""A damaged database is set aside, and what can still be read of it goes into a new one."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from llmos_jupyter.daemon.stores.rows import stored_record, task_of


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
            _copy_rows(old, db, "records", "id", lambda row: stored_record(row["record"]))
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
