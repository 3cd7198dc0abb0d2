"""Whoever dies, nobody hangs and nothing stays open."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from llmos_jupyter.effects.copy.kernel_copy import supported
from llmos_jupyter.sandbox import file_calls, handlers, lock, seccomp_filter
from llmos_jupyter.sandbox.landlock import landlock_version
from tests.effects.copy.shells import descendants, descriptors, leftovers, rehearse, shell_with

pytestmark = pytest.mark.skipif(
    supported() is not None or not landlock_version() or not seccomp_filter.available(), reason="no lock of this kind"
)
OPENS = "import os\nwhile True: os.close(os.open('/usr', 0))"


def threads() -> list[str]:
    """Save IPython's of the history, which comes and goes."""
    return sorted(thread.name for thread in threading.enumerate() if "History" not in type(thread).__name__)


@pytest.fixture(autouse=True)
def nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    rehearse("1", shell_with())
    # Other tests of this process may have left some that go on, or end by themselves meanwhile.
    before = descriptors(), threads(), descendants()
    yield
    now = descriptors(), threads(), descendants()
    assert now[0].items() <= before[0].items()
    assert not Counter(now[1]) - Counter(before[1])
    assert now[2] <= before[2]
    assert not leftovers()


def test_the_supervisor_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> int:
        raise RuntimeError("broken")

    monkeypatch.setitem(handlers.HANDLERS, "mkdirat", breaks)
    monkeypatch.setitem(handlers.HANDLERS, "mkdir", breaks)
    started = time.monotonic()
    done = rehearse("import os\nos.mkdir('/tmp/llmos-never')", shell_with(), budget_seconds=20)
    assert time.monotonic() - started < 10
    assert done.status == "died"
    assert "lock" in done.reason
    assert not os.path.exists("/tmp/llmos-never")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "died"),
        (
            "import threading\nthreading.Thread(target=open, args=('/usr',)).start()\nimport os\nos._exit(3)",
            "died",
        ),
        ("import os\nos.closerange(0, 4000)\nopen('/etc/passwd')", "refused"),
    ],
)
def test_the_sandbox_dies(code: str, status: str) -> None:
    assert rehearse(code, shell_with()).status == status


def test_the_time_is_over_while_it_opens_files() -> None:
    assert rehearse(OPENS, shell_with(), budget_seconds=0.5).status == "unfinished"


def test_an_interrupt_while_it_opens_files(tmp_path: Path) -> None:
    # In a process of its own: here an interrupt can fall into a callback of the test libraries, which swallows it.
    assert _ended_by_a_signal(tmp_path, signal.SIGINT) == -signal.SIGINT


def test_a_kernel_with_very_many_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        done = rehearse("open('/etc/passwd')", shell_with())
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [refusal.target for refusal in done.refusals] == ["/etc/passwd"]


def test_many_threads_open_files() -> None:
    code = (
        "import os, threading\ndef work():\n    for _ in range(200):\n        os.close(os.open('/usr', 0))\n"
        "        try: open('/etc/passwd')\n        except PermissionError: pass\n"
        "threads = [threading.Thread(target=work) for _ in range(8)]\n"
        "for thread in threads: thread.start()\nfor thread in threads: thread.join()"
    )
    done = rehearse(code, shell_with(), budget_seconds=30)
    assert done.status == "passed"
    assert [refusal.target for refusal in done.refusals] == ["/etc/passwd"]


