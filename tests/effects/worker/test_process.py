"""Runs in a worker process with copies of variables: as a plain run, the lock included; and what cannot be copied."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmos_jupyter.effects.copy.kernel_copy import supported
from llmos_jupyter.effects.table import ScratchFiles
from llmos_jupyter.effects.transaction import WAY, commit, run_in_sandbox
from llmos_jupyter.effects.worker import process
from llmos_jupyter.sandbox.roots import forget_roots
from tests.effects.copy.shells import kernel
from tests.effects.processes import cell, fresh_shell, in_fork, plainly, shown_by, state_of, through_sandbox
from tests.effects.programs import PROGRAMS, Program
from tests.effects.test_kernel import PRELUDE, committed

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))

MIXED = Program(
    "variables of many kinds, changed in place",
    """
import collections, dataclasses, random, matplotlib.pyplot as plt
xs = [1]; also = xs; held = {"xs": xs, "none": None}
big = np.arange(200_000.0); window = big[10:20]; fortran = np.asfortranarray(np.arange(6.0).reshape(2, 3))
df = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": pd.Categorical(["u", "v"])}); same = df; column = df["a"]
Point = collections.namedtuple("Point", "x y")
@dataclasses.dataclass
class Person:
    name: str
    friends: list = dataclasses.field(default_factory=list)
    def meet(self, other): self.friends.append(other); return self
ann = Person("Ann"); bob = Person("Bob", [ann])
def counter():
    n = 0
    def count():
        nonlocal n
        n += 1
        return n
    return count
count = counter()
def total(values): return sum(values) + len(xs)
rng = np.random.default_rng(5); left = 3
np.random.seed(1); random.seed(2); pd.set_option("display.max_rows", 7); plt.rcParams["lines.linewidth"] = 3
""",
    """
import os
xs.append(total([1, 2])); held["new"] = held; big[5] = -1; window[0] = 7; fortran[1, 2] = 9
df["d"] = df.a * 2; df.loc[0, "b"] = "z"; ann.meet(bob); bob.name = "Robert"; count(); count()
drawn = [rng.random(), random.random(), np.random.rand()]; where = Point(1, [xs, also])
del left; ann.age = 5
def later(n, seen=xs): return n + count() + len(seen)
carol = Person("Carol", [bob]); os.environ["PROBE"] = "1"; rows = pd.get_option("display.max_rows")
print("printed", rows); display(df); df
""",
    "print(later(1), xs is also, same is df, where.y[0] is xs, bob.friends[0] is ann)\ndrawn, window",
)
PLOT = Program(
    "a plot",
    "import matplotlib.pyplot as plt\nys = [1, 4, 9]",
    "fig, ax = plt.subplots(); ax.plot(ys); ax.set_title('squares')",
    "ax.set_xlabel('n'); ax.get_title(), [line.get_ydata().tolist() for line in ax.lines]",
)
NAMES = ("options", "frame value set", "copy on write of new frames", "large array in fortran order")
SOME = [MIXED, PLOT, *(program for program in PROGRAMS if program.name in NAMES)]


@pytest.fixture(autouse=True)
def in_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WAY, "worker")


def done(act: Callable[[], Any]) -> Any:
    """What `act` returns in a fork."""
    status, found = in_fork(act)
    assert status == "done", found
    return found


@pytest.mark.parametrize("program", SOME, ids=[program.name.replace(" ", "-") for program in SOME])
def test_a_run_in_a_worker_is_as_a_plain_run(program: Program) -> None:
    plain, home = done(lambda: plainly(program)), done(lambda: through_sandbox(program))
    assert plain["success"]
    assert "cannot" not in home, (home["cannot"], home["report"])
    assert home["untouched"]
    assert home["state"] == plain["state"]
    assert home["shown"] == plain["shown"]
    assert home.get("then") == plain.get("then")
    assert home["undone"] == home["before"]


def tried(setup: str, *codes: str, then: str = "", **options: Any) -> list[dict[str, Any]]:
    """Reports of runs one after the other, each committed where it can be; whether nothing else touched the names."""

    def act() -> list[dict[str, Any]]:
        shell, reports = fresh_shell(setup), []
        forget_roots(shell)  # as if the notebook had been started in the folder that `setup` goes to
        for code in codes:
            before = state_of(shell)
            ran = run_in_sandbox(code, shell, **options)
            said = ran.report.model_dump(mode="json") | {"cannot": [str(why) for why in ran.cannot]}
            said["untouched"] = state_of(shell) == before
            if ran.committable:
                shown_by(shell, lambda ran=ran: commit(ran))
            reports.append(said)
        if then:
            reports.append({"then": cell(shell, then)})
        return reports

    found: list[dict[str, Any]] = done(act)
    return found


def test_it_is_locked_in(tmp_path: Path) -> None:
    target = tmp_path / "made.txt"
    code = f"open({str(target)!r}, 'w').write('x')"
    wrote, called = tried("", code, "import subprocess; subprocess.run(['true'])")
    assert "Landlock" in wrote["confinement"] or "seccomp" in wrote["confinement"]
    assert [wrote["status"], wrote["refusals"][0]["capability"]] == ["refused", "write files"]
    assert [called["status"], called["refusals"][0]["capability"]] == ["refused", "processes"]
    assert not target.exists()


def test_a_crash_leaves_the_names_alone() -> None:
    left, crashed, after = tried(
        "xs = [1]",
        "xs.append(2)\nimport os; os._exit(3)",
        "xs.append(2)\nimport ctypes; ctypes.string_at(0)",
        "xs += [5]",
    )
    assert [left["status"], left["reason"]] == ["died", "The worker process ended by itself with exit code 3."]
    assert [crashed["status"], crashed["reason"]] == ["died", "The worker process crashed (segmentation fault)."]
    assert left["untouched"]
    assert crashed["untouched"]
    assert after["status"] == "passed"


def test_errors_and_time() -> None:
    failed, long = tried("def f(n): return 1 / n", "f(0)", "while True: pass", budget_seconds=0.5)
    assert [failed["status"], failed["error"]["type"], failed["error"]["line"]] == ["failed", "ZeroDivisionError", 1]
    assert [long["status"], long["reason"]] == ["unfinished", "no error in the first 0.5 s"]
    assert long["untouched"]


def test_what_cannot_be_copied_is_told_by_name() -> None:
    setup = """
