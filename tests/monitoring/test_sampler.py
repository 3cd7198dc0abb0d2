"""The sampler: what it sees of this machine, what it remembers, and what does not stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from llmos_jupyter.monitoring import apple
from llmos_jupyter.monitoring.sampler import KEEP, Sampler
from llmos_jupyter.protocol import GpuSample, Sample
from llmos_jupyter.system import hardware


def none() -> tuple[list[GpuSample], str]:
    return [], "none here"


def until(reached: Callable[[], object], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_sample_says_what_the_system_says(tmp_path: Path) -> None:
    sampler = Sampler(lambda: 0.2, lambda sample: None, folder=tmp_path, gpus=none)
    sampler.start()
    until(lambda: len(sampler.since(0)) >= 3)
    sampler.stop()
    sample = sampler.latest()
    assert sample is not None
    assert len(sample.cores) == psutil.cpu_count()
    assert all(0 <= core <= 100 for core in sample.cores)
    assert 0 < sample.memory_used < sample.memory_total
    assert sample.disk_free is not None
    assert sample.gpu_why == "none here"
    assert abs(sample.at - time.time()) < 30
    moments = [one.at for one in sampler.since(0)]
    assert moments == sorted(moments)
    assert [one.at for one in sampler.since(moments[0])] == moments[1:]


def test_a_busy_core_is_seen(tmp_path: Path) -> None:
    sampler = Sampler(lambda: 0.2, lambda sample: None, folder=tmp_path, gpus=none)
    sampler.start()
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        pass
    sampler.stop()
    assert max(max(sample.cores) for sample in sampler.since(0)) > 50


def test_what_goes_wrong_stops_nothing(tmp_path: Path) -> None:
    seen: list[Sample] = []

    def complete(sample: Sample) -> None:
        seen.append(sample)
        raise ValueError("of whoever completes it")

    def broken() -> tuple[list[GpuSample], str]:
        raise OSError("a driver nobody foresaw")

    sampler = Sampler(lambda: 0.2, complete, folder=tmp_path / "gone", gpus=broken)
    sampler.start()
    until(lambda: len(seen) >= 3)
    sampler.stop()
    assert seen[-1].gpu_why == "The GPUs cannot be asked (OSError): see the daemon's log."
    assert seen[-1].disk_free is None
    count = len(seen)
    time.sleep(0.5)
    assert len(seen) == count, "stopped"


def test_ten_minutes_are_remembered_and_no_more(tmp_path: Path) -> None:
    sampler = Sampler(lambda: 0.2, lambda sample: None, folder=tmp_path, gpus=none)
    for shift in (-KEEP - 5, -KEEP / 2, 0.0):
        sampler._complete = lambda sample, shift=shift: setattr(sample, "at", sample.at + shift)  # type: ignore[misc]
        sampler._take()
    assert len(sampler.since(0)) == 2
    # A clock that is set back by an hour: what would lie in the future is forgotten.
    sampler._complete = lambda sample: setattr(sample, "at", sample.at - 3600)
    sampler._take()
    assert len(sampler.since(0)) == 1


def test_what_cannot_be_read_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(*_: object, **__: object) -> None:
        raise ValueError("not what psutil expects")

    never = threading.Event()
    for name in ("cpu_percent", "swap_memory", "disk_io_counters"):
        monkeypatch.setattr(psutil, name, odd)
    monkeypatch.setattr(hardware, "memory", odd)
    monkeypatch.setattr(psutil, "disk_usage", lambda _: never.wait())  # a network's disk whose server is away
    sampler = Sampler(lambda: 0.2, lambda sample: None, folder=tmp_path, gpus=none)
    sampler.start()
    until(lambda: len(sampler.since(0)) >= 3)
    sampler.stop()
    never.set()
    sample = sampler.latest()
    assert sample is not None
    assert (sample.cores, sample.disk_free, sample.disk_read) == ([], None, None)
    assert 0 < sample.memory_used < sample.memory_total
    assert sample.gpu_why == "none here"


def test_an_error_is_logged_once_and_settings_that_fail_end_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Sample] = []

    def broken() -> float:
        raise RuntimeError("no settings")

    sampler = Sampler(broken, seen.append, folder=tmp_path, gpus=broken)  # type: ignore[arg-type]
    sampler.start()
    until(lambda: len(seen) >= 3)
    sampler.stop()
    assert sorted(record.message for record in caplog.records) == [
        "how often to sample is not known",
        "the GPUs could not be asked",
    ]


# Written by hand, keys as others report them and figures made up: not recorded on a Mac.
BY_HAND = Path(__file__).with_name("data") / "ioreg_by_hand.plist"


def test_apples_gpu_is_read_from_the_io_registry() -> None:
    (gpu,) = apple.understood(BY_HAND.read_bytes())
    assert gpu.name == "Apple M2, 10 cores"
    assert gpu.percent == 37.0
    assert gpu.memory_used == 1_013_547_008
    assert gpu.memory_total is None, "what is allocated is no limit: it can be more than the machine has"


def test_what_is_no_registry_is_no_gpu() -> None:
    for said in (b"", b"nonsense", b"<plist version='1.0'><array><dict/></array></plist>", BY_HAND.read_bytes()[:200]):
        assert apple.understood(said) == []


def test_a_system_without_ioreg_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    gpus, why = apple.read()
    assert gpus == []
    assert "FileNotFoundError" in why


def test_ioreg_is_run_once_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[float] = []
    clock = SimpleNamespace(now=0.0)

    def asked() -> tuple[list[GpuSample], str]:
        runs.append(clock.now)
        return [GpuSample(id=str(len(runs)))], ""

    monkeypatch.setattr(apple, "read", asked)
    monkeypatch.setattr(apple, "time", SimpleNamespace(monotonic=lambda: clock.now))
    gpu = apple.Apple()
    seen = []
    for clock.now in (100.0, 100.2, 100.8, 100.99, 101.98, 102.1):
        seen.append(gpu.read()[0][0].id)
    assert runs == [100.0, 100.99, 101.98]
    assert seen == ["1", "1", "1", "2", "3", "3"]
    gpu.read()[0][0].name = "changed"
    assert gpu.read()[0][0].name == ""
