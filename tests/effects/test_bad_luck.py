"""Bad luck around a run in the sandbox: each leaves the notebook as it was, or as the code would have made it."""

from __future__ import annotations

import ctypes
import errno
import gc
import os
import random
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmos_jupyter.effects import commit as committing
from llmos_jupyter.effects.copy.kernel_copy import supported
from llmos_jupyter.effects.table import CannotComeHome
from llmos_jupyter.effects.transaction import WAY, Ran, commit, run_in_sandbox
from llmos_jupyter.sandbox.process.inheritance import memory_sizes
from tests.effects.copy.shells import descendants, descriptors
from tests.effects.processes import SHELL, cell, fresh_shell, in_fork, state_of

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))
SETUP = (
    "import pandas as pd, numpy as np, random\nclass Node:\n    def __init__(self, name): self.name = name\n"
    "xs = [1, [2]]; d = {'k': xs}; s = {1, 2}; arr = np.arange(6); node = Node('old')\n"
    "df = pd.DataFrame({'a': [1.0, 2.0], 'b': ['x', 'y']}); gone = 1"
)
# In place, anew, away, and what belongs to the process.
CODE = (
    "import os, warnings\nxs.append(d); d['new'] = xs; s.add(9); arr[:] = 7; node.name = 'new'; node.more = [node]\n"
    "df['c'] = df.a * 2; del gone; made = [df, xs, {'m': arr}]; os.environ['LUCK'] = 'bad'; random.random()\n"
    "def f(x): return x + len(xs)\nprint('said')\nf(1)"
)


def done(act: Callable[[], Any]) -> Any:
    status, result = in_fork(act)
    assert status == "done", result
    return result


def home(code: str = CODE, setup: str = SETUP) -> Ran:
    ran = run_in_sandbox(code, fresh_shell(setup) if setup else SHELL)
    assert ran.committable, (ran.report, ran.cannot)
    return ran


# --- all or nothing -------------------------------------------------------------------------------


def fails_at(line: int, error: type[BaseException] | OSError, ran: Ran) -> tuple[bool, int]:
    """Commit, with an error at one of the lines by which effects are put in place: whether it was committed, and how
    many lines there were."""
    count, within = 0, False

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal count, within
        if frame.f_code.co_name == "_apply" and event == "call":
            within = True
        if not within or "/effects/" not in frame.f_code.co_filename:
            return trace if not within else None
        if event == "return" and frame.f_code.co_name == "_apply":
            within = False
        if event == "line":
            count += 1
            if count == line:
                sys.settrace(None)
                raise error
        return trace

    sys.settrace(trace)
    try:
        commit(ran)
    except (CannotComeHome, KeyboardInterrupt) as raised:
        if isinstance(error, OSError) and "no space left" not in str(raised):
            raise
        return False, count
    finally:
        sys.settrace(None)
    return True, count


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt, OSError(errno.ENOSPC, "No space left on device")])
def test_an_error_in_the_middle_of_a_commit_takes_back_what_was_done(error: type[BaseException] | OSError) -> None:
    def act() -> None:
        ran = home()
        before, dice = state_of(SHELL), random.getstate()

        def try_at(line: int) -> tuple[bool, int, bool]:
            random.setstate(dice)  # a fork seeds it anew
            committed, count = fails_at(line, error, ran)
            return committed, count, state_of(SHELL) == before

        committed, lines, _ = done(lambda: try_at(0))
        assert committed
        assert lines > 100
        for line in range(1, lines + 1, max(1, lines // 12)):
            assert done(lambda line=line: try_at(line)) == (False, line, True)  # type: ignore[misc]

    done(act)


def test_memory_that_is_full_as_effects_come_home() -> None:
    def act() -> str:
        ran = home("big = np.ones(1 << 24); df['c'] = 1.0; xs.append(2)")
        before = state_of(SHELL)
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (memory_sizes()["VmSize"] + (8 << 20), hard))
        try:
            commit(ran)
        except CannotComeHome as error:
            said = str(error)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        assert state_of(SHELL) == before
        return said

    assert "too little memory" in done(act)


_LARGE = "import numpy as np\nxs.append(1)\nbig = np.ones(1 << 22)"


def test_files_that_may_not_grow_as_effects_are_written_down() -> None:
    def act() -> Any:
        fresh_shell(SETUP)
        before = state_of(SHELL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        with run_in_sandbox(_LARGE, SHELL) as ran:
            assert state_of(SHELL) == before
            return ran.report.status, ran.report.reason, ran.cannot, ran.committable

    status, reason, cannot, committable = done(act)
    assert (status, cannot, committable) == ("died", [], False)
    assert "no room for what the code made (File too large); free some, and ask again" in reason


def small_disk(folder: Path, megabytes: int) -> None:
    """Mount a small disk, for this process and those that it starts."""
    library = ctypes.CDLL(None, use_errno=True)
    for done_so in (
        library.unshare(0x20000),  # CLONE_NEWNS
        library.mount(b"none", b"/", None, 0x44000, None),  # MS_REC | MS_PRIVATE
        library.mount(b"none", os.fsencode(folder), b"tmpfs", 0, f"size={megabytes}m".encode()),
    ):
        if done_so != 0:
            raise PermissionError(ctypes.get_errno())


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (_LARGE, "no room for what the code made (No space left on device); free some, and ask again"),
        ("xs.append(int(large.sum()))", "No space left on device"),
    ],
)
def test_a_disk_that_is_full_as_a_worker_is_at_work(
    code: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WAY, "worker")

    def act() -> Any:
        try:
            small_disk(tmp_path, 8)
        except PermissionError:
            return None
        tempfile.tempdir = str(tmp_path)
        fresh_shell(SETUP + "\nlarge = np.ones(1 << 21)")
        before = state_of(SHELL)
        with run_in_sandbox(code, SHELL) as ran:
            assert state_of(SHELL) == before
            told = ran.report.status, ran.report.reason, ran.cannot, ran.committable
        with run_in_sandbox("xs.append(3)", SHELL) as ran:  # what was written is gone, and there is room again
            commit(ran)
        assert SHELL.user_ns["xs"][-1] == 3
        return told

    if (told := done(act)) is None:
        pytest.skip("only root may mount a disk")
    status, reason, cannot, committable = told
    assert status in ("died", "unavailable")
    assert (cannot, committable) == ([], False)
    assert said in reason