import sqlite3
con = sqlite3.connect(':memory:'); xs = [con]; n = 1
def query(): return con.execute('select 1').fetchall()
"""
    read, within, called, other, bound = tried(
        setup, "con.execute('select 1')", "len(xs)", "rows = query()", "m = n + 1", "con = None; del n"
    )
    reason = "`{}` ({}) cannot be copied to another process: it is an open connection to a database."
    assert [read["status"], read["reason"]] == ["unavailable", reason.format("con", "Connection")]
    assert [called["status"], called["reason"]] == ["unavailable", reason.format("con", "Connection")]
    assert within["status"] == "unavailable"
    assert within["reason"].startswith("`xs` (list) cannot be copied to another process: ")
    assert other["status"] == bound["status"] == "passed"
    assert {change["name"]: change["kind"] for change in bound["changes"]} == {"con": "rebound", "n": "deleted"}


def test_too_much_to_copy_is_told_before_it_is_copied() -> None:
    (ran,) = tried("big = np.zeros(1 << 21)", "big.sum()", memory_bytes=8 << 20)
    assert ran["status"] == "unavailable"
    assert "too little memory: `big` alone has 0.0 GB" in ran["reason"]


def test_modules_of_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("held = [1]\ndef double(n): return 2 * n + len(held)\n")
    setup = f"import os, sys; os.chdir({str(tmp_path)!r}); sys.path.insert(0, ''); import mine; from mine import double"
    used, changed = tried(setup, "four = double(2) + mine.double(0)", "mine.held.append(2)")
    assert [used["status"], used["cannot"]] == ["passed", []], used["reason"]
    assert changed["cannot"] == ["mine: a list in it changed, of which the notebook has another"]


def test_without_a_lock_it_says_so_and_only_what_is_harmless_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SYSTEM", "win32")
    (harmless,) = tried("n = 1", "n += 1", unlocked=True)
    assert [harmless["status"], harmless["cannot"]] == ["passed", []]
    assert harmless["confinement"].startswith("unlocked (this system has no lock): a process of its own")
    assert tried("", "n = 1")[0]["status"] == "unavailable"


def test_memory_is_watched_where_the_system_limits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SYSTEM", "win32")
    # Memory that Linux does not limit either, as it could be shared.
    code = "import mmap, time; held = mmap.mmap(-1, 1 << 28)\n"
    code += "for at in range(0, 1 << 28, 4096): held[at] = 1\ntime.sleep(20)"
    (ran,) = tried("", code, unlocked=True, memory_bytes=64 << 20)
    assert [ran["status"], ran["reason"]] == [
        "died",
        "The worker process was ended because it used more than 0.1 GB.",
    ]


INTERRUPTED = """
import os, signal, sys, threading, time
from IPython.core.interactiveshell import InteractiveShell
from llmos_jupyter.effects.transaction import run_in_sandbox
import psutil
shell = InteractiveShell.instance()
shell.history_manager.enabled = False
shell.user_ns["xs"] = [1]
def stop():
    while not [p for p in psutil.Process().children() if p.cpu_times().user > 1]: time.sleep(0.05)
    time.sleep(1)
    began.append(time.time())
    os.kill(os.getpid(), signal.SIGINT)
began = []
threading.Thread(target=stop, daemon=True).start()
try:
    run_in_sandbox("xs.append(2)\\nwhile True: pass", shell)
