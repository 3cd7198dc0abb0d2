"""Background cells in real kernels of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest

from llmos_jupyter import paths
from llmos_jupyter.protocol.jobs import Clear, Display, Error, Grants, Limits, Notice, Result, Started, Stream
from llmos_jupyter.sandbox import lock
from llmos_jupyter.system.private_files import private_umask
from llmos_jupyter.workers.local import LocalPool, remove_leftovers
from tests.workers.room import Room, room

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="background cells need Linux or macOS")
needs_lock = pytest.mark.skipif(
    lock.unsupported() is not None or lock.landlock_version() < 6, reason="no lock of this kind here"
)

# Not a figure of ours, which the benchmark measures: what a person waits at most on a machine busy with other tests.
AT_ONCE = 5.0


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("workers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMOS_DATA_DIR", str(folder / "data"))
        patch.delenv("PYTEST_CURRENT_TEST", raising=False)  # ipykernel reads no descriptors under pytest
        with room(LocalPool(size=2), folder) as opened:
            yield opened


def gone(pid: int, seconds: float = AT_ONCE) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:  # between a look at the list and a look at the process it may have gone
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


# --- what goes in and comes back ---------------------------------------------------------------------


def test_variables_go_in_and_results_come_back(here: Room) -> None:
    namespace: dict[str, Any] = {"table": pd.DataFrame({"x": [1, 2, 3]}), "np": np, "__name__": "__main__"}
    exec("def double(value): return value * 2", namespace)
    done = here.run("total = int(double(table['x']).sum())\nroots = np.sqrt(table['x'])\ntotal", namespace)
    assert done.ended.state == "done", done.events
    assert done.results["total"] == 12
    assert done.results["roots"].round(2).tolist() == [1.0, 1.41, 1.73]
    assert [event.data["text/plain"] for event in done.events if isinstance(event, Result)] == ["12"]


def test_what_was_changed_in_place_comes_back_and_the_rest_does_not(here: Room) -> None:
    namespace = {"table": pd.DataFrame({"x": [1]}), "rows": [1], "only_read": [5]}
    done = here.run("table['y'] = 2\nrows.append(7)\nonly_read.copy()", namespace)
    assert set(done.results) == {"table", "rows"}
    assert done.results["table"]["y"].tolist() == [2]
    assert done.results["rows"] == [1, 7]


def test_a_cell_writes_files_as_the_user_does_though_the_daemon_keeps_its_own_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMOS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("PYTEST_CURRENT_TEST", raising=False)
    before = os.umask(0o027)
    try:
        with private_umask(), room(LocalPool(size=1), tmp_path) as opened:
            assert opened.run("import os\nmask = os.umask(0)").wait().results["mask"] == 0o027
    finally:
        os.umask(before)


def test_a_result_that_cannot_come_back_is_told_and_the_others_come(here: Room) -> None:
    done = here.run("import threading\na = 1\nlock = threading.Lock()\nrows = (i for i in range(3))")
    assert done.ended.state == "done"
    assert done.results["a"] == 1
    assert done.ended.results is not None
    assert {missing.name for missing in done.ended.results.missing} == {"lock", "rows"}


def test_a_failing_cell_reports_its_error_and_gives_back_what_it_had(here: Room) -> None:
    done = here.run("a = 1\nraise ValueError('no such thing')")
    assert done.ended.state == "failed"
    assert done.ended.message == "ValueError: no such thing"
    errors = [event for event in done.events if isinstance(event, Error)]
    assert [(error.name, error.value) for error in errors] == [("ValueError", "no such thing")]
    assert done.results == {"a": 1}


def test_a_variable_that_cannot_be_loaded_fails_in_one_sentence(here: Room) -> None:
    running = here.submit("b = a", {"a": 1})
    assert running.job.variables is not None
    running.wait()
    job = running.job.model_copy(update={"id": "broken"})
    (Path(running.job.variables.folder) / running.job.variables.variables[0].file).write_bytes(b"broken")
    from tests.workers.room import Running

    done = Running(here, job).wait()
    assert done.ended.state == "failed"
    assert done.ended.message.startswith("`a` could not be loaded in the worker")
    assert not any(isinstance(event, Started) for event in done.events)


def test_a_fresh_kernel_for_each_job(here: Room) -> None:
    first = here.run("secret = 5\nimport builtins\nbuiltins.left_behind = 1")
    second = here.run("found = 'secret' in globals() or 'left_behind' in dir(__builtins__)")
    assert second.results["found"] is False
    assert first.pid != second.pid


def test_the_notebook_s_folder_and_modules_are_there(here: Room, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("x\n5\n")
    (tmp_path / "helper.py").write_text("value = 7\n")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "other.py").write_text("value = 8\n")
    code = "import helper, other\ngot = open('data.csv').read(), helper.value, other.value\ndel helper, other"
    done = here.run(code, folder=str(tmp_path), search_path=[str(tmp_path / "lib")])
    assert done.results["got"] == ("x\n5\n", 7, 8), done.events


# --- what is shown -----------------------------------------------------------------------------------


def test_output_comes_as_it_is_made(here: Room) -> None:
    code = """
        import sys, time
        from tqdm.auto import tqdm
        for step in tqdm(range(4), mininterval=0):
            print("step", step, flush=True)
            time.sleep(0.3)
    """
    done = here.run(textwrap.dedent(code))
    times = {event.text: at for event, at in zip(done.events, done.at, strict=True) if isinstance(event, Stream)}
    seen = [next(at for text, at in times.items() if f"step {step}" in text) for step in range(4)]
    assert seen[3] - seen[0] > 0.6
    bars = "".join(event.text for event in done.events if isinstance(event, Stream) and event.name == "stderr")
    assert "100%" in bars
    assert "\r" in bars


def test_a_table_a_figure_and_updates(here: Room) -> None:
    code = """
        import matplotlib.pyplot as plt, pandas as pd
        from IPython.display import display, clear_output
        handle = display("working", display_id="bar")
        handle.update("half")
        clear_output(wait=True)
        plt.plot([1, 2, 3])
        plt.show()
        pd.DataFrame({"x": [1, 2]})
    """
    done = here.run(textwrap.dedent(code))
    assert done.ended.state == "done", done.events
    displays = [event for event in done.events if isinstance(event, Display)]
    assert [(shown.display_id, shown.update) for shown in displays[:2]] == [("bar", False), ("bar", True)]
    assert displays[1].data["text/plain"] == "'half'"
    assert Clear(wait=True) in done.events
    assert displays[2].data["image/png"].startswith("iVBOR")
    table = next(event for event in done.events if isinstance(event, Result))
    assert "<table" in table.data["text/html"]


def test_output_of_child_processes_is_shown(here: Room) -> None:
    done = here.run("import subprocess\nsubprocess.run(['echo', 'hello'])\nNone", grants=Grants(processes=True))
    assert "hello" in done.text


@needs_lock
def test_output_of_forked_children_is_shown(here: Room) -> None:
    code = (
        "import os\nif os.fork() == 0:\n    print('from the child'); os._exit(0)\nos.wait()\nprint('from the parent')"
    )
    done = here.run(code, grants=Grants(processes=True))
    assert done.ended.state == "done", done.events
    assert "from the child" in done.text
    assert "from the parent" in done.text


def test_too_much_output_is_cut_with_a_sentence(here: Room) -> None:
    code = "for i in range(300): print('x' * 1000, flush=True)\nprint('y', flush=True)"
    done = here.run(code, limits=Limits(output_bytes=100_000))
    assert done.ended.state == "done"
    assert len(done.text) <= 100_000
    notices = [event for event in done.events if isinstance(event, Notice)]
    assert len(notices) == 1
    assert "not shown" in notices[0].message


def test_input_is_answered_with_a_sentence(here: Room) -> None:
    for asking in ("input('name? ')", "__import__('getpass').getpass()"):
        done = here.run(f"x = {asking}")
        assert done.ended.state == "failed"
        assert "cannot ask for input" in done.ended.message


# --- the lock ----------------------------------------------------------------------------------------


@needs_lock
def test_what_holds_the_code_is_told(here: Room) -> None:
    done = here.run("1")
    started = next(event for event in done.events if isinstance(event, Started))
    assert started.confinement == f"Landlock v{lock.landlock_version()} + seccomp"


@needs_lock
@pytest.mark.parametrize(
    "act",
    [
        "open('new.txt', 'w')",
        "__import__('os').mkdir('folder')",
        "__import__('os').unlink('kept.txt')",
        "__import__('os').chmod('kept.txt', 0)",
        "__import__('socket').socket()",
        "__import__('socket').create_connection(('127.0.0.1', 9))",
        "__import__('urllib.request').request.urlopen('http://127.0.0.1:9')",
        "__import__('subprocess').run(['true'])",
        "__import__('os').fork()",
        "__import__('os').kill(__import__('os').getppid(), 9)",
    ],
)
def test_refused(act: str, here: Room, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept")
    done = here.run(act, folder=str(tmp_path))
    assert done.ended.state == "failed", done.events
    assert "ermi" in done.ended.message, done.ended.message  # PermissionError, or "Operation not permitted"
    assert [file.name for file in tmp_path.iterdir()] == ["kept.txt"]


@needs_lock
def test_no_thread_of_the_kernel_is_left_unlocked(here: Room, tmp_path: Path) -> None:
    code = """
        import threading, pathlib
        from IPython import get_ipython
        kernel = get_ipython().kernel
        said = []
        def attempt():
            for act in (lambda: open("new.txt", "w"), lambda: __import__("socket").socket()):
                try:
                    act()
                    said.append("done")
                except PermissionError:
                    said.append("refused")
            over.set()
        over = threading.Event()
        kernel.iopub_thread.schedule(attempt)
        over.wait(5)
        over = threading.Event()
        kernel.control_thread.io_loop.add_callback(attempt)
        over.wait(5)
        states = {task.name: [line.split()[1] for line in (task / "status").read_text().splitlines()
                  if line.startswith("Seccomp:")][0] for task in pathlib.Path("/proc/self/task").iterdir()}
        modes = sorted(set(states.values()))
        del kernel, over, attempt
    """
    done = here.run(textwrap.dedent(code), folder=str(tmp_path))
    assert done.ended.state == "done", done.events
    assert done.results["said"] == ["refused"] * 4
    assert done.results["modes"] == ["2"]
    assert list(tmp_path.iterdir()) == []


@needs_lock
def test_what_was_granted_works(here: Room, tmp_path: Path) -> None:
    granted, other = tmp_path / "granted", tmp_path / "other"
    granted.mkdir()
    other.mkdir()
    code = f"""
        import os, shutil, socket, subprocess
        open({str(granted)!r} + "/a", "w").write("x")
        shutil.copy({str(granted)!r} + "/a", {str(granted)!r} + "/b")
        socket.socket().close()
        listing = subprocess.run(["ls", {str(granted)!r}], capture_output=True, text=True).stdout
        open({str(other)!r} + "/a", "w")
    """
    grants = Grants(write=[str(granted)], network=True, processes=True)
    done = here.run(textwrap.dedent(code), grants=grants)
    assert done.results["listing"] == "a\nb\n", done.events
    assert "PermissionError" in done.ended.message
    assert list(other.iterdir()) == []


def test_scratch_can_be_written_and_is_removed(here: Room) -> None:
    code = "import tempfile\nf = tempfile.NamedTemporaryFile('w', delete=False)\nf.write('x')\nname = f.name\ndel f"
    done = here.run(code)
    assert done.ended.state == "done", done.events
    assert not Path(done.results["name"]).parent.exists()


# A new terminal is a device to write to and to control; a pipe with a name stands for one that need not exist.
USE_DEVICES = """
    import fcntl, os
    def attempt(path, use):
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
            use(descriptor)
            os.close(descriptor)
            return "used"
        except PermissionError:
            return "refused"
    number = 0x80045430  # TIOCGPTN
    said = [
        attempt({pipe!r}, lambda descriptor: os.write(descriptor, b"x")),
        attempt("/dev/ptmx", lambda descriptor: fcntl.ioctl(descriptor, number, bytes(4))),
        attempt("/dev/full", lambda descriptor: None),
    ]
    del attempt
