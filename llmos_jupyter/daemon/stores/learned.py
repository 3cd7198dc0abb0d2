"""What the daemon learns of durations, tokens, memory and success, in its database: nothing learned is lost.

Each thing that ended is a row of numbers: what was known before, what it came to. The estimates made of them are stored
now and then as well, so that a daemon that starts reads one row and the few that came later. No row holds a text; of
code that ran there is a fingerprint, until its task is forgotten.
"""

from __future__ import annotations

import ast
import hashlib
import json
import logging
import sqlite3
import threading
import time
import warnings
from collections.abc import Iterable
from dataclasses import asdict
from statistics import mean, median
from typing import Any

from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Lesson
from llmos_jupyter.scheduling.estimating.calibration import Observation, quality, replay
from llmos_jupyter.scheduling.estimating.estimates import Estimate, Estimates, Features, Outcome, Prior
from llmos_jupyter.scheduling.estimating.knowledge import Knowledge, general

log = logging.getLogger(__name__)

# The newest so many observations are kept.
KEPT = 5000
# After so many observations the estimates are stored too: those that came later are learned again when a daemon starts,
# in 18 ms, where all 5000 would take 420 ms on a shared server (benchmarks.estimates start).
STORE_EVERY = 200
# Of code that ran before, so many of its last runs are recalled: what is older counts for less than a half.
RECALLED = 50

_SCHEMA = """
CREATE TABLE IF NOT EXISTS observations (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       REAL NOT NULL,
    task     TEXT,
    kind     TEXT NOT NULL,
    resource TEXT NOT NULL,
    features TEXT NOT NULL,
    prior    TEXT NOT NULL,
    outcome  TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS observations_by_kind ON observations (kind, id);
CREATE INDEX IF NOT EXISTS observations_by_task ON observations (task);
CREATE TABLE IF NOT EXISTS estimates (
    only  INTEGER PRIMARY KEY CHECK (only = 1),
    upto  INTEGER NOT NULL,
    state TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS observations_of_forgotten AFTER DELETE ON tasks BEGIN
    UPDATE observations SET task = NULL, kind = CASE WHEN kind LIKE 'run %' THEN 'run' ELSE kind END
    WHERE task = OLD.id;
END;
"""

_COLUMNS = ("kind", "resource", "features", "prior", "outcome")


