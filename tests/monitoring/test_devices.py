"""What a machine has. NVIDIA's own bindings are run, on a small NVML compiled here; its real one is not verified."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmos_jupyter.monitoring import devices
from llmos_jupyter.monitoring.devices import Gpu, Metal, metal, visible

GIB = 1 << 30
FIRST, SECOND = "GPU-11111111-aaaa-bbbb-cccc-000000000001", "GPU-22222222-aaaa-bbbb-cccc-000000000002"

SCRIPT = """
import dataclasses, json, os, sys
from pathlib import Path
from llmos_jupyter.monitoring import devices
for state in sys.argv[1:]:
    Path(os.environ["NVML_STUB"]).write_text(state)
    found = devices.look()
    print(json.dumps([[dataclasses.asdict(gpu) | {"number": gpu.number} for gpu in found.gpus], found.why]))
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a libnvidia-ml.so.1."""
    if sys.platform != "linux" or shutil.which("cc") is None:
        pytest.skip("needs Linux and a C compiler")
    folder = tmp_path_factory.mktemp("nvml")
    source = Path(__file__).with_name("nvml_stub.c")
    subprocess.run(
        ["cc", "-Wall", "-Werror", "-shared", "-fPIC", "-o", folder / "libnvidia-ml.so.1", source], check=True
    )
    return folder


def looked(library: Path, *states: str, **environment: str) -> list[tuple[list[dict[str, Any]], str]]:
    """What one process sees, look by look, while the driver is in these states."""
    inherited = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *states],
        env=inherited | {"LD_LIBRARY_PATH": str(library), "NVML_STUB": str(library / "state")} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def test_two_gpus_with_their_memory(library: Path) -> None:
    ((gpus, why),) = looked(library, "well")
    assert why == ""
    assert [(gpu["index"], gpu["uuid"], gpu["name"]) for gpu in gpus] == [
        (0, FIRST, "NVIDIA Stub A"),
        (1, SECOND, "NVIDIA Stub B"),
    ]
    assert [(gpu["memory_total"], gpu["memory_free"]) for gpu in gpus] == [(8 * GIB, 6 * GIB), (16 * GIB, 16 * GIB)]


def test_mig_devices_are_gpus_of_their_own(library: Path) -> None:
    ((gpus, why),) = looked(library, "mig")
    assert why == ""
    assert [gpu["number"] for gpu in gpus] == ["0:0", "0:2", "1"]
    assert [gpu["uuid"][:4] for gpu in gpus] == ["MIG-", "MIG-", "GPU-"]
    assert [gpu["memory_free"] for gpu in gpus] == [2 * GIB, 1 * GIB, 16 * GIB]


def test_a_gpu_without_memory_of_its_own(library: Path) -> None:
    ((gpus, _),) = looked(library, "shared")
    assert [(gpu["memory_total"], gpu["memory_free"]) for gpu in gpus] == [(0, 0), (0, 0)]


def test_what_fails_is_told_and_found_again_afterwards(library: Path) -> None:
    well, lost, gone, still, again = looked(library, "well", "lost", "driver", "driver", "well")
    assert len(well[0]) == len(again[0]) == 2
    assert again[1] == ""
    assert [gpu["index"] for gpu in lost[0]] == [0]
    assert "GPU 1" in lost[1]
    assert "lost" in lost[1]
    assert gone[0] == still[0] == []
    for _, why in (gone, still):
        assert "does not answer" in why
        assert why.count("\n") == 0


def test_a_driver_without_a_gpu(library: Path) -> None:
    assert looked(library, "none") == [([], "The NVIDIA driver is there, and no GPU.")]


def test_what_the_daemon_may_not_see_its_tasks_do_not_get(library: Path) -> None:
    ((gpus, why),) = looked(library, "well", CUDA_VISIBLE_DEVICES="1")
    assert ([gpu["index"] for gpu in gpus], why) == ([1], "")
    ((gpus, why),) = looked(library, "well", CUDA_VISIBLE_DEVICES="")
    assert gpus == []
    assert "CUDA_VISIBLE_DEVICES" in why


def test_without_a_driver_there_is_no_gpu_and_a_reason(tmp_path: Path) -> None:
    """On a machine with a driver this finds its GPUs."""
    ((gpus, why),) = looked(tmp_path, "well")
    assert bool(gpus) != ("libnvidia-ml.so.1" in why)


def test_a_broken_driver_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "libnvidia-ml.so.1").write_bytes(b"no library")
    ((gpus, why),) = looked(tmp_path, "well")
    assert gpus == []
    assert why.endswith(".")


def test_this_machine() -> None:
    here = devices.look()
    assert here.processors.logical >= here.processors.physical >= 1
    assert here.memory.total > here.memory.available > 0
    assert bool(here.gpus) != bool(here.why), "GPUs, or one sentence that says why there are none"


def gpu(index: int, uuid: str, mig: int | None = None) -> Gpu:
    return Gpu(index, uuid, "a GPU", 8 * GIB, 8 * GIB, mig)


@pytest.mark.parametrize(
    ("setting", "seen"),
    [
        (None, ["GPU-aa", "GPU-ab", "MIG-c", "MIG-d"]),
        ("", []),
        ("-1", []),
        ("1", ["GPU-ab"]),
        ("1, 0", ["GPU-ab", "GPU-aa"]),
        ("0,7,1", ["GPU-aa"]),
        ("0,0", ["GPU-aa"]),
        ("GPU-ab", ["GPU-ab"]),
        ("MIG-d,GPU-aa", ["MIG-d", "GPU-aa"]),
        ("2", ["MIG-c", "MIG-d"]),
        ("NoDevFiles", []),
    ],
)
def test_cuda_visible_devices(setting: str | None, seen: list[str]) -> None:
    gpus = [gpu(0, "GPU-aa"), gpu(1, "GPU-ab"), gpu(2, "MIG-c", 0), gpu(2, "MIG-d", 1)]
    assert [one.uuid for one in visible(gpus, setting)] == seen


def test_metal() -> None:
    """As `sysctl` writes it; not recorded on such a machine."""
    said = "hw.memsize: 25769803776\nhw.optional.arm64: 1\niogpu.wired_limit_mb: {}\n"
    assert metal(said.format(0)) == Metal(24 * GIB, 16 * GIB)
    assert metal(said.format(20480)) == Metal(24 * GIB, 20 * GIB)
    assert metal(said.format(99999)) == Metal(24 * GIB, 24 * GIB)
    assert metal("hw.memsize: 17179869184\nhw.optional.arm64: 1\n") == Metal(16 * GIB, 16 * GIB * 2 // 3)
    assert metal("hw.memsize: 17179869184\n") is None  # a processor of Intel's
    assert metal("") is None
