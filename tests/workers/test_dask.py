"""Background cells on a real Dask cluster of several processes on the loopback address."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol.jobs import Started, Stream, Waiting
from llmos_jupyter.workers import dask
from llmos_jupyter.workers.dask import DaskPool
from tests.workers.room import Room, room
from tests.workers.test_local import AT_ONCE, gone, needs_lock

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="background cells need Linux or macOS")


class Cluster:
    """A scheduler and workers, each a process of its own; can be killed and come back at the same address."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.log = (folder / "dask.log").open("ab")

    def spawn(self, *command: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "LLMOS_DATA_DIR": str(self.folder / "there")}
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + command[0], *command[1:]],
            env=environment,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def scheduler(self) -> subprocess.Popen[bytes]:
        return self.spawn("scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        common = ("--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1")
        return self.spawn("worker", self.address, *common, "--local-directory", str(self.folder), *options)

    def kill(self) -> None:
        for process in self.processes:
            with contextlib.suppress(psutil.Error):
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
            process.kill()
            process.wait()
        self.processes.clear()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    made.scheduler()
    made.worker()
    made.worker("--resources", "GPU=1")
    yield made
    made.kill()


@pytest.fixture(scope="module")
def there(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("workers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMOS_DATA_DIR", str(folder / "data"))
        with room(DaskPool(cluster.address), folder) as opened:
            yield opened


def test_variables_go_and_results_come_back(there: Room) -> None:
    done = there.run("b = sum(a)\nprint('here')\nimport threading\nlock = threading.Lock()", {"a": [1, 2, 3]})
    assert done.ended.state == "done", done.events
    assert done.results["b"] == 6
    assert done.text == "here\n"
    assert done.ended.results is not None
    assert [missing.name for missing in done.ended.results.missing] == ["lock"]


def test_output_comes_as_it_is_made(there: Room) -> None:
    done = there.run("import time\nfor i in range(3):\n    print('step', i, flush=True)\n    time.sleep(0.4)")
    times = [at for event, at in zip(done.events, done.at, strict=True) if isinstance(event, Stream)]
    assert times[-1] - times[0] > 0.5


@needs_lock
def test_the_code_is_locked_down_there_too(there: Room, tmp_path: Path) -> None:
    done = there.run(f"open({str(tmp_path / 'f')!r}, 'w')")
    assert done.ended.state == "failed"
    assert "PermissionError" in done.ended.message
    assert "Landlock" in next(event.confinement for event in done.events if isinstance(event, Started))


def test_an_error_and_a_death_are_told(there: Room) -> None:
    assert there.run("1 / 0").ended.message == "ZeroDivisionError: division by zero"
    died = there.run("import os\nos._exit(3)").ended
    assert (died.state, "exit code 3" in died.message) == ("died", True)


def test_cancel_stops_what_runs_there(there: Room) -> None:
    code = "import signal\nsignal.signal(2, signal.SIG_IGN)\nprint('running', flush=True)\nwhile True: pass"
    running = there.submit(code).until("running")
    assert running.cancel() < AT_ONCE
    assert running.ended.state == "cancelled"
    assert gone(running.pid)


def test_cancel_of_what_is_queued_there(there: Room) -> None:
    busy = [there.submit("print('running', flush=True)\nwhile True: pass").until("running") for _ in range(2)]
    waiting = there.submit("x = 1")
    time.sleep(0.3)
    assert waiting.cancel() < AT_ONCE
    assert [type(event).__name__ for event in waiting.events] == ["Ended"]
    for running in busy:
        running.cancel()


def test_priority_and_resources_are_dask_s(there: Room) -> None:
    busy = there.submit("print('running', flush=True)\nwhile True: pass", resources={"GPU": 1}).until("running")
    low, high = (
        there.submit("import time\nat = time.time()\ntime.sleep(0.2)", priority=priority, resources={"GPU": 1})
        for priority in (-1, 5)
    )
    time.sleep(0.5)
    busy.cancel()
    assert high.wait().results["at"] < low.wait().results["at"]


def test_a_resource_that_nobody_offers_is_told(there: Room) -> None:
    running = there.submit("x = 1", resources={"QUANTUM": 2}).until(lambda event: isinstance(event, Waiting))
    (told,) = [event for event in running.events if isinstance(event, Waiting)]
    assert "QUANTUM=2" in told.message
    running.cancel()


def test_a_bad_address_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LLMOSError, match="no address of a Dask scheduler"), room(DaskPool("cluster"), tmp_path):
        pass


def test_whoever_asked_is_killed_and_the_job_ends_there(cluster: Cluster, tmp_path: Path) -> None:
    script = f"""
import asyncio
from llmos_jupyter.workers.dask import DaskPool
from llmos_jupyter.protocol.jobs import Job
async def main():
    pool = DaskPool({cluster.address!r})
    await pool.start()
    async for event in pool.run(Job(id="a", code="print('running', flush=True)\\nwhile True: pass")):
        print(event.model_dump_json(), flush=True)
asyncio.run(main())
"""
    environment = {**os.environ, "LLMOS_DATA_DIR": str(tmp_path)}
    daemon = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment)
    assert daemon.stdout is not None
    pid = 0
    while "running" not in (line := daemon.stdout.readline()):
        assert line, "the pool ended"
        if '"started"' in line:
            pid = int(line.partition('"pid":')[2].partition("}")[0])
    daemon.kill()
    daemon.wait()
    daemon.stdout.close()
    assert gone(pid, 30.0)