"""


@needs_lock
def test_a_device_is_used_by_whom_it_was_granted_to(here: Room, tmp_path: Path) -> None:
    pipe = tmp_path / "device-0"
    os.mkfifo(pipe)
    code = textwrap.dedent(USE_DEVICES.format(pipe=str(pipe)))
    assert here.run(code).results["said"] == ["refused", "refused", "refused"]
    grants = Grants(devices=[str(tmp_path / "device*"), "/dev/ptmx", "/dev/nosuch*"])
    done = here.run(code, grants=grants)
    assert done.results["said"] == ["used", "used", "refused"], done.events
    assert here.run(code).results["said"] == ["refused", "refused", "refused"]


def test_a_job_sees_the_gpus_it_was_given(here: Room) -> None:
    code = "import os\nseen = os.environ.get('CUDA_VISIBLE_DEVICES')\nvalue = what"
    given = ((None, None), ([], ""), (["GPU-1"], "GPU-1"), (["GPU-1", "MIG-2"], "GPU-1,MIG-2"))
    for gpus, seen in given:
        done = here.run(code, {"what": 1}, limits=Limits(gpus=gpus))
        assert done.results["seen"] == seen, done.events


@needs_lock
def test_processes_that_compute_together(here: Room) -> None:
    code = """
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context
        with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
            squares = list(pool.map(abs, [-1, -2]))
        del pool
    """
    done = here.run(textwrap.dedent(code), grants=Grants(processes=True))
    assert done.results["squares"] == [1, 2], done.events


# --- the end -----------------------------------------------------------------------------------------

STUBBORN = """
import signal, time
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
print("running", flush=True)
while True:
    pass
