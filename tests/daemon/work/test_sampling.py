"""What the daemon says of utilisation, and of who used what: a real daemon, real background cells, no model."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.daemon.work.sampling import Sampling, Work
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import GpuProcess, GpuSample, Sample
from tests.daemon.advice.test_adviser import request
from tests.daemon.test_live import background


@pytest.fixture
def client(home: Path) -> Iterator[DaemonClient]:
    lifecycle.find_or_start()
    client = DaemonClient(start=False)
    yield client
    client.close()


def until(reached: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_samples_come_by_route_and_with_each_pulse(client: DaemonClient) -> None:
    until(lambda: len(client.utilisation()) >= 3)
    samples = client.utilisation()
    assert all(later.at > earlier.at for earlier, later in pairwise(samples))
    assert [one.at for one in client.utilisation(samples[1].at)][:1] == [samples[2].at]
    assert samples[-1].engine is None, "no model is loaded"
    assert bool(samples[-1].gpus) != bool(samples[-1].gpu_why)
    pulse = next(iter(client.live()))
    assert pulse.sample is not None
    assert pulse.sample.at >= samples[-1].at


def test_processor_time_of_a_background_cell_is_its_own(client: DaemonClient) -> None:
    code = "import time, subprocess, sys\nend = time.time() + 4\nwhile time.time() < end: pass"
    busy, idle = background(client, code), background(client, "import time\ntime.sleep(4)")
    until(lambda: client.trace(busy.id).task.state == "done" and client.trace(idle.id).task.state == "done")
    until(lambda: len(client.usage([busy.id])) == 1)
    used = {one.task: one for one in client.usage([busy.id, str(idle.number)])}
    assert used[busy.number].cpu_seconds > 0.5
    assert used[idle.number].cpu_seconds < used[busy.number].cpu_seconds
    assert used[busy.number].gpu_seconds == 0
    assert "of processor time in workers" in " ".join(client.story(str(busy.number)).why)
    with pytest.raises(LLMOSError, match="no request 99"):
        client.usage(["99"])


def accounted(home: Path, work: Callable[[str, str], Work], gpus: list[GpuSample]) -> dict[int, tuple[float, int]]:
    """GPU seconds and peak memory of two tasks over two samples that are about a second apart."""
    store = Store(home / "llmos.db")
    first, second = (store.accept(request()) for _ in range(2))
    sampling = Sampling(store, lambda: work(first.id, second.id))
    for _ in range(2):
        sampling._complete(Sample(at=time.time(), cores=[], memory_used=0, memory_total=1, gpus=gpus))
        time.sleep(0.5)
    used = sampling.used({first.id: 1, second.id: 2})
    store.close()
    return {one.task: (one.gpu_seconds, one.gpu_memory_peak) for one in used}


def test_gpu_time_goes_to_the_tasks_whose_processes_used_it(home: Path) -> None:
    gpu = GpuSample(
        id="0",
        percent=80,
        processes=[
            GpuProcess(pid=4_000_001, memory_bytes=1000, percent=60),
            GpuProcess(pid=4_000_002, memory_bytes=3000),
            GpuProcess(pid=4_000_003, memory_bytes=500),
        ],
    )

    def work(a: str, b: str) -> Work:
        return Work(processes={a: 4_000_001, b: 4_000_002}, numbers={a: 1, b: 2})

    used = accounted(home, work, [gpu])
    assert gpu.processes[0].task == 1
    assert gpu.processes[2].task is None
    assert used[1][1] == 1000
    assert used[2][1] == 3000
    # The other 20 % are shared by the two processes of which the driver does not say.
    assert used[1][0] == pytest.approx(6 * used[2][0])


def test_the_engines_share_goes_to_those_it_writes_for(home: Path) -> None:
    gpu = GpuSample(id="0", percent=50, processes=[GpuProcess(pid=4_000_009, memory_bytes=800)])

    def work(a: str, b: str) -> Work:
        return Work(numbers={a: 1, b: 2}, model="m", engine_pids=(4_000_009,), writing=(a, b))

    used = accounted(home, work, [gpu])
    assert used[1] == used[2]
    assert used[1][0] > 0
    assert used[1][1] == 400


@pytest.fixture
def switching() -> Iterator[None]:
    """Threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_nothing_is_lost_between_those_who_add_and_those_who_ask(home: Path, switching: None) -> None:
    store = Store(home / "llmos.db")
    tasks = {store.accept(request()).id: number for number in range(1, 21)}
    sampling = Sampling(store, Work)
    work = Work(numbers=tasks, writing=tuple(tasks))
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            sampling.used(tasks)

    with ThreadPoolExecutor() as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        for _ in range(300):
            sampling._account(work, 1.0, {}, {})
        ended.set()
    assert [one.exception() for one in asking] == [None] * 3
    assert [one.engine_seconds for one in sampling.used(tasks)] == [300.0] * 20
    store.close()


def test_what_could_not_be_stored_is_stored_later(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(home / "llmos.db")
    task = store.accept(request()).id
    sampling = Sampling(store, Work)
    sampling._account(Work(numbers={task: 1}, writing=(task,)), 2.0, {}, {})

    def full(used: object) -> None:
        raise LLMOSError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(sampling._store, "save", full)
        assert sampling.used({task: 1}) == []
        assert sampling.used({task: 1}) == []
    sampling._account(Work(numbers={task: 1}, writing=(task,)), 1.0, {}, {})
    assert [one.engine_seconds for one in sampling.used({task: 1})] == [3.0]
    store.close()


# Works for half a second, tells, waits to be told to go on, works as long again, in itself or in a child; tells, waits.
WORKER = """
import subprocess, sys, time
WORK = "import time\\nwhile time.process_time() < 0.5: pass"
exec(WORK)
print(flush=True)
input()
child = subprocess.Popen([sys.executable, "-c", WORK + "\\ntime.sleep(60)"])
while time.process_time() < 1.0: pass
time.sleep(1.5)
print(flush=True)
input()
child.kill()
"""


def test_what_a_worker_took_before_its_task_is_not_the_tasks(home: Path) -> None:
    store = Store(home / "llmos.db")
    task = store.accept(request()).id
    with subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        sampling = Sampling(store, lambda: Work(processes={task: worker.pid}, numbers={task: 1}))

        def used() -> float:
            assert worker.stdout is not None
            worker.stdout.readline()
            sampling._complete(Sample(at=time.time(), cores=[], memory_used=0, memory_total=1))
            return sampling.used({task: 1})[0].cpu_seconds

        assert used() == 0
        worker.stdin.write(b"\n")
        worker.stdin.flush()
        # Half a second in the worker, and all of its child's half.
        assert 0.9 < used() < 1.4
        worker.stdin.write(b"\n")
    store.close()
