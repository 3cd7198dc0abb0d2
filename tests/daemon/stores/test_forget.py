"""What is forgotten is gone from the disk, and nothing else is."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import uuid
from pathlib import Path

import psutil
import pytest
from fastapi.testclient import TestClient

from llmos_jupyter.daemon.app import create_app
from llmos_jupyter.daemon.core import Daemon
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Candidate, CandidateRecord, Finish, Message, Request, Session

MARKER = "quokka-7321-marker"
KEPT = "wombat-5512-kept"


def ask(store: Store, text: str, session: str, notebook: str, *, finish: bool = True, pid: int = 1) -> str:
    origin = Session(id=session, notebook=notebook, pid=pid, started=psutil.Process().create_time())
    task = store.accept(Request(id=uuid.uuid4().hex, text=text, session=origin))
    messages = [Message(role="user", content=f"{text} " * 300)]
    store.add_record(task.id, CandidateRecord(round=0, candidate=Candidate(text=text, messages=messages)))
    if finish:
        store.finish(task.id, Finish(state="failed", reason=text))
    return task.id


def on_disk(folder: Path, marker: str) -> list[str]:
    return sorted(file.name for file in folder.rglob("*") if file.is_file() and marker.encode() in file.read_bytes())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "llmos.db")


def test_a_forgotten_notebook_leaves_no_byte(store: Store, tmp_path: Path) -> None:
    for number in range(30):
        ask(store, MARKER, "now", "/a/n.ipynb") if number % 3 else ask(store, KEPT, "other", "/b/n.ipynb")
    ask(store, MARKER, "yesterday", "/a/n.ipynb")
    ask(store, MARKER, "now", "")
    assert on_disk(tmp_path, MARKER)
    assert store.forget("now", "/a/n.ipynb") == 22
    assert on_disk(tmp_path, MARKER) == []
    assert on_disk(tmp_path, KEPT)
    assert len(store.tasks(limit=100)) == 10
    assert all(len(store.trace(task.id).records) == 1 for task in store.tasks(limit=100))


def test_what_was_deleted_before_deletions_were_wiped_goes_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "llmos.db")
    ask(store, MARKER, "s", "/a.ipynb")
    store.close()
    with sqlite3.connect(tmp_path / "llmos.db") as db:
        db.execute("PRAGMA secure_delete=OFF")
        db.execute("DELETE FROM records")
    db.close()
    assert on_disk(tmp_path, MARKER)
    Store(tmp_path / "llmos.db").forget("s")
    assert on_disk(tmp_path, MARKER) == []


def test_numbers_are_not_given_twice(store: Store) -> None:
    last = store.task(ask(store, MARKER, "s", "")).number
    store.forget("s")
    assert store.task(ask(store, KEPT, "t", "")).number > last


def test_no_name_forgets_nothing(store: Store) -> None:
    ask(store, KEPT, "s", "")
    assert store.forget() == store.forget("", "") == store.forget("other", "/other.ipynb") == 0
    assert len(store.tasks()) == 1


def test_a_running_request_is_not_forgotten(store: Store) -> None:
    ask(store, KEPT, "s", "/a.ipynb")
    running = ask(store, KEPT, "s", "/a.ipynb", finish=False)
    with pytest.raises(LLMOSError, match=r"Request 2 is still running: wait .* cancel 2"):
        store.forget("", "/a.ipynb")
    assert len(store.tasks()) == 2
    store.finish(running, Finish(state="done"))
    assert store.forget("s") == 2


def test_a_reader_that_keeps_the_log_alive_is_named(store: Store, tmp_path: Path) -> None:
    ask(store, MARKER, "s", "")
    reader = sqlite3.connect(tmp_path / "llmos.db")
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM tasks").fetchall()
    store._db.execute("PRAGMA busy_timeout=100")
    with pytest.raises(LLMOSError, match="close it and forget again"):
        store.forget("s")
    reader.close()
    assert store.forget("s") == 0
    assert on_disk(tmp_path, MARKER) == []


def test_over_http(home: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "llmos.db")
    ask(store, MARKER, "s", "/a b/ü.ipynb")
    mine = ask(store, KEPT, "mine", "", finish=False, pid=os.getpid())
    client = TestClient(create_app(Daemon(store), "t", lambda: None), base_url="http://127.0.0.1")
    client.headers["Authorization"] = "Bearer t"
    answer = client.post("/v1/tasks/forget", params={"notebook": "/a b/ü.ipynb"})
    assert (answer.status_code, answer.json()) == (200, 1)
    assert on_disk(tmp_path, MARKER) == []
    refused = client.post("/v1/tasks/forget", params={"session": "mine"})
    assert refused.status_code == 400
    assert "still running" in refused.json()["message"]
    store.finish(mine, Finish(state="done"))
    assert client.post("/v1/tasks/forget", params={"session": "mine"}).json() == 1


def test_a_request_whose_kernel_is_gone_is_forgotten(store: Store) -> None:
    task = ask(store, KEPT, "s", "", finish=False, pid=2**22 + 1)
    assert store.task(task).state == "accepted"
    assert asyncio.run(Daemon(store).forget("s", "")) == 1
