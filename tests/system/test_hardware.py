"""What of the machine this process may use: affinity, and the control groups of containers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from llmos_jupyter.system import hardware
from llmos_jupyter.system.hardware import Limits, Processors, container_limits


def test_here_is_no_more_than_this_machine() -> None:
    here = hardware.processors()
    assert 1 <= here.physical <= here.logical <= (os.cpu_count() or 1)
    memory = hardware.memory()
    assert 0 < memory.available <= memory.total <= psutil.virtual_memory().total


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_a_process_bound_to_one_processor_has_one() -> None:
    script = (
        "import os\nfrom llmos_jupyter.system import hardware\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\nprint(hardware.processors())"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(Processors(1, 1))


def container(root: Path, monkeypatch: pytest.MonkeyPatch, allowed: set[int]) -> None:
    """A machine of 64 logical processors, two of each core, and a container of it with 1 GiB and two processors."""
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 64 if logical else 32)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: allowed, raising=False)
    contents = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": f"{2**30}\n"}
    for number in range(64):
        siblings = f"{number % 32},{number % 32 + 32}\n"
        contents[f"sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list"] = siblings
    files(root, contents)


def test_a_container_with_2_of_64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    container(tmp_path, monkeypatch, set(range(64)))
    assert hardware.processors(tmp_path) == Processors(64, 32)
    files(tmp_path, {"sys/fs/cgroup/cpu.max": "200000 100000\n"})
    assert hardware.processors(tmp_path) == Processors(2, 2)
    files(tmp_path, {"sys/fs/cgroup/cpu.max": "50000 100000\n"})
    assert hardware.processors(tmp_path) == Processors(1, 1)
    assert hardware.memory(tmp_path).total == 2**30


def test_two_threads_of_one_core_are_one_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    container(tmp_path, monkeypatch, {3, 35})
    assert hardware.processors(tmp_path) == Processors(2, 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 4}, raising=False)
    assert hardware.processors(tmp_path) == Processors(2, 2)


# --- control groups -------------------------------------------------------------------------------


def files(root: Path, contents: dict[str, str]) -> Path:
    for name, words in contents.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(words)
    return root


def test_version_2_in_a_container(tmp_path: Path) -> None:
    root = files(
        tmp_path,
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/memory.max": "2147483648\n",
            "sys/fs/cgroup/memory.current": "900000000\n",
            "sys/fs/cgroup/memory.stat": "anon 500000000\nfile 400000000\ninactive_file 300000000\n",
            "sys/fs/cgroup/cpu.max": "150000 100000\n",
        },
    )
    assert container_limits(root) == Limits(2147483648, 2147483648 - 600000000, 1.5)


def test_version_2_the_tightest_of_all_parents_holds(tmp_path: Path) -> None:
    base = "sys/fs/cgroup/kubepods.slice"
    root = files(
        tmp_path,
        {
            "proc/self/cgroup": "0::/kubepods.slice/pod1/c1\n",
            f"{base}/memory.max": "9000000000\n",
            f"{base}/pod1/memory.max": "4000000000\n",
            f"{base}/pod1/memory.current": "3500000000\n",
            f"{base}/pod1/c1/memory.max": "max\n",
            f"{base}/pod1/c1/cpu.max": "max 100000\n",
            f"{base}/cpu.max": "400000 100000\n",
        },
    )
    assert container_limits(root) == Limits(4000000000, 500000000, 4.0)


@pytest.mark.parametrize("inside", [True, False])
def test_version_1(tmp_path: Path, inside: bool) -> None:
    """A container of version 1 names the host's path, which does not exist inside: the mount holds then."""
    group = "" if inside else "docker/abc/"
    root = files(
        tmp_path,
        {
            "proc/self/cgroup": "5:cpuacct,cpu:/docker/abc\n4:memory:/docker/abc\n1:name=systemd:/docker/abc\n",
            f"sys/fs/cgroup/memory/{group}memory.limit_in_bytes": "3000000000\n",
            f"sys/fs/cgroup/memory/{group}memory.usage_in_bytes": "1000000000\n",
            f"sys/fs/cgroup/memory/{group}memory.stat": "inactive_file 1\ntotal_inactive_file 200000000\n",
            f"sys/fs/cgroup/cpu/{group}cpu.cfs_quota_us": "200000\n",
            f"sys/fs/cgroup/cpu/{group}cpu.cfs_period_us": "100000\n",
        },
    )
    assert container_limits(root) == Limits(3000000000, 2200000000, 2.0)


def test_no_limits(tmp_path: Path) -> None:
    assert container_limits(tmp_path) == Limits()
    root = files(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/\n3:cpu:/\n0::/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
    )
    assert container_limits(root) == Limits()


def test_a_container_over_its_limit_has_nothing_left(tmp_path: Path) -> None:
    root = files(
        tmp_path,
        {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1000\n", "sys/fs/cgroup/memory.current": "2000\n"},
    )
    assert container_limits(root).memory_left == 0