"""
SWALLOWS = """
print("running", flush=True)
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
"""


@pytest.mark.parametrize(
    "code",
    ["print('running', flush=True)\nwhile True: pass", STUBBORN, SWALLOWS],
    ids=["loop", "ignores-signals", "swallows-exceptions"],
)
def test_cancel(code: str, here: Room) -> None:
    running = here.submit(code).until("running")
    assert running.cancel() < AT_ONCE
    assert running.ended.state == "cancelled"
    assert running.ended.results is None
    assert gone(running.pid)


def test_cancelled_code_may_tidy_up(here: Room, tmp_path: Path) -> None:
    code = f"""
        import time
        try:
            print("running", flush=True)
            time.sleep(60)
        finally:
            open({str(tmp_path / "tidied")!r}, "w").close()
    """
    running = here.submit(textwrap.dedent(code), grants=Grants(write=[str(tmp_path)])).until("running")
    running.cancel()
    assert running.ended.state == "cancelled"
    assert (tmp_path / "tidied").exists()


def pids_of(text: str) -> list[int]:
    return [int(word) for word in text.split() if word.isdigit()]


CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c",
    "import signal, time; signal.signal(2, signal.SIG_IGN); signal.signal(15, signal.SIG_IGN); time.sleep(600)"])
print(child.pid, "running", flush=True)
child.wait()
"""
# Forks twice and leaves session and group, as daemons do.
GRANDCHILD = """
import os, time
reading, writing = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(writing, str(os.getpid()).encode())
        time.sleep(600)
    os._exit(0)
os.wait()
print(os.read(reading, 20).decode(), "running", flush=True)
"""


