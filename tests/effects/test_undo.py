"""Undo after the user went on: what was changed again since is left alone and told; what was only read comes back."""

from __future__ import annotations

from typing import Any

import pytest

from llmos_jupyter.effects.copy.kernel_copy import supported
from llmos_jupyter.effects.transaction import commit, run_in_sandbox
from tests.effects.processes import cell, fresh_shell, in_fork

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))

SETUP = "xs = [1]; d = {'k': 1}; arr = np.arange(4); df = pd.DataFrame({'a': [1.0, 2.0], 'b': ['x', 'y']})"
CODE = "xs.append(2); d['n'] = 2; arr[0] = 9; df['c'] = df.a * 2; q = 5; q"


def undone(then: str) -> dict[str, Any]:
    """What undo says, and the variables after it, where `then` ran between commit and undo."""
    shell = fresh_shell(SETUP)
    undo = commit(run_in_sandbox(CODE, shell))
    assert cell(shell, then)[0]
    said, names = undo.restore(), shell.user_ns
    state = [names["xs"], names["d"], names["arr"].tolist(), names["df"].columns.tolist(), names.get("q")]
    return {"said": said, "state": state, "out": list(names["_oh"].values())}


BEFORE = [[1], {"k": 1}, [0, 1, 2, 3], ["a", "b"], None]


@pytest.mark.parametrize("then", ["pass", "df.describe(); df.values; df.sum(numeric_only=True); print(xs, d, arr)"])
def test_what_was_only_read_comes_back(then: str) -> None:
    status, done = in_fork(lambda: undone(then))
    assert status == "done", done
    assert done == {"said": [], "state": BEFORE, "out": []}


@pytest.mark.parametrize(
    ("then", "name", "place", "left"),
    [
        ("xs.append(3)", "xs", 0, [1, 2, 3]),
        ("d['n'] = 7", "d", 1, {"k": 1, "n": 7}),
        ("arr[0] = 8", "arr", 2, [8, 1, 2, 3]),
        ("df['e'] = 1", "df", 3, ["a", "b", "c", "e"]),
        ("q = 6", "q", 4, 6),
    ],
)
def test_what_was_changed_again_stays(then: str, name: str, place: int, left: Any) -> None:
    status, done = in_fork(lambda: undone(then))
    assert status == "done", done
    assert done["said"] == [f"{name} was changed again after the answer, so it was left as it is."]
    assert done["state"][place] == left
    assert [*done["state"][:place], *done["state"][place + 1 :]] == [*BEFORE[:place], *BEFORE[place + 1 :]]


LARGE = "import os, time; KERNEL = os.getpid(); big = pd.DataFrame(np.ones((200_000, 2))); arr = np.ones(200_000)"


def changed_and_undone(code: str) -> dict[str, Any]:
    """The first values of what is too large to be copied without need, after a run and after its undo."""
    shell = fresh_shell(LARGE)
    undo = commit(run_in_sandbox(code, shell))
    names = shell.user_ns
    ran = [float(names["big"].iloc[0, 0]), float(names["arr"][0])]
    return {"ran": ran, "said": undo.restore(), "left": [float(names["big"].sum().sum()), float(names["arr"].sum())]}


@pytest.mark.parametrize(
    ("code", "ran"),
    [
        # What tells the copy from the kernel runs in the copy alone.
        ("if os.getpid() == KERNEL:\n    big.iloc[0, 0] = -1\n    arr[0] = -1", [1.0, 1.0]),
        ("if os.getpid() != KERNEL:\n    big.iloc[0, 0] = -1\n    arr[0] = -1", [-1.0, -1.0]),
        # What depends on a clock is decided once.
        ("late = time.time() > 1e9\nif late:\n    big.iloc[0, 0] = -1\n    arr[0] = -1", [-1.0, -1.0]),
    ],
)
def test_undo_says_restored_only_of_what_it_has_restored(code: str, ran: list[float]) -> None:
    status, done = in_fork(lambda: changed_and_undone(code))
    assert status == "done", done
    assert done == {"ran": ran, "said": [], "left": [400_000.0, 200_000.0]}
