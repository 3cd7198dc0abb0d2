"""Rehearsals in a real IPython shell: what they report, and that the parent stays as it was."""

from __future__ import annotations

import asyncio
import itertools
import mmap
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from multiprocessing import shared_memory
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmos_jupyter.effects.copy.forkable import fork_hazard
from llmos_jupyter.effects.copy.kernel_copy import supported
from llmos_jupyter.protocol import Rehearsal
from tests.effects.copy.shells import (
    capabilities,
    changes,
    descendants,
    descriptors,
    leftovers,
    rehearse,
    shell_with,
)
from tests.examples import examples

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))


def report(code: str, names: dict[str, Any] | None = None, **options: Any) -> Rehearsal:
    return rehearse(code, shell_with(**(names or {})), **options)


# --- what is reported -----------------------------------------------------------------------------


def test_passed() -> None:
    shell = shell_with(df=pd.DataFrame({"a": [1, 2]}), old=1)
    done = rehearse("df['ratio'] = df.a / 2\nnew = 1\nold = 2\nprint('hello')\nnew", shell)
    assert done.status == "passed"
    assert done.error is None
    assert done.output == "hello\n1\n"
    assert changes(done) == {"df": "mutated", "old": "rebound", "new": "created"}
    assert next(c for c in done.changes if c.name == "df").detail == "+1 column: ratio"
    assert 0 < done.seconds < 5
    assert "seccomp" in done.confinement
    assert list(shell.user_ns["df"].columns) == ["a"]
    assert "new" not in shell.user_ns
    assert shell.user_ns["old"] == 1


def test_failed_tells_the_line() -> None:
    done = report("x = 1\ndef f(v):\n    return v + missing\n\nf(x)")
    assert done.status == "failed"
    assert done.error is not None
    assert (done.error.type, done.error.line, done.error.source) == ("NameError", 3, "return v + missing")
    assert done.error.message == "name 'missing' is not defined"
    assert done.error.traceback.splitlines() == [
        "Traceback (most recent call last):",
        "  line 5: f(x)",
        "  line 3, in f: return v + missing",
        "NameError: name 'missing' is not defined",
    ]


def test_failed_in_a_library_shows_its_last_frame() -> None:
    done = report("import json\njson.loads('{')")
    assert done.error is not None
    assert done.error.line == 2
    assert "json/decoder.py" in done.error.traceback
    assert "\x1b" not in done.error.traceback


@pytest.mark.parametrize(
    ("code", "kind", "line"),
    [
        ("x = 1\ny = = 2", "SyntaxError", 2),
        ("if True:\nx = 1", "IndentationError", 2),
        ("%nosuchmagic", "UsageError", 1),
        ("%%time\nx = 1\n1 / 0", "ZeroDivisionError", 3),
        ("raise ValueError", "ValueError", 1),
        ("raise PermissionError('mine')", "PermissionError", 1),
        ("raise PermissionError(13, 'mine')", "PermissionError", 1),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", 1),
        ("open('/no/such/file')", "FileNotFoundError", 1),
        ("open('/no/such/folder/file', 'w')", "FileNotFoundError", 1),
        ("import os\nos.close(999999)", "OSError", 2),
        ("import nosuchmodule", "ModuleNotFoundError", 1),
        ("async def f():\n    1 / 0\nawait f()", "ZeroDivisionError", 2),
        ("class E(Exception):\n    def __str__(self): 1 / 0\nraise E", "E", 3),
        ("bytearray(1 << 50)", "MemoryError", 1),
    ],
)
def test_failures(code: str, kind: str, line: int) -> None:
    done = report(code)
    assert done.status == "failed", done
    assert done.error is not None
    assert (done.error.type, done.error.line) == (kind, line)