def test_cancel_ends_child_processes(here: Room) -> None:
    running = here.submit(CHILD, grants=Grants(processes=True)).until("running")
    (child,) = pids_of(running.text)
    assert psutil.pid_exists(child)
    assert running.cancel() < AT_ONCE
    assert gone(child)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to the guardian")
@pytest.mark.parametrize(
    "end", ["", "time.sleep(600)", "time.sleep(0.5); os._exit(3)"], ids=["done", "cancelled", "died"]
)
def test_a_grandchild_left_behind_is_ended(end: str, here: Room) -> None:
    running = here.submit(GRANDCHILD + end, grants=Grants(processes=True)).until("running")
    (grandchild,) = pids_of(running.text)
    if "600" in end:
        running.cancel()
    assert running.wait().ended.state == ("died" if "exit" in end else "cancelled" if end else "done")
    assert gone(grandchild, 0.5)


def test_cancel_before_it_starts_and_of_what_is_not_there(here: Room) -> None:
    busy = [here.submit("print('running', flush=True)\nwhile True: pass").until("running") for _ in range(2)]
    waiting = here.submit("x = 1")
    time.sleep(0.1)
    here.call(here.pool.cancel(waiting.job.id))
    here.call(here.pool.cancel("nothing"))
    assert waiting.wait().ended.state == "cancelled"
    for running in busy:
        running.cancel()
    assert [type(event).__name__ for event in waiting.events] == ["Ended"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os\nprint('last words', flush=True)\nos._exit(3)", "exit code 3"),
        ("import ctypes\nprint('last words', flush=True)\nctypes.string_at(0)", "SIGSEGV"),
        (
            "import os, signal\nprint('last words', flush=True)\nos.kill(os.getpid(), signal.SIGKILL)",
            "killed by the sys",
        ),
    ],
)
def test_a_worker_that_dies_is_one_clear_state(code: str, said: str, here: Room) -> None:
    done = here.run(code)
    assert done.ended.state == "died"
    assert said in done.ended.message
    assert done.ended.message.count(".") == 1 + done.ended.message.count("os._exit")
    assert here.run("1 + 1").ended.state == "done"