def test_what_fails_after_a_commit_costs_no_undo(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(act: Any) -> Any:
        raise MemoryError

    def act() -> None:
        ran = home()
        before = state_of(SHELL)
        monkeypatch.setattr(committing, "bound", lambda *_: lambda: broken(None))
        undo = commit(ran)
        assert SHELL.user_ns["made"]
        assert undo.restore() == []
        assert state_of(SHELL) == before

    done(act)


def test_no_descriptor_left_for_the_sandbox() -> None:
    def act() -> None:
        fresh_shell(SETUP)
        before = descriptors()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        used = max(map(int, os.listdir("/proc/self/fd")))
        for spare in (1, 4, 9, 11, 13, 15):
            resource.setrlimit(resource.RLIMIT_NOFILE, (used + spare, hard))
            with run_in_sandbox("x = 1", SHELL) as ran:
                assert ran.report.status in ("unavailable", "died", "passed"), ran.report
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            gc.collect()
            assert descriptors() == before, spare
        assert not descendants()

    done(act)


# --- deaths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("class D:\n    def __repr__(self):\n        import os\n        os._exit(4)\nd = D()", "exit code 4"),
        (
            "class D:\n    def __repr__(self):\n        import os\n        os.kill(os.getpid(), 11)\nd = D()",
            "crashed (segmentation fault)",
        ),
    ],
)
def test_a_death_as_effects_are_written_down_is_a_death(code: str, said: str) -> None:
    """And nothing that the user is asked to run in the notebook itself."""

    def act() -> Any:
        fresh_shell(SETUP)
        before = state_of(SHELL)
        with run_in_sandbox(code, SHELL) as ran:
            assert state_of(SHELL) == before
            return ran.report.status, ran.report.reason, ran.cannot, ran.committable

    status, reason, cannot, committable = done(act)
    assert (status, cannot, committable) == ("died", [], False)
    assert said in reason
    assert "while it wrote down" in reason