@pytest.mark.parametrize(
    ("code", "capability", "words"),
    [
        ("open('/tmp/llmos-x', 'w')", "write files", "/tmp/llmos-x"),
        ("df.to_csv('/tmp/llmos-x.csv')", "write files", "/tmp/llmos-x.csv"),
        ("df.to_pickle('llmos-x.pkl')", "write files", "llmos-x.pkl"),
        ("np.save('/tmp/llmos-x', np.ones(2))", "write files", "/tmp/llmos-x.npy"),
        ("import pathlib\npathlib.Path('/tmp/llmos-x').write_text('x')", "write files", "/tmp/llmos-x"),
        ("import os\nos.makedirs('/tmp/llmos-x/y')", "write files", "/tmp/llmos-x"),
        ("import os\nos.remove('/etc/hostname')", "write files", "/etc/hostname"),
        ("import shutil\nshutil.rmtree('/usr/share')", "write files", "delete /usr/share"),
        ("import sqlite3\nsqlite3.connect('/tmp/llmos-x.db').execute('create table t(a)')", "write files", "x.db"),
        ("%%writefile /tmp/llmos-x\nhello", "write files", "/tmp/llmos-x"),
        ("import socket\nsocket.create_connection(('127.0.0.1', 9))", "network", "127.0.0.1:9"),
        ("import urllib.request\nurllib.request.urlopen('http://localhost:9/x')", "network", "http://localhost:9/x"),
        ("pd.read_csv('https://example.invalid/a.csv')", "network", "example.invalid"),
        ("import http.client\nhttp.client.HTTPConnection('example.invalid').request('GET', '/')", "network", "example"),
        ("import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
         "network", "127.0.0.1:9"),
        ("import subprocess\nsubprocess.run(['git', 'status'])", "processes", "git status"),
        ("import subprocess\nsubprocess.check_output('ls -l', shell=True)", "processes", "ls -l"),
        ("!ls -l", "processes", "ls -l"),
        ("x = !ls -l", "processes", "ls -l"),
        ("import os\nos.fork()", "processes", "process"),
        ("import os\nos.execv('/bin/ls', ['ls'])", "processes", "ls"),
        ("import multiprocessing\nmultiprocessing.Pool(2)", "processes", "process"),
        ("from concurrent.futures import ProcessPoolExecutor as P\nlist(P(1).map(abs, [1]))", "processes", "process"),
        ("import os\nos.kill(os.getppid(), 9)", "processes", "signal 9"),
        ("!pip install nothing", "install packages", "pip install nothing"),
        ("%pip install nothing", "install packages", "pip install nothing"),
        ("import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pip', 'install', 'x'], check=True)",
         "install packages", "pip install x"),
        ("input('Your name? ')", "ask for input", "Your name?"),
        ("import sys\nsys.stdin.readline()", "ask for input", "input"),
        ("import getpass\ngetpass.getpass()", "ask for input", "input"),
        ("exit()", "end the kernel", "exit"),
        ("quit()", "end the kernel", "exit"),
        ("import sys\nsys.exit(3)", "end the kernel", "exit"),
        ("try:\n    open('/tmp/llmos-x', 'w')\nexcept OSError as e:\n    raise RuntimeError('no') from e",
         "write files", "/tmp/llmos-x"),
    ],
)  # fmt: skip
def test_refused(code: str, capability: str, words: str) -> None:
    done = report(code, {"df": pd.DataFrame({"a": [1]}), "np": np, "pd": pd})
    assert done.status == "refused", done
    assert any(r.capability.value == capability and words in r.what for r in done.refusals), done.refusals


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("try:\n    open('/tmp/llmos-x', 'w')\nexcept OSError:\n    pass", "passed"),
        ("try:\n    open('/tmp/llmos-x', 'w')\nexcept OSError:\n    pass\nmissing", "failed"),
        ("try:\n    open('/tmp/llmos-x', 'w')\nexcept OSError:\n    missing", "failed"),
        ("try:\n    open('/tmp/llmos-x', 'w')\nexcept OSError:\n    pass\nopen('/no/such')", "failed"),
        ("import os\nos.system('true')", "passed"),
    ],
)
def test_swallowed_refusals_are_listed(code: str, status: str) -> None:
    done = report(code)
    assert done.status == status
    assert len(done.refusals) == 1


@pytest.mark.parametrize(
    "code",
    [
        "import tempfile\nwith tempfile.NamedTemporaryFile('w+') as f:\n    f.write('x')",
        "import tempfile, pathlib\nwith tempfile.TemporaryDirectory() as d:\n    pathlib.Path(d, 'a').write_text('x')",
        "import asyncio\nawait asyncio.sleep(0)",
        "import asyncio\nawait asyncio.gather(*[asyncio.to_thread(abs, -1) for _ in range(3)])",
        "import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()",
        "import sqlite3\nsqlite3.connect(':memory:').execute('create table t(a)')",
        "open('/dev/null', 'w').write('x')",
        "import io\nio.StringIO().write('x')",
        "open('/etc/hostname').read()",
        "import os\nos.makedirs('/tmp', exist_ok=True)",
    ],
)
def test_harmless_code_is_not_accused(code: str) -> None:
    done = report(code)
    assert (done.status, done.refusals) == ("passed", []), done


