"""Nothing acknowledged is lost, and a task ends once."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_jupyter.daemon.stores.store import Store, UnknownTask
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import (
    FINAL_STATES,
    Candidate,
    CandidateRecord,
    DecisionRecord,
    Finish,
    Message,
    Request,
    Session,
)

SESSION = Session(id="kernel", pid=os.getpid(), started=0.0)


def request(text: str = "the mean") -> Request:
    return Request(id=uuid.uuid4().hex, text=text, session=SESSION)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "llmos.db")


def test_a_request_sent_twice_is_one_task(store: Store) -> None:
    asked = request()
    assert store.accept(asked) == store.accept(asked)
    assert len(store.tasks()) == 1


def test_what_was_acknowledged_survives_a_killed_process(tmp_path: Path) -> None:
    script = f"""
import os, sys
sys.path.insert(0, {str(Path.cwd())!r})
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.protocol import *
store = Store(__import__("pathlib").Path({str(tmp_path / "llmos.db")!r}))
task = store.accept(Request(id="0" * 32, text="kept", session=Session(id="k", pid=1, started=0.0)))
store.add_record(task.id, DecisionRecord(round=0, decision="kept too"))
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    trace = Store(tmp_path / "llmos.db").trace("0" * 32)
    assert trace.task.text == "kept"
    assert trace.records[0].record == DecisionRecord(round=0, decision="kept too")


def test_a_record_sent_twice_with_its_key_is_one_record(store: Store) -> None:
    task = store.accept(request())
    record = CandidateRecord(round=0, candidate=Candidate(text="x", messages=[Message(role="user", content="ü\ud7ff")]))
    store.add_record(task.id, record, "key")
    store.add_record(task.id, record, "key")
    assert [stored.record for stored in store.trace(str(task.number)).records] == [record]


@given(st.lists(st.sampled_from(["running", "done", "failed", "cancelled"]), max_size=8))
@settings(max_examples=40, deadline=None)
def test_a_task_has_one_end(moves: list[str]) -> None:
    store = Store(Path(os.environ["LLMOS_TEST_SCRATCH"]) / f"{uuid.uuid4().hex}.db")
    task = store.accept(request())
    seen = [store.move(task.id, move).state for move in moves]  # type: ignore[arg-type]
    ends = [state for state in seen if state in FINAL_STATES]
    first = next((move for move in moves if move in FINAL_STATES), None)
    assert set(ends) == ({first} if first else set())
    store.close()


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOS_TEST_SCRATCH", str(tmp_path))


def test_unknown_tasks_get_a_sentence(store: Store) -> None:
    for key in ("99", "nonsense", "0" * 40, "9" * 30):
        with pytest.raises(UnknownTask, match="history"):
            store.trace(key)
    with pytest.raises(UnknownTask):
        store.add_record("nonsense", DecisionRecord(round=0, decision="x"))


def test_a_damaged_database_is_set_aside_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "llmos.db"
    store = Store(file)
    store.accept(request())
    store.close()
    damage = bytearray(file.read_bytes())
    damage[100:3000] = b"\xff" * 2900
    file.write_bytes(bytes(damage))
    assert Store(file).tasks() == []
    assert [kept.read_bytes() for kept in tmp_path.glob("llmos.db.damaged-*")] == [bytes(damage)]


def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "llmos.db"
    file.write_text("shopping list\n" * 500)
    assert Store(file).tasks() == []
    assert len(list(tmp_path.glob("llmos.db.damaged-*"))) == 1


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "llmos.db"
    Store(file).close()
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(LLMOSError, match="newer"):
        Store(file)
    assert not list(tmp_path.glob("*damaged*"))


def test_only_the_user_may_read_it(store: Store) -> None:
    assert store.file.stat().st_mode & 0o077 == 0


def filled(file: Path) -> Store:
    store = Store(file)
    for number in range(300):
        task = store.accept(request(f"request {number} " + "x" * 500))
        store.add_record(task.id, DecisionRecord(round=0, decision="noted"))
    return store


