"""The speeds that were measured on this machine, in the daemon's database."""

from __future__ import annotations

from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.protocol import Speed

# The last so many of each model count, and of those the best: a busy machine is no slower one.
KEPT = 5

_SCHEMA = """
CREATE TABLE IF NOT EXISTS speeds (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    model TEXT NOT NULL,
    speed TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS speeds_by_model ON speeds (model, id);
"""


class SpeedStore:
    """Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.require(_SCHEMA)
        self._written = {speed.model: speed.writes for speed in self.best()}

    def add(self, speed: Speed) -> None:
        """On disk before it returns. Raises LLMOSError where there is no room."""
        with self._store.transaction() as db:
            db.execute("INSERT INTO speeds (model, speed) VALUES (?, ?)", (speed.model, speed.model_dump_json()))
            db.execute(
                "DELETE FROM speeds WHERE model = ? AND id NOT IN "
                "(SELECT id FROM speeds WHERE model = ? ORDER BY id DESC LIMIT ?)",
                (speed.model, speed.model, KEPT),
            )
        self._written = {kept.model: kept.writes for kept in self.best()}

    def best(self) -> list[Speed]:
        """Of each model the measurement in which it wrote fastest, by name."""
        with self._store.reading() as db:
            rows = db.execute("SELECT speed FROM speeds ORDER BY id").fetchall()
        best: dict[str, Speed] = {}
        for (text,) in rows:
            speed = Speed.model_validate_json(text, extra="ignore")
            if speed.model not in best or speed.writes >= best[speed.model].writes:
                best[speed.model] = speed
        return [best[name] for name in sorted(best)]

    def written(self) -> dict[str, float]:
        """Tokens a second that models wrote, by their names."""
        return self._written