def test_refusals_are_few_and_told_once() -> None:
    done = report(
        "for i in range(100):\n    for _ in range(2):\n"
        "        try: open(f'/tmp/llmos-{i}', 'w')\n        except OSError: pass"
    )
    assert len(done.refusals) == 20
    assert len({refusal.what for refusal in done.refusals}) == 20


def test_unfinished_keeps_what_came_before() -> None:
    code = (
        "import time\nprint('first')\ntry: open('/tmp/llmos-x', 'w')\nexcept OSError: pass\n"
        "print('second')\ntime.sleep(60)"
    )
    started = time.monotonic()
    done = report(code, budget_seconds=0.7)
    assert time.monotonic() - started < 30  # and not the candidate's 60
    assert done.status == "unfinished"
    assert done.reason == "no error in the first 0.7 s"
    assert capabilities(done) == ["write files"]
    assert done.output == "first\nsecond\n"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os\nos._exit(3)", "exit code 3"),
        ("import os\nos.abort()", "SIGABRT"),
        ("import ctypes\nctypes.string_at(0)", "segmentation fault"),
        ("import os\nos.kill(os.getpid(), 9)", "killed"),
    ],
)
def test_died(code: str, words: str) -> None:
    done = report(code)
    assert done.status == "died"
    assert words in done.reason


def test_leaving_the_process_is_told() -> None:
    assert capabilities(report("import os\nos._exit(0)")) == ["end the kernel"]


def test_memory_limit() -> None:
    done = report("x = bytearray(400 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1", memory_bytes=100 << 20)
    assert done.status == "failed"
    assert done.error is not None
    assert done.error.type == "MemoryError"
    assert "0.1 GB" in done.reason


def test_peak_memory() -> None:
    done = report("x = b'1' * (200 << 20)\ndel x")
    assert 190 << 20 < done.peak_bytes < 260 << 20
    assert report("1").peak_bytes < 20 << 20


def test_a_million_prints_are_cut_in_the_middle() -> None:
    done = report("for i in range(1_000_000): print(i)", budget_seconds=20)
    assert done.status == "passed"
    assert done.seconds < 10
    assert len(done.output) < 70_000
    assert done.output.startswith("0\n1\n2\n")
    assert done.output.endswith("999999\n")
    assert "characters left out" in done.output


def test_progress_bars_and_colours() -> None:
    code = (
        "import sys\nfor i in range(3): print(f'\\r{i}/3', end='', file=sys.stderr)\nprint('\\n\\x1b[31mred\\x1b[0m')"
    )
    assert report(code).output == "2/3\nred\n"


def test_display_is_plain_text() -> None:
    methods = "def __repr__(self): return 'plain'\n    def _repr_html_(self): return '<b>rich</b>'"
    code = f"class A:\n    {methods}\ndisplay(A())\nA()"
    assert report(code).output == "plain\nplain\n"


def test_nothing_but_the_last_expression_of_empty_code() -> None:
    assert report("").status == "passed"
    assert report("# only words").status == "passed"


# --- the parent stays as it was -------------------------------------------------------------------


def test_random_states_are_the_same_and_are_used() -> None:
    random.seed(5)
    np.random.seed(5)
    states = random.getstate(), str(np.random.get_state())
    names = {"random": random, "np": np}
    done = report("print(random.random(), np.random.rand())", names)
    assert (random.getstate(), str(np.random.get_state())) == states
    assert done.output.split() == [str(random.random()), str(np.random.rand())]


def test_iterators_offsets_filters_and_history(tmp_path: Path) -> None:
    path = tmp_path / "read"
    path.write_text("one\ntwo\n")
    counter, generator = itertools.count(), (i for i in range(9))
    with path.open() as file, path.open("rb", buffering=0) as raw:
        shell = shell_with(counter=counter, generator=generator, file=file, raw=raw)
        shell.run_cell("7", store_history=True)
        before = (
            list(warnings.filters),
            shell.execution_count,
            dict(shell.user_ns["Out"]),
            list(shell.user_ns["In"]),
            shell.user_ns["_"],
            dict(os.environ),
            sys.stdout,
            signal.getsignal(signal.SIGINT),
        )
        done = rehearse("next(counter), next(generator), file.readline(), raw.read(3)\n99", shell)
        assert done.status == "passed"
        assert (next(counter), next(generator), file.readline(), raw.read(3)) == (0, 0, "one\n", b"one")
        after = (
            list(warnings.filters),
            shell.execution_count,
            dict(shell.user_ns["Out"]),
            list(shell.user_ns["In"]),
            shell.user_ns["_"],
            dict(os.environ),
            sys.stdout,
            signal.getsignal(signal.SIGINT),
        )
        assert after == before