except KeyboardInterrupt:
    print("interrupted", time.time() - began[0] < 2, psutil.Process().children(), shell.user_ns["xs"])
"""


def test_an_interrupt_ends_the_worker_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "interrupted True [] [1]\n", done.stderr


def test_a_worker_ends_with_its_kernel() -> None:
    def act() -> int:
        shell = fresh_shell("")
        run_in_sandbox("n = 1", shell).close()
        spare = process._spare
        assert spare is not None
        assert spare.popen.poll() is None
        return spare.popen.pid

    pid, deadline = done(act), time.monotonic() + 10
    while time.monotonic() < deadline and _lives(pid):
        time.sleep(0.02)
    assert not _lives(pid)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


POLARS_SETUP = """
import datetime as dt, polars as pl
df = pl.DataFrame({
    "n": [1, None, 3], "f": [1.5, None, float("nan")], "s": ["x", "y", None], "l": [[1, 2], [], None],
    "d": [dt.date(2020, 1, 1), None, dt.date(2021, 1, 1)], "st": [{"p": 1}, {"p": None}, {"p": 3}],
    "b": [True, None, False],
    "t": [dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)] * 3, "du": [dt.timedelta(1)] * 3, "ti": [dt.time(1, 2)] * 3,
    "c": pl.Series(["u", "v", "u"], dtype=pl.Categorical), "e": pl.Series(["u", "v", "u"], dtype=pl.Enum(["u", "v"])),
})
same = df; ser = df["n"]; before = df.clone()
"""


POLARS = f"""
import json
from llmos_jupyter.effects.transaction import commit, run_in_sandbox
from tests.effects.processes import fresh_shell, shown_by
shell = fresh_shell({POLARS_SETUP!r})
code = "sums = df.group_by('c').agg(pl.col('n').sum()).sort('n'); ser[0] = 9\\n"
code += "df.insert_column(0, pl.Series('i', [1, 2, 3])); df"
ran = run_in_sandbox(code, shell)
assert ran.committable, (ran.report, ran.cannot)
undo, _ = shown_by(shell, lambda: commit(ran))
ns = shell.user_ns
home = ns["df"].drop("i")
found = [ns["same"] is ns["df"], home.equals(ns["before"]), home.schema == ns["before"].schema]
found += [ns["sums"].rows(), ns["ser"].to_list()]
undo.restore()
lazy = run_in_sandbox("plan = df.lazy()", shell)
told = [ran.report.confinement, found, ns["df"].equals(ns["before"]), ns["ser"].to_list(), str(lazy.cannot[0])]
print(json.dumps(told))
"""


def test_polars_goes_to_a_worker_and_comes_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of its own: other tests may have started polars' threads here, which no fork can copy."""
    pytest.importorskip("polars")
    monkeypatch.delenv(WAY)
    words = [sys.executable, "-c", POLARS]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    confinement, found, undone, series, lazy = json.loads(ended.stdout.splitlines()[-1])
    assert "a process of its own" in confinement
    assert found == [True, True, True, [["v", 0], ["u", 4]], [9, None, 3]]
    assert undone
    assert series == [1, None, 3]
    assert lazy.startswith("plan: ")


def test_in_a_notebook_outputs_are_as_a_cells() -> None:
    with kernel() as notebook:
        notebook.run(PRELUDE)
        notebook.run("import pandas as pd; df = pd.DataFrame({'a': [1, 2]}); x = [1]")
        committed(notebook, "df['b'] = df.a * 2\nx.append(_ if '_' in globals() else 0)\ndf")
        results = [m["content"]["data"] for m in notebook.messages if m["msg_type"] == "execute_result"]
        assert "<table" in results[0]["text/html"]
        assert notebook.run("df.b.tolist(), x, Out[max(Out)] is df") == "([2, 4], [1, ''], True)"
        assert "a process of its own" in notebook.run("run_in_sandbox('1', get_ipython()).report.confinement")
        committed(notebook, "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot(df.a)\nplt.show()")
        pictures = [m for m in notebook.messages if m["msg_type"] == "display_data"]
        assert ["image/png" in picture["content"]["data"] for picture in pictures] == [True]
        committed(notebook, "ax.set_title('t')\nfig")
        assert notebook.run("ax.get_title(), len(ax.lines), plt.get_fignums()") == "('t', 1, [])"
        committed(notebook, "import asyncio\nasync def f(): return 3\nz = await f()\ndef g(n): return n + z")
        assert notebook.run("g(1), await f()") == "(4, 3)"


def test_files_in_a_folder_are_closed_and_gone_with_their_object(tmp_path: Path) -> None:
    files = ScratchFiles(str(tmp_path), "sent")
    descriptors = list(files.fds)
    assert len(list(tmp_path.iterdir())) == len(descriptors) > 0
    del files
    for descriptor in descriptors:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
    assert not list(tmp_path.iterdir())
