"""What was learned survives restarts, kills, damage and several threads; what is forgotten leaves numbers only."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmos_jupyter.daemon.stores import learned
from llmos_jupyter.daemon.stores.learned import Learned, run_kind
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Finish, Request, Session
from llmos_jupyter.scheduling.estimating import knowledge
from llmos_jupyter.scheduling.estimating.calibration import Observation
from llmos_jupyter.scheduling.estimating.estimates import Features, Outcome, Prior

PRIOR = Prior(seconds=4.0, probability=0.7)
FEATURES = Features(request_chars=80, prompt_tokens=300)
CODE = "total = sum(range(10))\ntotal"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "llmos.db")


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def task(store: Store, session: str = "kernel") -> str:
    origin = Session(id=session, pid=os.getpid(), started=0.0)
    accepted = store.accept(Request(id=uuid.uuid4().hex, kind="run", text="text", session=origin))
    store.finish(accepted.id, Finish(state="done"))
    return accepted.id


def teach(known: Learned, count: int, *, kind: str = "generation", start: int = 0) -> None:
    for number in range(start, start + count):
        features = Features(request_chars=20 + number % 7, prompt_tokens=100 * (number % 5))
        known.learn(kind, "small", features, PRIOR, Outcome(seconds=1 + number % 3, succeeded=number % 4 > 0))


def test_before_anything_was_learned_the_prior_is_the_estimate(store: Store) -> None:
    estimate = Learned(store).predict("generation", "small", FEATURES, PRIOR)
    assert (estimate.p50, estimate.seen) == (4.0, 0)
    assert Learned(store).trace() == []


@pytest.mark.parametrize("count", [1, learned.STORE_EVERY - 1, learned.STORE_EVERY, 2 * learned.STORE_EVERY + 7])
def test_a_restart_keeps_all_that_was_learned(tmp_path: Path, count: int) -> None:
    store = Store(tmp_path / "llmos.db")
    before = Learned(store)
    teach(before, count)
    told, trace = before.predict("generation", "small", FEATURES, PRIOR), before.trace()
    assert (told.seen, len(trace)) == (count, count)
    store.close()
    after = Learned(Store(tmp_path / "llmos.db"))
    assert after.predict("generation", "small", FEATURES, PRIOR) == told
    assert after.trace() == trace
    # And so does the next one, with what is learned in between.
    teach(after, 3, start=count)
    again = Learned(Store(tmp_path / "llmos.db"))
    assert again.predict("generation", "small", FEATURES, PRIOR) == after.predict(
        "generation", "small", FEATURES, PRIOR
    )


def test_a_process_killed_between_two_lessons_loses_none_that_it_had_acknowledged(tmp_path: Path) -> None:
    script = f"""
import os
from pathlib import Path
from llmos_jupyter.daemon.stores.learned import Learned
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.scheduling.estimating.estimates import Features, Outcome, Prior
known = Learned(Store(Path({str(tmp_path / "llmos.db")!r})))
for number in range(250):
    known.learn("generation", "small", Features(), Prior(), Outcome(seconds=2.0, succeeded=True))
    print(number, flush=True)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == -9
    acknowledged = len(done.stdout.splitlines())
    known = Learned(Store(tmp_path / "llmos.db"))
    assert len(known.trace()) == acknowledged == 250
    assert known.predict("generation", "small", Features(), Prior()).seen == 250


def test_what_cannot_be_stored_is_not_learned(store: Store) -> None:
    known = Learned(store)
    teach(known, 5)
    before = known.predict("generation", "small", FEATURES, PRIOR)
    store._db.execute(f"PRAGMA max_page_count={store._db.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(LLMOSError, match="disk is full"):
        teach(known, 1000, kind="x" * 1000)
    stored = len(known.trace())
    store._db.execute("PRAGMA max_page_count=100000")
    assert known.predict("generation", "small", FEATURES, PRIOR) == before
    again = Learned(Store(store.file))
    assert len(again.trace()) == stored
    assert again.predict("x" * 1000, "small", FEATURES, PRIOR) == known.predict("x" * 1000, "small", FEATURES, PRIOR)


def test_two_threads_learn_and_a_third_predicts(store: Store, hurried: None) -> None:
    known = Learned(store)
    faults: list[BaseException] = []

    def work(kind: str) -> None:
        try:
            teach(known, 150, kind=kind)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(kind,)) for kind in ("generation", "repair")]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert known.predict("generation", "small", FEATURES, PRIOR).p50 > 0
    assert faults == []
    assert len(known.trace()) == 300
    one_after_the_other = Learned(Store(store.file.with_name("other.db")))
    teach(one_after_the_other, 150, kind="generation")
    teach(one_after_the_other, 150, kind="repair")
    again = Learned(Store(store.file))
    for kind in ("generation", "repair"):
        estimate = one_after_the_other.predict(kind, "small", FEATURES, PRIOR)
        assert known.predict(kind, "small", FEATURES, PRIOR) == again.predict(kind, "small", FEATURES, PRIOR)
        assert known.predict(kind, "small", FEATURES, PRIOR) == estimate


