"""What a thread of the notebook's changes while an answer's code runs is never lost: then nothing is put in place."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from llmos_jupyter.effects.copy.kernel_copy import supported
from llmos_jupyter.effects.objects.meanwhile import ChangedMeanwhile, digest
from llmos_jupyter.effects.transaction import WAY, Ran, commit, run_in_sandbox
from tests.effects.processes import SHELL, fresh_shell, in_fork, state_of

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))
SETUP = (
    "import numpy as np, pandas as pd, collections\n"
    "class Node:\n    def __init__(self): self.seen = 0\n"
    "class Slim:\n    __slots__ = ('seen',)\n    def __init__(self): self.seen = 0\n"
    "xs = [1]; d = {'n': 1000}; s = {1}; q = collections.deque([1]); node, slim = Node(), Slim()\n"
    "nodes = [Node() for _ in range(50)]\n"
    "arr = np.zeros(8); items = np.array([1, 'a'], dtype=object); buffer = bytearray(b'abc'); total = 5\n"
    "held = {'in': [xs]}\n"
    "df = pd.DataFrame({'a': [1.0, 2.0], 'b': ['x', 'y']}); large = np.zeros(1 << 17)"
)


def done(act: Callable[[], Any]) -> Any:
    status, result = in_fork(act)
    assert status == "done", result
    return result


def in_thread(code: str) -> None:
    thread = threading.Thread(target=exec, args=(code, SHELL.user_ns))
    thread.start()
    thread.join()


def home(code: str) -> Ran:
    ran = run_in_sandbox(code, SHELL)
    assert ran.committable, (ran.report, ran.cannot)
    return ran


CLASHES = {
    "a list": ("xs", "xs.append(2)", "xs.append(3)"),
    "a key": ("d", "d['new'] = 1", "d['other'] = 2"),
    "a counter whose address comes again": ("d", "d['new'] = 1", "for _ in range(1000): d['n'] += 1"),
    "the other way round": ("d", "d['n'] += 1", "d['new'] = 2"),
    "a set": ("s", "s.add(2)", "s.add(3)"),
    "a deque": ("q", "q.append(2)", "q.append(3)"),
    "an attribute": ("node", "node.seen = 1", "node.seen = 2"),
    "a slot": ("slim", "slim.seen = 1", "slim.seen = 2"),
    "one of many": ("nodes", "nodes[7].seen = 1", "nodes[7].more = 2"),
    "an array": ("arr", "arr[0] = 1", "arr[7] = 2"),
    "an array of objects": ("items", "items[0] = 2", "items[1] = 'b'"),
    "the ends of a large array": ("large", "large[1000] = 1", "large[0] = 2"),
    "bytes": ("buffer", "buffer[0] = 1", "buffer[1] = 2"),
    "a column": ("df", "df['c'] = 1", "df['d'] = 2"),
    "a cell of a frame": ("df", "df['c'] = df.a; df.loc[0, 'a'] = 7.0", "df.loc[1, 'a'] = 9.0"),
    "a name bound anew": ("total", "total += 1", "total += 2"),
    "a name that was new": ("fresh", "fresh = 1", "fresh = 2"),
    "a name that is gone": ("total", "del total", "total += 1"),
    "what is held by two": ("xs", "held['in'][0].append(2)", "xs.append(3)"),
}


@pytest.mark.parametrize("clash", CLASHES)
def test_what_a_thread_has_changed_meanwhile_is_kept(clash: str) -> None:
    name, answer, thread = CLASHES[clash]

    def act() -> str:
        fresh_shell(SETUP)
        ran = home(answer + "\nadded = [1]")
        in_thread(thread)
        before = state_of(SHELL)
        with pytest.raises(ChangedMeanwhile) as raised:
            commit(ran)
        assert state_of(SHELL) == before
        assert "added" not in SHELL.user_ns
        return str(raised.value)

    said = done(act)
    assert f"`{name}` was changed in the notebook while the code ran" in said
    assert "ask again" in said


def test_what_a_thread_changes_elsewhere_is_no_matter() -> None:
    def act() -> None:
        fresh_shell(SETUP)
        ran = home("xs.append(2); d['new'] = xs; node.seen = 5; df['c'] = 1; arr[:] = 3; total += 1; large[70000] = 1")
        in_thread("s.add(3); q.append(4); slim.seen = 9; nodes[3].seen = 8; items[0] = 9; large[4000] = 2; other = 1")
        commit(ran)
        names = SHELL.user_ns
        assert (names["xs"], names["d"]["new"] is names["xs"], names["total"]) == ([1, 2], True, 6)
        assert (names["s"], list(names["q"]), names["slim"].seen, names["nodes"][3].seen) == ({1, 3}, [1, 4], 9, 8)
        assert (names["large"][4000], names["large"][70000], names["other"]) == (2, 1, 1)

    done(act)


def test_a_thread_that_appends_all_the_time_loses_no_item() -> None:
    def act() -> tuple[int, int]:
        fresh_shell("xs = []")
        xs, over, count = SHELL.user_ns["xs"], threading.Event(), 0
        committed = refused = 0

        def write() -> None:
            nonlocal count
            while not over.wait(0.02):
                xs.append("thread")
                count += 1

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for _ in range(6):
                try:
                    commit(home("xs.append('answer')"))
                    committed += 1
                except ChangedMeanwhile:
                    refused += 1
        finally:
            over.set()
            thread.join()
        assert xs.count("thread") == count
        assert xs.count("answer") == committed
        return committed, refused

    assert done(act)[1]


def test_of_two_candidates_that_change_the_same_one_is_committed() -> None:
    def act() -> None:
        fresh_shell("xs = [1]; ys = [1]")
        first, second, third = home("xs.append('first')"), home("xs.append('second')"), home("ys.append('third')")
        commit(second)
        with pytest.raises(ChangedMeanwhile):
            commit(first)
        commit(third)
        assert SHELL.user_ns["xs"] == [1, "second"]
        assert SHELL.user_ns["ys"] == [1, "third"]

    done(act)


@pytest.mark.parametrize("thread", ["xs.append(3)", "d['n'] += 1", "arr[7] = 2"])
def test_a_worker_process_loses_nothing_either(thread: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WAY, "worker")

    def act() -> None:
        fresh_shell("import numpy as np\nxs = [1]; d = {'n': 1000}; arr = np.zeros(8); other = []")
        ran = home("xs.append(2); d['new'] = 1; arr[0] = 1")
        in_thread("other.append(1)")
        commit(ran)
        ran = home("xs.append(4); d['more'] = 1; arr[1] = 1")
        in_thread(thread)
        with pytest.raises(ChangedMeanwhile):
            commit(ran)

    done(act)


def test_digests_tell_apart_what_only_looks_alike() -> None:
    looks: list[tuple[list[Any], Any]] = [
        ([1], None),
        ([1.0], None),
        ([True], None),
        ([-1], None),
        ([-2], None),
        (["1"], None),
        ([b"1"], None),
        ([1, "1"], None),
        (["1", 1], None),
        ([], ["a", "b"]),
        ([], ["ab"]),
        ([], b"ab"),
        ([[]], None),
        ([()], None),
    ]
    assert len({digest(look) for look in looks}) == len(looks)
