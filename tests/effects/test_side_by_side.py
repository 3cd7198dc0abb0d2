"""Candidates run at the same time, each in a sandbox of its own; one is committed as it is, the others are dropped."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest

from llmos_jupyter.effects.copy.kernel_copy import supported
from llmos_jupyter.effects.table import CannotComeHome
from llmos_jupyter.effects.transaction import commit, run_side_by_side
from llmos_jupyter.sandbox.process.run_progress import finished
from tests.effects.copy.shells import descendants, descriptors
from tests.effects.processes import SHELL, fresh_shell, in_fork, state_of

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))
SETUP = "xs = [1]; df = pd.DataFrame({'a': [1.0, 2.0]})"
CODES = [
    "import time\ntime.sleep(1.5)\nxs.append('first')\ndf['b'] = 1\nprint('one')",
    "import time\ntime.sleep(1.5)\nxs.append('second')\nmade = df",
    "import os\nos._exit(3)",
    "xs.nothing",
]


def done(act: Callable[[], Any]) -> Any:
    status, result = in_fork(act)
    assert status == "done", result
    return result


def test_one_is_committed_and_the_others_are_dropped() -> None:
    def act() -> None:
        fresh_shell(SETUP)
        before, opened = state_of(SHELL), descriptors()
        began = time.monotonic()
        ran = finished(run_side_by_side(CODES, SHELL))
        took = time.monotonic() - began
        assert [each.report.status for each in ran] == ["passed", "passed", "died", "failed"]
        assert took < ran[0].report.seconds + ran[1].report.seconds + 10  # a busy machine forks slowly
        assert state_of(SHELL) == before
        undo = commit(ran[1])
        assert SHELL.user_ns["xs"] == [1, "second"]
        assert SHELL.user_ns["made"] is SHELL.user_ns["df"]
        assert list(SHELL.user_ns["df"].columns) == ["a"]
        with pytest.raises(CannotComeHome, match="another candidate"):
            commit(ran[0])
        assert SHELL.user_ns["xs"] == [1, "second"]
        for each in ran:
            each.close()
        undo.restore()
        assert state_of(SHELL) == before
        assert descriptors() == opened
        assert not descendants()

    done(act)


def test_stop_ends_all_of_them() -> None:
    def act() -> None:
        fresh_shell(SETUP)
        before, opened = state_of(SHELL), descriptors()
        run = run_side_by_side(["xs.append(2)", "while True: pass", "while True: xs.append(1)"], SHELL)
        alive = {number for number, _ in itertools.takewhile(lambda _: len(descendants()) < 2, run)}
        assert alive <= {0, 1, 2}
        assert len(descendants()) >= 2  # they live at the same time
        run.close()
        assert not descendants()
        assert descriptors() == opened
        assert state_of(SHELL) == before

    done(act)


def test_a_worker_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    def act() -> Any:
        monkeypatch.setenv("LLMOS_SANDBOX", "worker")
        fresh_shell(SETUP)
        ran = finished(run_side_by_side(["xs.append(2)", "xs.append(3)"], SHELL))
        commit(ran[1])
        for each in ran:
            each.close()
        return SHELL.user_ns["xs"]

    assert done(act) == [1, 3]