HARM = {
    "features": "{}garbage",
    "prior": '{"seconds": NaN}',
    "outcome": '{"seconds": -1}',
    "kind": b"\xff\xfe",
}


@pytest.mark.parametrize(("column", "value"), [*HARM.items(), ("outcome", '{"succeeded": 7}'), ("features", "[]")])
def test_rows_that_cannot_be_read_are_left_out_and_told(
    store: Store, column: str, value: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    teach(Learned(store), 10)
    text = "CAST(? AS TEXT)" if isinstance(value, bytes) else "?"
    store._db.execute(f"UPDATE observations SET {column} = {text} WHERE id = 4", (value,))
    known = Learned(store)
    assert known.predict("generation", "small", FEATURES, PRIOR).seen == 9
    assert len(known.trace()) == 9
    assert "observation 4 cannot be read" in caplog.text
    teach(known, 1)
    assert known.predict("generation", "small", FEATURES, PRIOR).seen == 10


@pytest.mark.parametrize("state", ["{", '{"format": 99}', b"\xff", "[]"])
def test_stored_estimates_that_cannot_be_read_are_made_anew(store: Store, state: str | bytes) -> None:
    first = Learned(store)
    teach(first, learned.STORE_EVERY + 5)
    assert store._db.execute("UPDATE estimates SET state = ?", (state,)).rowcount == 1
    told = first.predict("generation", "small", FEATURES, PRIOR)
    assert Learned(store).predict("generation", "small", FEATURES, PRIOR) == told


def test_a_damaged_database_is_begun_anew_and_what_is_in_memory_comes_back_to_disk(tmp_path: Path) -> None:
    file = tmp_path / "llmos.db"
    store = Store(file)
    known = Learned(store)
    teach(known, 100)
    before = known.predict("generation", "small", FEATURES, PRIOR)
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store._db.execute("PRAGMA cache_size=0")
    size = file.stat().st_size
    with file.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xee" * (size - 4096))
    with pytest.raises(LLMOSError, match="damaged"):
        teach(known, 1)
    assert known.predict("generation", "small", FEATURES, PRIOR) == before
    teach(known, 1)
    again = Learned(Store(file))
    assert len(again.trace()) == 1
    assert again.predict("generation", "small", FEATURES, PRIOR).seen == 101
    assert again.predict("generation", "small", FEATURES, PRIOR) == known.predict(
        "generation", "small", FEATURES, PRIOR
    )


def test_a_database_that_cannot_be_read_leaves_the_prior(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    teach(Learned(store), 3)
    known = Learned(store)
    store.close()
    assert known.predict("generation", "small", FEATURES, PRIOR).p50 == 4.0
    assert "cannot be read now" in caplog.text


def test_only_the_newest_are_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned, "KEPT", 20)
    monkeypatch.setattr(learned, "STORE_EVERY", 7)
    known = Learned(store)
    teach(known, 50)
    kept = known.trace()
    assert len(kept) == 20
    assert kept[-1].outcome == Outcome(seconds=1 + 49 % 3, succeeded=49 % 4 > 0)
    # What is no longer kept was learned all the same, also after a restart.
    assert Learned(store).predict("generation", "small", FEATURES, PRIOR).seen == 50


# --- code that is run again -------------------------------------------------------------------


def test_code_is_the_same_whatever_its_spaces_and_comments() -> None:
    assert run_kind("x = 1+2  # three\n") == run_kind("x = (1 +\n     2)")
    assert run_kind("x = 1") != run_kind("x = 2")
    assert run_kind("%time x\n") == run_kind("\n%time x   ")
    assert run_kind("%time x") != run_kind("%time y")
    for odd in ("", "\0", "(" * 10_000, "\ud800", "'\\d'"):
        kind = run_kind(odd)
        assert kind.startswith("run ")
        assert len(kind) == len("run ") + 12


def test_code_that_ran_before_is_predicted_by_its_own_runs(store: Store) -> None:
    known, prior = Learned(store), Prior(seconds=10.0)
    for number in range(30):
        known.learn_run(f"quick({number})", "workers", Features(), prior, Outcome(seconds=0.5), task(store))
    new = known.predict_run(CODE, "workers", Features(), prior)
    assert (new.seen, round(new.p50, 1)) == (30, 0.5)  # by what all code came to here
    known.learn_run(CODE, "workers", Features(), prior, Outcome(seconds=60.0, succeeded=True), task(store))
    for fresh in (known, Learned(store)):
        own = fresh.predict_run(CODE + "  # again", "workers", Features(), prior)
        assert (own.seen, own.p50) == (1, pytest.approx(60.0))
        assert fresh.predict_run("other()", "workers", Features(), prior).seen == 31
    assert {seen.kind for seen in known.trace()} > {run_kind(CODE)}


def test_code_that_changes_its_pace_is_followed_and_memory_is_bounded(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knowledge, "HELD", 3)
    known, prior, id_ = Learned(store), Prior(seconds=10.0), task(store)
    for round_ in range(8):
        for number in range(6):
            seconds = (1.0 + number) * (2 if round_ > 3 else 1)
            known.learn_run(f"cell({number})", "workers", Features(), prior, Outcome(seconds=seconds), id_)
    assert known._knowledge is not None
    assert len(known._knowledge._recurring) == 3
    for fresh in (known, Learned(store)):
        for number in range(6):
            own = fresh.predict_run(f"cell({number})", "workers", Features(), prior)
            assert own.seen == 8
            assert 1.3 * (1 + number) < own.p50 < 2 * (1 + number)


def test_code_is_learned_once_each_time_and_in_order(store: Store) -> None:
    known, id_ = Learned(store), task(store)
    for seconds in (60.0, 2.0, 3.0, 2.0):
        known.learn_run(CODE, "workers", FEATURES, PRIOR, Outcome(seconds=seconds, succeeded=seconds > 2), id_)
    own = known.predict_run(CODE, "workers", FEATURES, PRIOR)
    assert own.seen == 4
    assert Learned(store).predict_run(CODE, "workers", FEATURES, PRIOR) == own


def test_how_long_code_took_to_fail_does_not_count_once_it_worked(store: Store) -> None:
    known, id_ = Learned(store), task(store)

    def run(seconds: float, succeeded: bool) -> None:
        outcome = Outcome(seconds=seconds, succeeded=succeeded)
        known.learn_run(CODE, "workers", Features(), PRIOR, outcome, id_)

    run(0.01, False)  # the file was not there yet
    assert known.predict_run(CODE, "workers", Features(), PRIOR).p50 == pytest.approx(0.01)
    run(60.0, True)
    run(0.01, False)
    again = known.predict_run(CODE, "workers", Features(), PRIOR)
    assert (again.seen, again.p50) == (3, pytest.approx(60.0))
    assert 0.3 < again.probability < 0.6


def test_what_was_not_asked_about_for_longest_goes_from_memory_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowledge, "HELD", 2)
    recalled: list[str] = []

    def recall(kind: str) -> list[Observation]:
        recalled.append(kind)
        return []

    known = knowledge.Knowledge(recall=recall)
    for kind in ("run a", "run b", "run a", "run c", "run a", "run b"):
        known.predict(kind, "workers", FEATURES, PRIOR)
    assert recalled == ["run a", "run b", "run c", "run b"]