def test_open_files_are_not_written(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as log, path.open("r+b", buffering=0) as raw:
        log.write("parent ")
        names = {"log": log, "raw": raw}
        flushed = report("log.write('child'); log.flush()", names)
        kept = report("log.write('child')", names)
        direct = report("raw.write(b'child')", names)
        assert flushed.status == direct.status == "refused"
        assert capabilities(direct) == ["write files"]
        assert str(path) in direct.refusals[0].what
        assert kept.status == "passed"
        log.write("again")
    assert path.read_text() == "parent again"


def test_a_buffered_write_to_an_open_file_is_told(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        done = report("log.write('child')", {"log": log})
    assert capabilities(done) == ["write files"]
    assert (tmp_path / "log").read_text() == ""


def test_sqlite_connection(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "db")
    connection.execute("create table t(a)")
    connection.commit()
    done = report("con.execute('insert into t values (1)'); con.commit()", {"con": connection})
    assert done.status == "refused"
    assert capabilities(done) == ["write files"]
    read = report("print(con.execute('select count(*) from t').fetchone())", {"con": connection})
    assert read.output == "(0,)\n"
    connection.execute("insert into t values (2)")
    connection.commit()
    assert connection.execute("select a from t").fetchall() == [(2,)]
    connection.close()


def test_memory_maps_and_shared_memory(tmp_path: Path) -> None:
    mapped = np.memmap(tmp_path / "map", dtype="u1", mode="w+", shape=100_000)
    mapped[:] = 1
    mapped.flush()
    shared = shared_memory.SharedMemory(create=True, size=100_000)
    anonymous = mmap.mmap(-1, 100_000)
    try:
        shared.buf[0] = anonymous[0] = 1
        names = {"mapped": mapped, "shared": shared, "anonymous": anonymous}
        code = "mapped[5] = 9; mapped.flush(); shared.buf[0] = 9; anonymous[0] = 9\nprint(mapped[4:6], shared.buf[0])"
        done = report(code, names)
        assert done.status == "passed", done
        assert done.output == "[1 9] 9\n"
        assert changes(done) == {"mapped": "mutated"}
        assert (int(mapped[5]), shared.buf[0], anonymous[0]) == (1, 1, 1)
        assert set((tmp_path / "map").read_bytes()) == {1}
    finally:
        shared.close()
        shared.unlink()


def test_locks_held_by_other_threads() -> None:
    lock, release = threading.Lock(), threading.Event()

    def hold() -> None:
        with lock:
            release.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert report("x = 1", {"lock": lock}).status == "passed"
        assert report("lock.acquire()", {"lock": lock}, budget_seconds=0.5).status == "unfinished"
    finally:
        release.set()
        holder.join()


def test_within_a_running_event_loop() -> None:
    shell = shell_with()

    async def cell() -> tuple[Rehearsal, list[int]]:
        ticks: list[int] = []

        async def tick() -> None:
            for i in range(3):
                ticks.append(i)
                await asyncio.sleep(0.01)

        task = asyncio.create_task(tick())
        done = rehearse("import asyncio\nawait asyncio.sleep(0.01)\nx = 5", shell)
        await task
        return done, ticks

    done, ticks = asyncio.run(cell())
    assert done.status == "passed"
    assert changes(done) == {"asyncio": "created", "x": "created"}
    assert ticks == [0, 1, 2]


def test_many_rehearsals_leave_nothing() -> None:
    shell = shell_with()
    rehearse("x = 1", shell)
    before, threads, children = descriptors(), threading.active_count(), descendants()
    for number in range(examples(200)):
        assert rehearse("x = 1" if number % 10 else "import os; os._exit(1)", shell).status in ("passed", "died")
    assert descriptors() == before
    assert threading.active_count() == threads
    assert descendants() == children
    assert not leftovers()


def test_an_interrupt_ends_the_copy_at_once() -> None:
    shell = shell_with()
    before, children = descriptors(), descendants()
    threading.Timer(0.5, signal.raise_signal, [signal.SIGINT]).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        rehearse("while True: pass", shell, budget_seconds=30)
    assert time.monotonic() - started < 10  # and not when its budget ends
    assert descendants() == children
    assert not leftovers()
    assert descriptors() == before
    assert rehearse("1", shell).status == "passed"


def test_interrupts_at_any_moment_leave_nothing() -> None:
    shell, children = shell_with(), descendants()
    for number in range(30):
        signal.setitimer(signal.ITIMER_REAL, 0.001 + number * 0.004)
        usual = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
        try:
            rehearse("while True: pass", shell, budget_seconds=20)
        except KeyboardInterrupt:
            pass
        finally:
            signal.signal(signal.SIGALRM, usual)
        assert descendants() == children
    assert not leftovers()


def test_from_another_thread() -> None:
    shell, found = shell_with(), []
    thread = threading.Thread(target=lambda: found.append(rehearse("x = 1", shell)))
    thread.start()
    thread.join(20)
    assert found[0].status == "passed"


def test_a_gigabyte_costs_little() -> None:
    shell = shell_with(big=np.ones(1 << 30, "u1"), frame=pd.DataFrame(np.ones((1_000_000, 20))))
    started = time.perf_counter()
    done = rehearse("big[5] = 2; frame.iloc[5, 3] = 7", shell)
    seconds = time.perf_counter() - started
    assert done.status == "passed", done
    assert changes(done) == {"big": "mutated", "frame": "mutated"}
    assert done.reason == ""
    assert seconds < 3  # 0.15 s on an idle machine
    assert (shell.user_ns["big"][5], shell.user_ns["frame"].iloc[5, 3]) == (1, 1)
    assert changes(rehearse("big.sum(), frame.sum()", shell)) == {}


def test_a_library_that_cannot_fork_is_found_wherever_it_is_used() -> None:
    pl = pytest.importorskip("polars")
    shell = shell_with(pl=pl, frame=pl.DataFrame({"a": [1]}), f=None)
    shell.run_cell("def total(x): return frame.sum()")
    for code in ("frame.sum()", "pl.DataFrame()", "import polars", "total(1)", "[frame][0]"):
        assert "polars" in (fork_hazard(code, shell.user_ns) or "")
    assert fork_hazard("x = 1", shell.user_ns) is None


def test_a_platform_without_a_lock_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    from llmos_jupyter.effects.copy import kernel_copy as rehearsal
    from llmos_jupyter.sandbox import lock

    monkeypatch.setattr(lock, "unsupported", lambda: "No lock here.")
    monkeypatch.setattr(rehearsal, "_fork_quietly", lambda: pytest.fail("forked all the same"))
    done = report("x = 1")
    assert (done.status, done.reason) == ("unavailable", "No lock here.")


def test_a_lock_that_does_not_hold_is_unavailable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from llmos_jupyter.sandbox import lock

    monkeypatch.setattr(lock, "lock", lambda *args: lock.Lock(0, False))
    done = report(f"open({str(tmp_path / 'f')!r}, 'w')")
    assert done.status == "unavailable"
    assert "does not hold" in done.reason
    assert not (tmp_path / "f").exists()
    assert not leftovers()


def test_a_forged_report_is_not_believed() -> None:
    line = '{"event": "end"}\\n'
    code = f"import os\nfor fd in range(3, 1024):\n    try: os.write(fd, b'{line}')\n    except OSError: pass"
    done = report(code)
    assert done.status == "died"
    assert "could not be read" in done.reason


def test_a_failing_fork_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    from llmos_jupyter.effects.copy import kernel_copy as rehearsal

    def fail() -> int:
        raise OSError(12, "Cannot allocate memory")

    before = descriptors()
    monkeypatch.setattr(rehearsal, "_fork_quietly", fail)
    done = report("x = 1")
    assert done.status == "unavailable"
    assert "Cannot allocate memory" in done.reason
    assert descriptors() == before


WITHOUT_FORK = """
import os, select, signal, sys
import IPython, pandas, psutil, pydantic, httpx, threadpoolctl
from IPython.core.interactiveshell import InteractiveShell
for name in ("fcntl", "resource", "termios"):
    sys.modules[name] = None
for name in ("fork", "getuid", "register_at_fork"):
    delattr(os, name)
for name in ("setitimer", "getitimer", "ITIMER_REAL", "SIGKILL", "SIGALRM"):
    delattr(signal, name)
from llmos_jupyter.agent.answering import loop
from llmos_jupyter.agent.undo import history as undo
from llmos_jupyter.agent.run.running import Rights
from llmos_jupyter.effects.transaction import run_in_sandbox
shell = InteractiveShell()
Rights.of(shell)
with run_in_sandbox("x = 1", shell) as ran:
    print(ran.report.status, ran.report.reason)
"""


def test_a_system_that_cannot_fork_has_everything_else() -> None:
    """As on Windows, whose Python lacks these modules and functions."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_FORK], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("unavailable The sandbox of forks needs Linux"), done.stderr[-2000:]
