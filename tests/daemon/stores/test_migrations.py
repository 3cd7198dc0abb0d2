"""Databases of earlier versions are opened by this one: with all that they hold, and to go on with.

`earlier/*.sql` are dumps of what the daemons of earlier commits wrote, each named by its schema. After a change of the
schema, dump a database of the version before it (`sqlite3 llmos.db .dump`, and its `PRAGMA user_version`) beside them.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.daemon.stores.store import SCHEMA_VERSION, Store
from llmos_jupyter.protocol import CandidateRecord, DecisionRecord, Request, RunRecord, Session

DUMPS = sorted(Path(__file__).with_name("earlier").glob("*.sql"))


def written(dump: Path, folder: Path) -> Path:
    """The dump as a database in a data folder."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "llmos.db"
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.executescript(dump.read_text(encoding="utf-8").replace("@DATA@", str(folder)))
    return file


@pytest.fixture(scope="module", params=DUMPS, ids=lambda file: file.stem)
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonClient]:
    """A daemon of this version that started on a dump."""
    folder = tmp_path_factory.mktemp("earlier")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMOS_DATA_DIR", str(folder / "data"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "run"))
        written(request.param, folder / "data")
        lifecycle.find_or_start()
        client = DaemonClient(start=False)
        yield client
        client.close()
        lifecycle.stop()


def me() -> Session:
    return Session(id="kernel", pid=os.getpid(), started=psutil.Process().create_time())


def test_each_schema_so_far_has_a_dump() -> None:
    assert {int(dump.stem.split("-")[1]) for dump in DUMPS} >= set(range(1, SCHEMA_VERSION))


def test_history_and_traces_are_kept(client: DaemonClient) -> None:
    tasks = {task.number: task for task in client.tasks()}
    assert [tasks[number].text for number in (1, 2, 3, 4)] == [
        "the mean of x", "plot größe by 年", "a task of yesterday", "never ended",
    ]  # fmt: skip
    assert [tasks[number].state for number in (1, 2, 3)] == ["done", "failed", "cancelled"]
    assert tasks[2].reason == "no candidate worked"
    records = [stored.record for stored in client.trace("1").records]
    assert [record.candidate.text for record in records if isinstance(record, CandidateRecord)] == [
        "```python\nx.mean()\n```"
    ]
    assert [record.run.changes[0].name for record in records if isinstance(record, RunRecord)] == ["y"]
    assert any(isinstance(record, DecisionRecord) and record.why == "the user said yes" for record in records)


def test_background_tasks_are_kept_and_go_on(client: DaemonClient) -> None:
    found = [task.number for task in client.tasks() if task.kind == "run"]
    if not found:  # schema 1 knew none
        assert client.tasks()[0].number == 1
        return
    assert found == [5, 6, 7, 8]
    shown = [item for item in client.outputs("5") if item.type == "output"]
    assert any("hello from a worker" in item.model_dump_json() for item in shown)
    assert any("42" in item.model_dump_json() for item in shown)
    assert "ZeroDivisionError" in client.trace("6").task.reason
    # What ran when the machine was turned off may run again, and what waits for it with it.
    interrupted = client.trace("7").task
    assert (interrupted.state, "retry 7" in interrupted.reason) == ("failed", True)
    assert client.retry("7").state in ("accepted", "running")
    assert client.retry("8").state == "accepted"
    assert [entry.task.number for entry in client.queue() if entry.task.kind == "run"] == [7, 8]
    assert client.cancel("7").state == "cancelled"


def test_work_goes_on_where_it_ended(client: DaemonClient) -> None:
    before = max(task.number for task in client.tasks())
    # Whoever asked for it is gone by now.
    assert client.cancel("4").state in ("failed", "cancelled")
    assert client.feedback("1", "down").feedback == "down"
    task = client.submit(Request(id=uuid.uuid4().hex, text="the sum of x", session=me()))
    assert task.number == before + 1
    assert client.trace(task.id).task.text == "the sum of x"


@pytest.mark.parametrize("dump", DUMPS, ids=lambda file: file.stem)
def test_an_upgrade_that_is_cut_short_is_made_again(dump: Path, tmp_path: Path) -> None:
    """The machine may be turned off between any two statements."""
    file = written(dump, tmp_path)
    version = int(dump.stem.split("-")[1])
    Store(file).close()
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute(f"PRAGMA user_version={version}")
    store = Store(file)
    assert store.tasks()[0].text == "the mean of x"
    store.close()