class Learned:
    """What was learned, on disk before `learn` returns. Safe to use from several threads.

    Kinds: "generation" (resource: the model), "repair" (the same), "run" (resource: "workers"; for code of its own
    `run_kind`), "answer" (a whole request; resource: the strategy's name). Others may be used as well.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._knowledge: Knowledge | None = None
        self._since_stored = 0
        store.require(_SCHEMA)

    def predict(self, kind: str, resource: str, features: Features, prior: Prior) -> Estimate:
        """What is to be expected. Reads the disk at its first use, and for code that was not asked about lately; where
        it cannot, it goes by the prior."""
        with self._lock:
            try:
                return self._known().predict(kind, resource, features, prior)
            except LLMOSError as error:
                log.error("what was learned cannot be read now: %s", error)
                return Estimates().predict(kind, resource, features, prior)

    def learn(
        self, kind: str, resource: str, features: Features, prior: Prior, outcome: Outcome, task: str = ""
    ) -> None:
        """Store and take in what something came to; `features` and `prior` as they were when it was predicted.

        `task`: the identifier of the task that it was for; of what no known task is for, code's fingerprint is not
        stored. Raises LLMOSError, and learns nothing, if it cannot be stored.
        """
        with self._lock:
            knowledge = self._known()
            knowledge.recurring(kind)  # recalled before this is among what is recalled
            self._add(knowledge, kind, resource, features, prior, outcome, task)
            knowledge.learn(kind, resource, features, prior, outcome)

    def predict_run(self, code: str, resource: str, features: Features, prior: Prior) -> Estimate:
        """What a run of this code is to come to: by its own earlier runs if there are any, else by those of others."""
        return self.predict(run_kind(code), resource, features, prior)

    def learn_run(
        self, code: str, resource: str, features: Features, prior: Prior, outcome: Outcome, task: str
    ) -> None:
        """As `learn`, of a run of this code: teaches what is known of it and what is known of all code."""
        self.learn(run_kind(code), resource, features, prior, outcome, task)

    def forget(self) -> None:
        """After tasks were forgotten: on disk their observations are numbers of nobody's by then, in memory now."""
        with self._lock:
            if self._knowledge:
                self._knowledge.forget_recurring()

    def trace(self) -> list[Observation]:
        """All observations that are kept, oldest first."""
        return self._rows("ORDER BY id")

    def lessons(self) -> list[Lesson]:
        """What was learned by kind, and how good the predictions were. Takes as long as learning all of it anew."""
        trace = self.trace()
        predicted = replay(trace, Knowledge())
        lessons = []
        for kind in sorted({general(seen.kind) for seen in trace}):
            pairs = [(s, e) for s, e in zip(trace, predicted, strict=True) if general(s.kind) == kind]
            made = quality([seen for seen, _ in pairs], [estimate for _, estimate in pairs])
            seconds = [seen.outcome.seconds for seen, _ in pairs if seen.outcome.seconds is not None]
            worths = [float(seen.outcome.succeeded) for seen, _ in pairs if seen.outcome.succeeded is not None]
            lessons.append(
                Lesson(
                    kind=kind,
                    seen=len(pairs),
                    seconds=median(seconds) if seconds else None,
                    success=mean(worths) if worths else None,
                    error=made.relative_error,
                    constant_error=made.constant_relative_error,
                    within_p90=made.covered,
                    brier=made.brier,
                    constant_brier=made.constant_brier,
                )
            )
        return lessons

    # --- on disk ----------------------------------------------------------------------------

    def _add(
        self,
        knowledge: Knowledge,
        kind: str,
        resource: str,
        features: Features,
        prior: Prior,
        outcome: Outcome,
        task: str,
    ) -> None:
        numbers = [json.dumps(asdict(part)) for part in (features, prior, outcome)]
        with self._store.transaction() as db:
            # A task may have been forgotten meanwhile.
            known = db.execute("SELECT 1 FROM tasks WHERE id = ?", (task,)).fetchone() is not None
            added = db.execute(
                "INSERT INTO observations (at, task, kind, resource, features, prior, outcome) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (time.time(), task if known else None, kind if known else general(kind), resource, *numbers),
            ).lastrowid
            assert added is not None
            db.execute("DELETE FROM observations WHERE id <= ?", (added - KEPT,))
            # The first of a table that was damaged and begun anew comes after all that is in memory.
            due = self._since_stored >= STORE_EVERY or (added == 1 and self._since_stored > 0)
            if due:
                state = json.dumps(knowledge.estimates.to_json())
                db.execute("INSERT OR REPLACE INTO estimates VALUES (1, ?, ?)", (added - 1, state))
        self._since_stored = 1 if due else self._since_stored + 1

    def _known(self) -> Knowledge:
        if self._knowledge is None:
            estimates, upto = self._stored()
            knowledge = Knowledge(estimates, self._recall)
            rows = self._rows("WHERE id > ? ORDER BY id", upto)
            for seen in rows:
                estimates.learn(general(seen.kind), seen.resource, seen.features, seen.prior, seen.outcome)
            self._since_stored, self._knowledge = len(rows), knowledge
        return self._knowledge

    def _stored(self) -> tuple[Estimates, int]:
        """The estimates as they were stored last, and up to which observation they know."""
        with self._store.reading() as db:
            row = db.execute("SELECT upto, state FROM estimates").fetchone()
        if row is None:
            return Estimates(), 0
        try:
            return Estimates.from_json(json.loads(row["state"])), int(row["upto"])
        except (LLMOSError, ValueError, TypeError) as error:
            log.error("what was learned is made anew from the observations kept: %s", error)
            return Estimates(), 0

    def _recall(self, kind: str) -> Iterable[Observation]:
        return reversed(self._rows("WHERE kind = ? ORDER BY id DESC LIMIT ?", kind, RECALLED))

    def _rows(self, which: str, *values: object) -> list[Observation]:
        # As bytes, because one text that is not UTF-8 would make all of them unreadable.
        columns = ", ".join(f"CAST({name} AS BLOB) AS {name}" for name in _COLUMNS)
        with self._store.reading() as db:
            rows = db.execute(f"SELECT id, {columns} FROM observations {which}", values).fetchall()
        return [seen for row in rows if (seen := _observation(row))]


def run_kind(code: str) -> str:
    """The kind of a run of this code: the same for code that differs in spaces, comments and line breaks only."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = ast.dump(ast.parse(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # magics, say
        text = "\n".join(line.rstrip() for line in code.strip().splitlines())
    return f"run {hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def _observation(row: sqlite3.Row) -> Observation | None:
    try:
        outcome: dict[str, Any] = json.loads(row["outcome"])
        succeeded = outcome.get("succeeded")
        if succeeded is not None and not (isinstance(succeeded, bool | int | float) and 0 <= succeeded <= 1):
            raise ValueError("neither a success nor none")
        return Observation(
            row["kind"].decode(),
            row["resource"].decode(),
            Features(**json.loads(row["features"])),
            Prior(**json.loads(row["prior"])),
            Outcome(**outcome),
        )
    except (ValueError, TypeError, AttributeError, LLMOSError) as error:
        log.error("observation %s cannot be read and is left out: %s", row["id"], error)
        return None