def test_what_is_forgotten_leaves_numbers_only(store: Store, tmp_path: Path) -> None:
    known, prior = Learned(store), Prior(seconds=10.0)
    mine, other = task(store, "mine"), task(store, "other")
    known.learn_run(CODE, "workers", Features(), prior, Outcome(seconds=60.0), mine)
    known.learn_run("other()", "workers", Features(), prior, Outcome(seconds=1.0), other)
    fingerprint = run_kind(CODE).split()[1].encode()
    assert any(fingerprint in file.read_bytes() for file in tmp_path.iterdir())
    assert store.forget("mine") == 1
    known.forget()
    for marker in (fingerprint, mine.encode()):
        assert not any(marker in file.read_bytes() for file in tmp_path.iterdir())
    assert [(seen.kind, seen.outcome.seconds) for seen in known.trace()] == [("run", 60.0), (run_kind("other()"), 1.0)]
    assert known.predict_run(CODE, "workers", Features(), prior).seen == 2  # like any code
    assert known.predict_run("other()", "workers", Features(), prior).seen == 1
    # An end that comes in after its task was forgotten.
    known.learn_run(CODE, "workers", Features(), prior, Outcome(seconds=60.0), mine)
    assert not any(fingerprint in file.read_bytes() for file in tmp_path.iterdir())


def test_a_database_of_before_gets_the_tables(tmp_path: Path) -> None:
    store = Store(tmp_path / "llmos.db")
    kept = task(store)
    store.close()
    known = Learned(again := Store(tmp_path / "llmos.db"))
    known.learn("generation", "small", FEATURES, PRIOR, Outcome(seconds=1.0), kept)
    with sqlite3.connect(again.file) as db:
        assert db.execute("SELECT task, kind FROM observations").fetchall() == [(kept, "generation")]
    assert known.trace() == [Observation("generation", "small", FEATURES, PRIOR, Outcome(seconds=1.0))]