def test_too_large_an_allocation_is_an_ordinary_memory_error(here: Room) -> None:
    done = here.run("import numpy as np\nx = np.ones(10 * 2**30, dtype='u1')", limits=Limits(memory_bytes=2**30))
    assert done.ended.state == "failed"
    assert "emory" in done.ended.message


@pytest.mark.skipif(sys.platform != "linux", reason="tells shared mappings from others")
def test_memory_that_no_limit_of_the_kernel_s_stops_is_seen_by_the_guardian(here: Room) -> None:
    # Shared mappings are not counted by RLIMIT_DATA.
    code = "import mmap\nheld = []\nwhile True:\n    held.append(mmap.mmap(-1, 2**24)); held[-1].write(b'x' * 2**24)"
    done = here.run(code, limits=Limits(memory_bytes=2**29))
    assert done.ended.state == "died"
    assert "more than its 512 MiB of memory" in done.ended.message
    assert done.ended.peak_bytes > 2**29


def test_the_daemon_is_killed_and_nothing_is_left(tmp_path: Path) -> None:
    script = f"""
        import asyncio, os
        from llmos_jupyter.workers.local import LocalPool
        from llmos_jupyter.protocol.jobs import Grants, Job
        async def main():
            pool = LocalPool()
            await pool.start()
            job = Job(id="a", code={(GRANDCHILD + "while True: pass")!r}, grants=Grants(processes=True))
            async for event in pool.run(job):
                print(event.model_dump_json(), flush=True)
        asyncio.run(main())
    """
    environment = {**os.environ, "LLMOS_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", textwrap.dedent(script)]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert daemon.stdout is not None
    while "running" not in (line := daemon.stdout.readline()):
        assert line, "the pool ended"
    (grandchild,) = pids_of(line.replace('"', " ").replace("\\n", " "))
    others = [process.pid for process in psutil.Process(daemon.pid).children(recursive=True)]
    assert len(others) >= 4  # the nursery, guardians, kernels
    daemon.send_signal(signal.SIGKILL)
    daemon.wait()
    daemon.stdout.close()
    assert all(gone(pid) for pid in [*others, grandchild])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMOS_DATA_DIR", str(tmp_path))
        assert list(paths.workers_dir().iterdir())
        remove_leftovers()
        assert list(paths.workers_dir().iterdir()) == []