def test_what_a_damaged_file_still_holds_is_carried_over(tmp_path: Path) -> None:
    file = tmp_path / "llmos.db"
    store = filled(file)
    last = store.tasks()[-1]
    store.close()
    damage = bytearray(file.read_bytes())
    middle = len(damage) // 2
    damage[middle : middle + 8192] = b"\xee" * 8192
    file.write_bytes(bytes(damage))
    again = Store(file)
    assert again.trace(str(last.number)).task == last
    assert len(again.tasks(limit=1000)) > 200
    # Numbers that were seen are never given again.
    assert again.accept(request()).number == last.number + 1
    assert [kept.read_bytes() for kept in tmp_path.glob("llmos.db.damaged-*")] == [bytes(damage)]
    assert not list(tmp_path.glob("tmp*"))


def test_damage_while_it_runs_is_said_once_and_work_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "llmos.db"
    store = filled(file)
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store._db.execute("PRAGMA cache_size=0")
    size = file.stat().st_size
    with file.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xee" * (size - 4096))
    with pytest.raises(LLMOSError, match=r"damaged.*ask again"):
        store.tasks(limit=1000)
    task = store.accept(request("after"))
    assert store.finish(task.id, Finish(state="done")).state == "done"
    assert task.number == 1, "all but the first page was lost, the last number with it"
    assert len(list(tmp_path.glob("llmos.db.damaged-*"))) == 1


def test_a_second_damaged_file_does_not_replace_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1000.0)
    file = tmp_path / "llmos.db"
    for text in ("one" * 500, "two" * 500):
        file.write_text(text)
        Store(file).close()
    assert sorted(kept.read_text()[:3] for kept in tmp_path.glob("llmos.db.damaged-*")) == ["one", "two"]


def test_a_full_disk_is_one_sentence_and_what_was_stored_stays(store: Store) -> None:
    task = store.accept(request())
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(LLMOSError, match=r"disk is full.*free some"):
        store.accept(request("x" * 100_000))
    assert [kept.id for kept in store.tasks()] == [task.id]
    store._db.execute("PRAGMA max_page_count=100000")
    assert store.accept(request("y" * 100_000)).number == task.number + 1


def test_a_disk_that_takes_no_more_bytes(tmp_path: Path) -> None:
    script = f"""
import resource, signal, sys, uuid
from pathlib import Path
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Request, Session
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(Path({str(tmp_path / "llmos.db")!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
kept = 0
for number in range(100):
    try:
        store.accept(Request(id=uuid.uuid4().hex, text="x" * 20_000, session=Session(id="k", pid=1, started=0.0)))
        kept += 1
    except LLMOSError as error:
        print(error)
        break
print(kept, len(store.tasks(limit=1000)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    sentence, counts = done.stdout.strip().splitlines()
    assert "disk is full" in sentence
    kept, listed = map(int, counts.split())
    assert 0 < kept < 100
    assert listed == kept == len(Store(tmp_path / "llmos.db").tasks(limit=1000))


def test_the_order_of_tasks_does_not_follow_the_clock(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = store.accept(request("one"))
    monkeypatch.setattr("time.time", lambda: 5.0)
    store.accept(request("two"))
    ended = store.finish(first.id, Finish(state="done"))
    assert [task.text for task in store.tasks()] == ["one", "two"]
    assert ended.updated >= ended.created


def test_the_events_that_earlier_versions_kept_are_gone(tmp_path: Path) -> None:
    file = tmp_path / "llmos.db"
    Store(file).close()
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, data TEXT)")
        db.execute("INSERT INTO events (data) VALUES ('a request')")
        db.commit()
    store = Store(file)
    assert store.accept(request()).number == 1
    store.close()
    with contextlib.closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT COUNT(*) FROM sqlite_master WHERE name = 'events'").fetchone() == (0,)