def test_the_kernel_dies(tmp_path: Path) -> None:
    assert _ended_by_a_signal(tmp_path, signal.SIGKILL) == -signal.SIGKILL
    deadline = time.monotonic() + 5
    while (left := _running(str(tmp_path / "kernel.py"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []
    deadline = time.monotonic() + 10
    rehearse("1", shell_with())  # which sweeps what the other has left behind, once its last process has let go
    while leftovers() and time.monotonic() < deadline:
        time.sleep(0.05)
        rehearse("1", shell_with())


def _ended_by_a_signal(folder: Path, number: signal.Signals) -> int:
    """How a process ends that gets a signal while its sandbox opens files."""
    program = folder / "kernel.py"
    program.write_text(
        "import os, threading\n"
        "from tests.effects.copy.shells import rehearse, shell_with\n"
        f"threading.Timer(1.0, os.kill, (os.getpid(), {int(number)})).start()\n"
        f"rehearse({OPENS!r} + '  # {folder}', shell_with(), budget_seconds=60)\n"
    )
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}
    return subprocess.run(
        [sys.executable, program], env=environment, timeout=60, capture_output=True, check=False
    ).returncode


def _running(program: str) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if program.encode() in words:
                found.append(int(entry))
    return found


def test_without_a_listener_the_lock_is_the_same_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install = seccomp_filter.install

    def refuses(program: bytes, flags: int = 0) -> int:
        if flags & seccomp_filter.FLAG_NEW_LISTENER:
            raise OSError(16, "busy")
        return install(program, flags)

    monkeypatch.setattr(seccomp_filter, "install", refuses)
    done = rehearse(f"open({str(tmp_path / 'x')!r}, 'w')", shell_with())
    assert done.status == "refused"
    assert done.confinement.endswith("refusals told by Python only")
    assert [refusal.target for refusal in done.refusals] == [str(tmp_path / "x")]
    assert rehearse("open('/etc/passwd')", shell_with()).status == "refused"
    assert rehearse("import socket\nsocket.socket()", shell_with()).status == "refused"
    assert rehearse("x = 1", shell_with()).status == "passed"


def test_a_judge_knows_every_call_that_the_filter_tells() -> None:
    assert set(seccomp_filter.TOLD) == set(handlers.HANDLERS)
    assert set(file_calls.HANDLERS) >= {*seccomp_filter.OPENINGS, *seccomp_filter.FILE_CHANGES}


def test_without_landlock_every_change_is_refused_and_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lock, "landlock_version", lambda: 0)
    (tmp_path / "a").write_text("kept")
    file = str(tmp_path / "a")
    for act in (
        f"open({file!r}, 'w')",
        f"os.remove({file!r})",
        f"os.rename({file!r}, {file + 'b'!r})",
        f"os.chmod({file!r}, 0)",
        f"os.truncate({file!r}, 0)",
        f"ctypes.CDLL(None).unlink({file.encode()!r})",
        f"ctypes.CDLL(None).open({file.encode()!r}, os.O_RDONLY | os.O_TRUNC)",
    ):
        done = rehearse(f"import ctypes, os\ntry: {act}\nexcept OSError: pass", shell_with())
        assert done.status == "passed", done
        assert done.refusals[0].target == file
        assert (tmp_path / "a").read_text() == "kept"
    assert rehearse(f"assert open({file!r}).read() == 'kept'", shell_with()).status == "passed"
    done = rehearse("import tempfile\ntempfile.TemporaryFile()", shell_with())
    assert (done.status, done.confinement) == (
        "refused", "seccomp, no file writes at all, refusals told by the kernel",
    )  # fmt: skip


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 6])
def test_earlier_landlocks_hold_as_well(version: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if version > landlock_version():
        pytest.skip("this kernel's is older")
    monkeypatch.setattr(lock, "landlock_version", lambda: version)
    (tmp_path / "outside").mkdir()
    file = str(tmp_path / "outside" / "a")
    Path(file).write_text("kept")
    for act in (
        f"os.close(os.open({file!r}, os.O_RDONLY | os.O_TRUNC))",
        f"open({file!r}, 'w')",
        f"os.truncate({file!r}, 0)",
        f"os.link({file!r}, os.environ['TMPDIR'] + '/l')",
        "os.kill(os.getppid(), 0)",
        "socket.create_connection(('127.0.0.1', 9))",
    ):
        done = rehearse(f"import os, socket\ntry: {act}\nexcept OSError: pass\nelse: raise ValueError", shell_with())
        assert done.status == "passed", (act, done)
        assert Path(file).read_text() == "kept"
    code = "import tempfile\nwith tempfile.NamedTemporaryFile('w') as f: f.write('x')"
    assert rehearse(code, shell_with()).status == "passed"


def test_what_was_typed_into_other_notebooks_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    with sqlite3.connect(file) as database:
        database.execute("create table history(source)")
        database.execute("insert into history values ('s3cr3t')")
    open_database = sqlite3.connect(file)
    shell = shell_with(database=open_database)
    usual = shell.history_manager.hist_file
    shell.history_manager.hist_file = str(file)
    try:
        done = rehearse("print(database.execute('select * from history').fetchall())", shell)
    finally:
        shell.history_manager.hist_file = usual
        open_database.close()
    assert "s3cr3t" not in done.output
    assert done.status in ("failed", "refused")


WORKER = """
import bdb  # which IPython imports when it runs code, and whose search would look into this program's folder
import sys
from llmos_jupyter.sandbox import lock
assert lock.lock_files([sys.argv[1]])
from tests.effects.copy.shells import rehearse, shell_with
code = '''
import sqlite3
try:
    sqlite3.connect(":memory:").execute("vacuum into '/var/tmp/llmos-never'")
except sqlite3.Error:
    pass
'''
done = rehearse(code, shell_with())
print(done.status, [(refusal.target, refusal.system_call) for refusal in done.refusals])
"""


def test_a_worker_that_is_locked_itself_is_told_as_well(tmp_path: Path) -> None:
    program = tmp_path / "worker.py"
    program.write_text(WORKER)
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}
    words = [sys.executable, str(program), str(tmp_path)]
    ended = subprocess.run(
        words,
        env={**environment, "IPYTHONDIR": str(tmp_path)},
        timeout=60,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout == "passed [('/var/tmp/llmos-never', 'openat')]\n", ended.stderr