def test_a_cluster_that_goes_away_is_waited_for_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMOS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(dask, "CONNECT_TIMEOUT", 1.0)
    cluster = Cluster(tmp_path)
    try:
        with room(DaskPool(cluster.address), tmp_path) as away:
            marker = tmp_path / "go"
            code = (
                "import os, time\nprint('running', flush=True)\n"
                f"while not os.path.exists({str(marker)!r}): time.sleep(0.05)\nx = 5"
            )
            running = away.submit(code).until(lambda event: isinstance(event, Waiting))
            once = away.submit(code, repeatable=False)
            cluster.scheduler()
            cluster.worker()
            cluster.worker()
            running.until("running")
            once.until("running")
            first = running.pid
            cluster.kill()
            assert gone(first)
            assert once.wait().ended.state == "died"
            assert "went away" in once.ended.message
            running.until(lambda _: sum(isinstance(event, Waiting) for event in running.events) >= 2)
            cluster.scheduler()
            cluster.worker()
            marker.touch()
            running.wait()
            assert running.ended.state == "done", running.events
            assert running.results["x"] == 5
            told = [event.message for event in running.events if isinstance(event, Waiting)]
            assert all("does not answer" in message and message.count(".") >= 1 for message in told[:1])
    finally:
        cluster.kill()


def test_a_worker_that_cannot_run_anything_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOS_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "there").write_text("no folder")
    cluster = Cluster(tmp_path)
    cluster.scheduler()
    cluster.worker()
    try:
        with room(DaskPool(cluster.address), tmp_path) as useless:
            ended = useless.run("x = 1").ended
    finally:
        cluster.kill()
    assert ended.state == "failed"
    assert ended.message.startswith("The cluster's worker could not run this (NotADirectoryError")


def test_a_lost_worker_s_job_is_begun_again_unless_it_must_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOS_DATA_DIR", str(tmp_path / "data"))
    cluster = Cluster(tmp_path)
    cluster.scheduler()
    try:
        with room(DaskPool(cluster.address), tmp_path) as lossy:
            for repeatable in (True, False):
                marker = tmp_path / f"go-{repeatable}"
                code = (
                    "import os, time\nprint('running', flush=True)\n"
                    f"while not os.path.exists({str(marker)!r}): time.sleep(0.05)\nx = 5"
                )
                worker = cluster.worker("--no-nanny")
                running = lossy.submit(code, repeatable=repeatable).until("running")
                worker.send_signal(signal.SIGKILL)
                assert gone(running.pid)
                other = cluster.worker("--no-nanny")
                marker.touch()
                assert running.wait().ended.state == ("done" if repeatable else "died"), running.events
                assert running.text.count("running") == (2 if repeatable else 1)
                other.kill()
    finally:
        cluster.kill()
