"""The guard in a real shell: what a held run may not do, what it may, and what it leaves behind."""

from __future__ import annotations

import atexit
import gc
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from llmos_jupyter.agent import guard
from llmos_jupyter.agent.capabilities import Grants, level
from llmos_jupyter.agent.execution import execute
from llmos_jupyter.agent.rehearsal import rehearse
from llmos_jupyter.protocol import Run
from llmos_jupyter.sandbox import lock, roots


@pytest.fixture(autouse=True)
def names_of_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that a candidate compiled as "<string>" must not be taken for what other tests compile so."""
    monkeypatch.setattr(guard, "_files", {})


class Scene:
    """A folder of files outside the working directory, a listener that counts, and a shell."""

    def __init__(self, folder: Path) -> None:
        self.outside = folder / "outside"
        self.outside.mkdir()
        (self.outside / "a").write_text("kept")
        self.work = folder / "work"
        self.work.mkdir()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.2)
        self.shell = InteractiveShell.instance()
        self.shell.reset(new_session=False)
        self.shell.user_ns.update(OUT=str(self.outside), PORT=self.listener.getsockname()[1])
        self.grants = Grants()
        self.written: list[str] = []

    def run(self, code: str) -> tuple[Run, guard.Hold]:
        with guard.held(self.grants, self.shell, self.written.append) as hold:
            run = execute(code, self.shell, [])
        return hold.verdict(run), hold

    def untouched(self) -> bool:
        try:
            self.listener.accept()
        except TimeoutError:
            pass
        else:
            return False
        return [p.name for p in self.outside.iterdir()] == ["a"] and (self.outside / "a").read_text() == "kept"

    def __getitem__(self, name: str) -> Any:
        return self.shell.user_ns[name]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    # Outside the temporary folder, where new files are anybody's.
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    scene = Scene(tmp_path)
    monkeypatch.chdir(scene.work)
    roots.forget_roots(scene.shell)
    yield scene
    scene.listener.close()


STOPPED = [
    ("open(f'{OUT}/a', 'w').write('x')", "write files"),
    ("open(f'{OUT}/a', 'r+')", "write files"),
    ("open('new.txt', 'w').write('x')", "write files"),
    ("import os\nos.open(f'{OUT}/a', os.O_WRONLY | os.O_TRUNC)", "write files"),
    ("from pathlib import Path\nPath(OUT, 'b').write_text('x')", "write files"),
    ("import os\nos.remove(f'{OUT}/a')", "write files"),
    ("import os\nos.rename(f'{OUT}/a', f'{OUT}/b')", "write files"),
    ("import os\nos.mkdir(f'{OUT}/d')", "write files"),
    ("import os\nos.chmod(f'{OUT}/a', 0)", "write files"),
    ("import os\nos.utime(f'{OUT}/a', (0, 0))", "write files"),
    ("import os\nos.truncate(f'{OUT}/a', 0)", "write files"),
    ("import os\nos.symlink('/etc/passwd', f'{OUT}/l')", "write files"),
    ("import os\nos.symlink(f'{OUT}', 'l')", "write files"),
    ("import os, tempfile\nd = tempfile.mkdtemp()\nos.link(f'{OUT}/a', d + '/l')", "write files"),
    (
        "import os, tempfile\nd = tempfile.mkdtemp()\nos.symlink(f'{OUT}/a', d + '/l')\nopen(d + '/l', 'w')",
        "write files",
    ),
    ("import os\nfd = os.open(OUT, 0)\nos.unlink('a', dir_fd=fd)", "read files"),
    ("import shutil\nshutil.rmtree(OUT, ignore_errors=True)", "read files"),
    ("import shutil\nshutil.copy('/etc/hosts', f'{OUT}/a')", "write files"),
    ("import sqlite3\nsqlite3.connect(f'{OUT}/db')", "write files"),
    ("import logging\nlogging.FileHandler(f'{OUT}/log')", "write files"),
    ("import numpy as np\nnp.save(f'{OUT}/n', [1])", "write files"),
    ("import pandas as pd\npd.DataFrame({'a': [1]}).to_csv(f'{OUT}/c.csv')", "write files"),
    ("import os\nos.chdir(OUT)\nopen('a', 'w')", "write files"),
    ("open(f'{OUT}/a').read()", "read files"),
    ("open('/etc/passwd').read()", "read files"),
    ("import os\nos.listdir(OUT)", "read files"),
    ("open('/proc/self/environ').read()", "read files"),
    ("open('/proc/self/root/etc/passwd').read()", "read files"),
    ("import socket\nsocket.create_connection(('127.0.0.1', PORT))", "network"),
    ("import socket\nsocket.gethostbyname('localhost')", "network"),
    ("import socket\ns = socket.socket(2, 2)\ns.sendto(b'x', ('127.0.0.1', PORT))", "network"),
    ("import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 0))", "network"),
    ("import urllib.request\nurllib.request.urlopen(f'http://127.0.0.1:{PORT}/')", "network"),
    ("import asyncio\nawait asyncio.open_connection('127.0.0.1', PORT)", "network"),
    ("import subprocess\nsubprocess.run(['true'])", "start processes"),
    ("import os\nos.system('true')", "start processes"),
    ("!true", "start processes"),
    ("import os\nos.posix_spawn('/bin/true', ['true'], {})", "start processes"),
    ("import os\nif os.fork() == 0: os._exit(0)", "start processes"),
    ("import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pip', 'install', 'x'])", "install packages"),
    ("import os\nos.kill(os.getpid(), 15)", "end the kernel"),
    ("import os\nos.kill(1, 9)", "start processes"),
    ("import os\nos._exit(3)", "end the kernel"),
    ("import sys\nsys.addaudithook(print)", "change the kernel"),
    ("import gc\ngc.get_objects()", "change the kernel"),
    ("import ctypes\nctypes.CDLL(None)", "change the kernel"),
    ("import _thread\n_thread.start_new_thread(open, (f'{OUT}/a', 'w'))", "start processes"),
]


def _spoken(capability: str) -> str:
    return {"start processes": "processes"}.get(capability, capability)


@pytest.mark.parametrize(("code", "capability"), STOPPED)
def test_what_nobody_granted_is_stopped_and_told(scene: Scene, code: str, capability: str) -> None:
    run, hold = scene.run(code)
    assert [refusal.capability.value for refusal in hold.stopped][:1] == [_spoken(capability)]
    assert run.status == "failed"
    assert run.error is not None
    assert run.error.type == "NotAllowed"
    assert scene.untouched()
    assert list(scene.work.iterdir()) == []
    os.chdir(scene.work)


@pytest.mark.parametrize(("code", "capability"), [c for c in STOPPED if "await" not in c[0] and "!" not in c[0]])
def test_a_swallowed_refusal_is_a_failed_run(scene: Scene, code: str, capability: str) -> None:
    body = "\n".join("    " + line for line in code.splitlines())
    run, hold = scene.run(f"try:\n{body}\nexcept BaseException:\n    pass")
    assert hold.stopped
    assert run.status == "failed"
    assert scene.untouched()
    os.chdir(scene.work)


FREE = [
    "open('data.csv').read()",
    "import os\nos.listdir('.')",
    "import tempfile\nwith tempfile.NamedTemporaryFile('w+') as f: f.write('x')",
    "import tempfile\nwith tempfile.TemporaryDirectory() as d: open(d + '/x', 'w').write('y')",
    "import asyncio\nawait asyncio.sleep(0)",
    "import asyncio\nasyncio.new_event_loop().close()",
    "import threading\nt = threading.Thread(target=print)\nt.start(); t.join()",
    "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(2) as p: list(p.map(abs, [1]))",
    "import sqlite3\nsqlite3.connect(':memory:').execute('select 1')",
    "open('/dev/null', 'w').write('x')",
    "import platform\nplatform.processor(), platform.platform()",
    "import psutil\npsutil.virtual_memory(), psutil.cpu_count(), psutil.Process().memory_info()",
    "from zoneinfo import ZoneInfo\nimport datetime\ndatetime.datetime.now(ZoneInfo('Europe/Paris'))",
    "import pandas as pd\npd.Timestamp('2024-01-01', tz='Europe/Paris')",
    "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\nplt.plot([1]); plt.gcf().canvas.draw()",
    "from sklearn.datasets import load_iris\nload_iris().data.shape",
    "from sklearn.ensemble import RandomForestClassifier as R\nR(5, n_jobs=2).fit([[0], [1]], [0, 1])",
    "import collections\ncollections.namedtuple('P', 'x y')(1, 2)",
    "import dataclasses\n@dataclasses.dataclass\nclass A:\n    x: int = 1\nA()",
    "import uuid, getpass\nuuid.uuid4(), getpass.getuser()",
    "import locale, mimetypes\nmimetypes.guess_type('a.csv')",
    "import statistics, random, decimal, fractions",
    "import warnings\nwarnings.warn('x')",
    "import logging\nlogging.warning('x')",
    "import ctypes\nctypes.c_int(3).value",
]


@pytest.mark.parametrize("code", FREE)
def test_ordinary_code_is_not_held_back(scene: Scene, code: str) -> None:
    (scene.work / "data.csv").write_text("a\n1\n")
    run, hold = scene.run(code)
    assert hold.stopped == []
    assert run.status == "ok", run.error


def test_a_grant_opens_its_folder_and_no_other_and_tells_before_the_write(scene: Scene) -> None:
    scene.grants.allow(f"write {scene.work}")
    target = scene.work / "x.txt"
    seen: list[bool] = []
    scene.written = []

    def on_write(path: str) -> None:
        scene.written.append(path)
        seen.append(Path(path).exists())

    code = "import os\nopen('x.txt', 'w').write('1')\nos.rename('x.txt', 'y.txt')\nos.remove('y.txt')"
    with guard.held(scene.grants, scene.shell, on_write) as hold:
        assert execute(code, scene.shell, []).status == "ok"
    assert hold.stopped == []
    other = str(scene.work / "y.txt")
    assert scene.written == [str(target), str(target), other, other]
    assert seen == [False, True, False, True]
    run, _ = scene.run(f"open('{scene.outside}/a', 'w')")
    assert run.status == "failed"
    assert scene.untouched()


def test_a_granted_host_is_reached_by_its_name(scene: Scene) -> None:
    scene.grants.allow("network localhost")
    run, _ = scene.run("import socket\ns = socket.create_connection(('localhost', PORT))\ns.close()")
    assert run.status == "ok"
    run, _ = scene.run("import socket\nsocket.gethostbyname('example.org')")
    assert run.status == "failed"


LATER = [
    "import threading\nthreading.Timer(0.1, act).start()",
    "import threading\nthreading.Timer(0.1, os_remove, [f'{OUT}/a']).start()",
    "import threading\nclass T(threading.Thread):\n    def run(self): act()\nT(daemon=True).start()",
    "import threading\ndef f():\n    threading.Thread(target=act).start()\nthreading.Timer(0.05, f).start()",
    "import time\nfrom concurrent.futures import ThreadPoolExecutor as E\nE(1).submit(lambda: (time.sleep(.1), act()))",
    "get_ipython().events.register('pre_run_cell', lambda *a: act())",
    "class D:\n    def __del__(self): act()\nd = D()",
    "import weakref\nclass D: pass\nd = D()\nweakref.finalize(d, act)",
    "import weakref\nclass D: pass\nd = D()\nr = weakref.ref(d, lambda r: act())",
    "import contextvars, threading\nthreading.Timer(0.1, lambda: contextvars.Context().run(act)).start()",
]


@pytest.mark.parametrize("code", LATER)
def test_what_is_left_behind_stays_held(scene: Scene, code: str, capfd: pytest.CaptureFixture[str]) -> None:
    scene.shell.user_ns["os_remove"] = os.remove
    before = {name: list(found) for name, found in scene.shell.events.callbacks.items()}
    _, hold = scene.run("import os\ndef act():\n    os.remove(f'{OUT}/a')\n" + code)
    scene.shell.run_cell("_ = 1")
    scene.shell.run_cell("d = None")
    scene.shell.user_ns.pop("d", None)
    gc.collect()
    deadline = time.monotonic() + 3
    while not hold.stopped and time.monotonic() < deadline:
        time.sleep(0.02)
    scene.shell.events.callbacks.update(before)
    assert hold.stopped
    assert scene.untouched()


AT_EXIT = """
import os, sys
from IPython.core.interactiveshell import InteractiveShell
from llmos_jupyter.agent import guard
from llmos_jupyter.agent.execution import execute
shell = InteractiveShell.instance()
shell.user_ns["PATH"] = sys.argv[1]
with guard.held(None, shell):
    execute("import atexit, os\\natexit.register(os.remove, PATH)", shell, [])