def test_a_nursery_that_was_killed_is_replaced(here: Room) -> None:
    pool = here.pool
    assert isinstance(pool, LocalPool)
    here.run("1")
    nursery = pool._nursery
    assert nursery is not None
    os.kill(nursery.pid, signal.SIGKILL)
    for _ in range(3):
        assert here.run("1 + 1").ended.state == "done"


def test_leaving_the_iterator_cancels(here: Room) -> None:
    async def leave() -> int:
        from llmos_jupyter.protocol.jobs import Job

        events = here.pool.run(Job(id="left", code="while True: pass"))
        async for event in events:
            if isinstance(event, Started):
                break
        await events.aclose()
        assert isinstance(event, Started)
        return event.pid

    assert gone(here.call(leave()))


# --- threads and processors --------------------------------------------------------------------------


def test_threads_and_processors(here: Room) -> None:
    code = """
        import os, numpy, threadpoolctl
        pools = sorted({pool["num_threads"] for pool in threadpoolctl.threadpool_info()})
        variable = os.environ["OMP_NUM_THREADS"]
        processors = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        del numpy, threadpoolctl
    """
    allowed = sorted(os.sched_getaffinity(0))[:1] if hasattr(os, "sched_getaffinity") else []
    done = here.run(textwrap.dedent(code), limits=Limits(cores=1, affinity=allowed, nice=19))
    assert done.results["pools"] == [1], done.events
    assert done.results["variable"] == "1"
    assert done.results["nice"] == 19
    if allowed:
        assert done.results["processors"] == set(allowed)


# --- the folders and sockets -------------------------------------------------------------------------


def test_sockets_are_for_the_user_only_and_no_port_is_open(here: Room) -> None:
    running = here.submit("print('running', flush=True)\nwhile True: pass").until("running")
    kernel = psutil.Process(running.pid)
    connections = kernel.net_connections(kind="inet")
    guardian = kernel.parent()
    running.cancel()
    assert connections == []
    assert guardian is not None


def test_nothing_is_left_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with room(LocalPool(), tmp_path) as opened:
        opened.run("x = 1")
        sockets = list(tmp_path.glob("llmos-*"))
        assert sockets
        assert all(folder.stat().st_mode & 0o077 == 0 for folder in [*sockets, paths.workers_dir()])
    assert list(tmp_path.glob("llmos-*")) == []
    assert list((tmp_path / "data" / "workers").iterdir()) == []


def test_folders_of_other_machines_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOS_DATA_DIR", str(tmp_path))
    other = paths.workers_dir() / "another-host-1-2.00-abc"
    other.mkdir(parents=True)
    remove_leftovers()
    assert other.exists()


def test_results_that_cannot_be_taken_back_are_told(here: Room) -> None:
    # The code uses up what its results would need to be written.
    done = here.run(
        "import tempfile, shutil, os\nx = 1\nshutil.rmtree(os.path.dirname(tempfile.gettempdir()), ignore_errors=True)"
    )
    assert done.ended.state == "failed"
    assert "could not be taken back" in done.ended.message


def test_an_identifier_in_use_is_refused(here: Room) -> None:
    running = here.submit("print('running', flush=True)\nwhile True: pass").until("running")
    from tests.workers.room import Running

    again = Running(here, running.job).wait()
    assert "running already" in again.ended.message
    running.cancel()
    assert running.ended.state == "cancelled"


def test_no_room_for_another_worker_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOS_DATA_DIR", str(tmp_path / "data"))
    with room(LocalPool(spares=0), tmp_path) as opened:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "nowhere"))
        ended = opened.run("x = 1").ended
    assert ended.state == "failed"
    assert ended.message.startswith("No worker can be started")
