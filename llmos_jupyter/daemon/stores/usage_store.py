"""What tasks used of processors and GPUs, on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.protocol import Usage

_SCHEMA = """
CREATE TABLE IF NOT EXISTS usage (
    task  TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
    usage TEXT NOT NULL
);
"""


class UsageStore:
    """The table of usage, in the store's database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.require(_SCHEMA)

    def save(self, used: Mapping[str, Usage]) -> None:
        """By the tasks' identifiers; what was forgotten meanwhile is left out."""
        with self._store.transaction() as db:
            db.executemany(
                "INSERT INTO usage (task, usage) SELECT ?, ? WHERE EXISTS (SELECT 1 FROM tasks WHERE id = ?) "
                "ON CONFLICT (task) DO UPDATE SET usage = excluded.usage",
                [(task, usage.model_dump_json(), task) for task, usage in used.items()],
            )

    def of(self, tasks: Sequence[str]) -> dict[str, Usage]:
        """By identifier, of those of these tasks of which something is known."""
        with self._store.reading() as db:
            marks = ", ".join("?" * len(tasks))
            rows = db.execute(f"SELECT task, usage FROM usage WHERE task IN ({marks})", tuple(tasks)).fetchall()
        return {row["task"]: Usage.model_validate_json(row["usage"], extra="ignore") for row in rows}