"""


def test_what_runs_at_the_end_stays_held(scene: Scene) -> None:
    """`atexit` runs a function without any frame of the candidate's."""
    done = subprocess.run([sys.executable, "-c", AT_EXIT, str(scene.outside / "a")], capture_output=True, text=True)
    assert "NotAllowed" in done.stderr
    assert scene.untouched()


def test_the_users_own_cells_and_threads_are_free(scene: Scene) -> None:
    scene.run("def save(path, text):\n    open(path, 'w').write(text)\nx = 1")
    assert scene.shell.run_cell("save('mine.txt', 'x'); open('own.txt', 'w').write('y')").success
    assert scene.shell.run_cell(
        "import threading\nt = threading.Thread(target=save, args=('t.txt', ''))\nt.start(); t.join()"
    ).success
    assert {path.name for path in scene.work.iterdir()} >= {"mine.txt", "own.txt"}


def test_other_threads_are_free_while_a_run_is_held(scene: Scene) -> None:
    target = scene.work / "other.txt"
    go = threading.Event()

    def write() -> None:
        go.wait(10)
        target.write_text("x")

    thread = threading.Thread(target=write)
    thread.start()
    with guard.held(None, scene.shell) as hold:
        go.set()
        thread.join()
    assert target.read_text() == "x"
    assert hold.stopped == []