def test_a_copy_that_a_signal_stops_is_ended() -> None:
    def act() -> Any:
        fresh_shell(SETUP)
        began = time.monotonic()
        with run_in_sandbox("import os\nos.kill(os.getpid(), 19)", SHELL) as ran:
            return time.monotonic() - began, ran.report.status, ran.report.reason

    seconds, status, reason = done(act)
    assert seconds < 10
    assert status == "died"
    assert "a signal has stopped it" in reason


def test_stop_at_any_moment_of_the_preparation_leaves_nothing(tmp_path: Path) -> None:
    def act() -> None:
        tempfile.tempdir = str(tmp_path)
        fresh_shell(SETUP)
        with run_in_sandbox("x = 1", SHELL):
            pass
        before = descriptors()
        signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in range(12):
            signal.setitimer(signal.ITIMER_REAL, 0.0005 + number * 0.0013)
            try:
                with run_in_sandbox("while True: pass", SHELL, budget_seconds=5.0):
                    pass
            except KeyboardInterrupt:
                pass
            signal.setitimer(signal.ITIMER_REAL, 0)
            gc.collect()
            assert descriptors() == before
            assert not list(tmp_path.iterdir())
        assert not descendants()

    done(act)


# --- objects that fight back ----------------------------------------------------------------------

_AWFUL = """
import time
def bad(self, *arguments, **named):
    {act}
NAMES = ('__reduce__ __reduce_ex__ __eq__ __hash__ __setstate__ __getstate__ __repr__ __len__ __iter__ __bool__ '
         '__getattr__ __copy__ __deepcopy__ __dir__ __sizeof__ __format__ __index__ __array__').split()
Awful = type('Awful', (), dict.fromkeys(NAMES, bad) | {{'__module__': '__main__'}})
Worse = type('Worse', (Awful,), {{'__del__': bad, '__module__': '__main__'}})
awful, other, worse = Awful(), Awful(), Worse()
held = [awful, {{'x': worse}}]; box = {{}}; values = {{'k': awful}}
"""
_ACTS = {
    "raises": "raise RuntimeError",
    "sleeps": "time.sleep(60)",
    "lies": "return NotImplemented",
    "ends": "raise SystemExit",
}


@pytest.mark.parametrize("way", _ACTS)
def test_objects_whose_methods_do_what_they_should_not(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "held.append(worse); object.__setattr__(awful, 'mark', box); values['k'] = other; box['new'] = new = [other]"

    def act() -> None:
        monkeypatch.setattr("llmos_jupyter.effects.in_copy._SHOWING_SECONDS", 0.3)
        began = time.monotonic()
        undo = commit(home(code, SETUP + _AWFUL.format(act=_ACTS[way])), displayed=True)
        names = SHELL.user_ns
        awful, other = names["awful"], names["other"]
        assert names["held"][0] is awful
        assert names["held"][2] is names["worse"]
        assert names["box"]["new"] is names["new"]
        assert names["new"][0] is other
        assert object.__getattribute__(awful, "__dict__") == {"mark": names["box"]}
        assert names["values"]["k"] is other
        assert undo.restore() == []
        assert len(names["held"]) == 2
        assert names["box"] == {}
        assert object.__getattribute__(awful, "__dict__") == {}
        assert names["values"]["k"] is awful
        assert time.monotonic() - began < 20
        os._exit(7)  # `__del__` is the user's own, and may sleep here

    _status, said = in_fork(act)
    assert said == f"status {7 << 8}", said


def test_two_objects_that_hold_each_other() -> None:
    def act() -> None:
        code = "a, b = Node('a'), Node('b'); a.other, b.other = b, a; node.other = a; a.first = node\nxs.append(xs)"
        undo = commit(home(code))
        names = SHELL.user_ns
        assert names["a"].other is names["b"]
        assert names["b"].other is names["a"]
        assert names["node"].other.first is names["node"]
        assert names["xs"][-1] is names["xs"]
        undo.restore()
        assert vars(names["node"]) == {"name": "old"}
        assert len(names["xs"]) == 2

    done(act)


# --- kernels in which more goes on ----------------------------------------------------------------


def test_a_kernel_with_two_hundred_threads() -> None:
    def act() -> None:
        over, turns = threading.Event(), [0]

        def wait() -> None:
            while not over.wait(0.05):
                turns[0] += 1

        threads = [threading.Thread(target=wait, daemon=True) for _ in range(200)]
        for thread in threads:
            thread.start()
        try:
            commit(home())
            assert SHELL.user_ns["made"]
            seen = turns[0]
            time.sleep(0.3)
            assert turns[0] > seen
        finally:
            over.set()
            for thread in threads:
                thread.join()

    done(act)


def test_a_frame_that_a_thread_reads_all_the_time() -> None:
    def act() -> None:
        shell = fresh_shell(SETUP)
        frame, over, wrong = shell.user_ns["df"], threading.Event(), []

        def read() -> None:
            while not over.is_set():
                try:
                    if float(frame["a"].sum()) != 3.0:
                        wrong.append("a sum")
                except Exception as error:
                    wrong.append(repr(error))

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        try:
            for number in range(4):
                undo = commit(home(f"df['c{number}'] = df.a * 2; df.loc[2] = 0", ""))
                undo.restore()
                commit(home(f"df['c{number}'] = 'new'", ""))
        finally:
            over.set()
            thread.join()
        assert not wrong
        assert list(frame.columns) == ["a", "b", "c0", "c1", "c2", "c3"]

    done(act)


def test_a_debugger_does_not_come_along_into_the_sandbox() -> None:
    def act() -> None:
        shell = fresh_shell(SETUP)
        lines: list[str] = []
        shell.user_ns["lines"] = lines

        def trace(frame: Any, event: str, _: Any) -> Any:
            if "ipython-input" in frame.f_code.co_filename or frame.f_code.co_filename == "<cell>":
                lines.append(event)
                held.acquire()  # a debugger asks a thread of its own, which the copy has not
            return trace

        held = threading.Lock()
        held.acquire()
        sys.settrace(trace)
        threading.settrace(trace)
        try:
            ran = run_in_sandbox("def f(): return 5\nxs.append(f())", shell, budget_seconds=10.0)
            assert sys.gettrace() is trace
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]
        assert ran.committable, ran.report
        commit(ran)
        assert shell.user_ns["xs"][-1] == 5
        assert lines == []

    done(act)


def test_a_module_that_autoreload_reads_again(tmp_path: Path) -> None:
    module = tmp_path / "reloaded_here.py"
    module.write_text("def f():\n    return 'before'\n")

    def act() -> list[Any]:
        sys.path.insert(0, str(tmp_path))
        fresh_shell(f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport reloaded_here")
        for line in ("%load_ext autoreload", "%autoreload 2"):
            SHELL.run_cell(line).raise_error()
        module.write_text("def f():\n    return 'after, and longer'\n\ndef g():\n    return 1\n")
        os.utime(module, (time.time() + 5, time.time() + 5))
        # The cell that asks is a cell like any other: autoreload is at work before it.
        SHELL.run_cell("pass").raise_error()
        commit(home("said = [reloaded_here.f(), reloaded_here.g()]", ""))
        assert cell(SHELL, "again = reloaded_here.f()")[0]
        return [*SHELL.user_ns["said"], SHELL.user_ns["again"]]

    assert done(act) == ["after, and longer", 1, "after, and longer"]


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the module has another name")
def test_a_subinterpreter(tmp_path: Path) -> None:
    outside = tmp_path / "written"
    inner = f"open({str(outside)!r}, 'w')"
    code = (
        "import _xxsubinterpreters as interpreters\nother = interpreters.create()\n"
        f"try:\n    interpreters.run_string(other, {inner!r})\nexcept Exception: pass\nxs.append(3)"
    )

    def act() -> Any:
        shell = fresh_shell(SETUP)
        assert cell(shell, "import _xxsubinterpreters; own = int(_xxsubinterpreters.create())")[0]
        with run_in_sandbox("xs.append(5)", shell) as ran:
            commit(ran)
        with run_in_sandbox(code, shell) as ran:
            refused = [refusal.target for refusal in ran.refusals]
        return shell.user_ns["xs"][-1], refused

    last, refused = done(act)
    assert last == 5
    assert not outside.exists()
    assert refused == [str(outside)]