def test_after_the_run_everything_is_as_before(scene: Scene) -> None:
    usual = os._exit, os.abort, atexit.register
    scene.run("x = 1")
    assert (os._exit, os.abort, atexit.register) == usual
    assert "ask_exit" not in scene.shell.__dict__


def test_a_rehearsal_without_a_lock_is_held_and_says_so(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "unsupported", lambda: "There is no lock here.")
    assert rehearse("x = 1", scene.shell).status == "unavailable"
    passed = rehearse("x = 1", scene.shell, unlocked=True)
    assert passed.status == "passed"
    assert level(passed) == "rehearsed unlocked"
    for code in (
        "open(f'{OUT}/a', 'w')",
        "import socket\nsocket.create_connection(('127.0.0.1', PORT))",
        "!rm -r {OUT}",
    ):
        refused = rehearse(code, scene.shell, unlocked=True)
        assert refused.status == "refused", refused
        assert refused.refusals
    assert rehearse("try: open(f'{OUT}/a', 'w')\nexcept OSError: pass", scene.shell, unlocked=True).refusals
    assert scene.untouched()


def test_a_lock_that_leaks_is_no_lock(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "lock", lambda *args: lock.Lock(0, False))
    assert rehearse("x = 1", scene.shell).status == "unavailable"
    assert rehearse("x = 1", scene.shell, unlocked=True).confinement.startswith("unlocked (")
