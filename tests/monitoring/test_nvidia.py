"""NVIDIA's GPUs as they are sampled: the real bindings on the NVML compiled here; its real one is not verified."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.monitoring.test_devices import FIRST, GIB, SECOND, library

__all__ = ["library"]

SCRIPT = """
import json, os, sys
from pathlib import Path
from llmos_jupyter.monitoring import nvidia as module
from llmos_jupyter.monitoring.nvidia import Nvidia
if "LIST_ANEW" in os.environ:
    module.LIST_EVERY = module.BACK_OFF = float(os.environ["LIST_ANEW"])
nvidia = Nvidia()
for state in sys.argv[1:]:
    Path(os.environ["NVML_STUB"]).write_text(state)
    samples, why = nvidia.read()
    print(json.dumps([[sample.model_dump() for sample in samples], why, os.getpid()]))
"""


def read(
    library: Path, *states: str, script: str = SCRIPT, **environment: str
) -> list[tuple[list[dict[str, Any]], str, int]]:
    """What one process reads, one after the other, while the driver is in these states. LIST_ANEW: seconds until what
    there is is listed anew, whether it was well or not."""
    done = subprocess.run(
        [sys.executable, "-c", script, *states],
        env=os.environ | {"LD_LIBRARY_PATH": str(library), "NVML_STUB": str(library / "state")} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def test_all_that_is_told_of_two_gpus(library: Path) -> None:
    ((first, second), why, pid) = read(library, "well")[0]
    assert why == ""
    assert (first["uuid"], second["uuid"]) == (FIRST, SECOND)
    assert (first["percent"], second["percent"]) == (70.0, 0.0)
    assert (first["memory_used"], first["memory_total"]) == (2 * GIB, 8 * GIB)
    assert (first["watts"], first["watts_limit"], first["celsius"]) == (123.4, 250.0, 61.0)
    assert (first["core_mhz"], first["memory_mhz"]) == (1410, 5001)
    ours, other = first["processes"]
    assert (ours["pid"], ours["memory_bytes"], ours["percent"]) == (pid, GIB, 45.0)
    assert "python" in ours["name"]
    assert (other["memory_bytes"], other["percent"], other["name"]) == (GIB // 2, 0.0, "")
    assert second["processes"] == []


def test_what_is_not_told_is_none_and_the_rest_is_there(library: Path) -> None:
    (gpus, why, _) = read(library, "bare")[0]
    assert why == ""
    assert {gpus[0][name] for name in ("percent", "watts", "watts_limit", "celsius", "core_mhz", "memory_mhz")} == {
        None
    }
    assert gpus[0]["memory_used"] == 2 * GIB
    assert gpus[0]["processes"][0]["memory_bytes"] == GIB
    assert gpus[0]["processes"][0]["percent"] is None
    (shared, _, _) = read(library, "shared")[0]
    assert (shared[0]["memory_used"], shared[0]["percent"]) == (None, 70.0)


def test_mig_devices_have_memory_and_processes_and_no_utilisation(library: Path) -> None:
    (gpus, _, pid) = read(library, "mig")[0]
    assert [gpu["id"] for gpu in gpus] == ["0:0", "0:2", "1"]
    assert [gpu["percent"] for gpu in gpus] == [None, None, 0.0]
    assert gpus[1]["memory_used"] == GIB
    assert [process["pid"] for process in gpus[1]["processes"]] == [pid]


def test_a_gpu_that_is_lost_is_told_and_comes_back(library: Path) -> None:
    well, lost, again = read(library, "well", "lost", "well")
    assert [len(gpus) for gpus, _, _ in (well, lost, again)] == [2, 1, 2]
    assert "GPU 1 cannot be asked (GPU is lost)" in lost[1]
    assert again[1] == ""


def test_a_driver_that_is_gone_is_told_and_comes_back(library: Path) -> None:
    seen = read(library, "driver", "driver", "well", LIST_ANEW="0")
    assert [len(gpus) for gpus, _, _ in seen] == [0, 0, 2]
    assert all("does not answer" in why for _, why, _ in seen[:2])


def test_after_a_reset_the_gpus_are_seen_again_whoever_else_has_looked(library: Path) -> None:
    """NVML begins anew only when nobody holds it."""
    both = "from llmos_jupyter.monitoring import devices; assert devices.look().gpus\n"
    (library / "state").write_text("well")
    for script in (SCRIPT, both + SCRIPT):
        well, reset, again = read(library, "well", "reset", "well", script=script, LIST_ANEW="0")
        assert [len(gpus) for gpus, _, _ in (well, reset, again)] == [2, 0, 2]
        assert "GPU is lost" in reset[1]


def test_a_call_that_fails_costs_its_own_figure_only(library: Path) -> None:
    unknown, empty, grows = read(library, "unknown", "empty", "grows")
    for gpus, why, _ in (unknown, empty, grows):
        assert ([gpu["id"] for gpu in gpus], why) == (["0", "1"], "")
        assert gpus[0]["celsius"] == 61.0
    assert unknown[0][0]["watts"] is None
    assert unknown[0][0]["processes"][0]["percent"] == 45.0
    assert empty[0][0]["processes"][0]["percent"] == 0.0
    assert grows[0][0]["processes"][0]["percent"] is None


def test_one_gpu_that_stays_lost_does_not_hide_the_others(library: Path) -> None:
    seen = read(library, "well", "lost", "lost", "lost", "well")
    assert [[gpu["id"] for gpu in gpus] for gpus, _, _ in seen] == [["0", "1"], ["0"], ["0"], ["0"], ["0", "1"]]
    assert all("GPU 1 cannot be asked (GPU is lost)" in why for _, why, _ in seen[1:4])
    assert seen[4][1] == ""


def test_a_gpu_that_is_divided_meanwhile_is_seen(library: Path) -> None:
    seen = read(library, "well", "mig", "well", LIST_ANEW="0")
    assert [[gpu["id"] for gpu in gpus] for gpus, _, _ in seen] == [["0", "1"], ["0:0", "0:2", "1"], ["0", "1"]]
    assert [why for _, why, _ in seen] == [""] * 3


def test_a_driver_that_fails_is_not_started_with_every_sample(library: Path) -> None:
    inits = library / "state.inits"
    inits.write_text("")
    seen = read(library, *["driver"] * 5)
    assert all(gpus == [] and "The NVIDIA driver does not answer" in why for gpus, why, _ in seen)
    assert inits.read_text() == "."
    inits.write_text("")
    seen = read(library, "driver", "well", "well", "lost", "lost", LIST_ANEW="0")
    assert [len(gpus) for gpus, _, _ in seen] == [0, 2, 2, 1, 1]
    assert inits.read_text() == "...", "started afresh where it failed, not where it is well"


def test_notes_on_processes_are_asked_for_of_a_second_at_least(library: Path) -> None:
    seen = read(library, *["well"] * 3)
    assert [gpus[0]["processes"][0]["percent"] for gpus, _, _ in seen] == [45.0] * 3
    # The stub notes at each look: between two notes of a real driver, nothing would be told of a process that works.
    assert time.time() - int((library / "state.since").read_text()) / 1e6 >= 1


def test_no_driver_is_one_sentence() -> None:
    # Also where one is installed: the loader finds no library of the name that NVIDIA's bindings ask for.
    script = """
import ctypes
load = ctypes.CDLL.__init__
def without_nvml(self, name, *rest, **more):
    if "nvidia-ml" in str(name):
        raise OSError(f"{name}: cannot open shared object file")
    load(self, name, *rest, **more)
ctypes.CDLL.__init__ = without_nvml
from llmos_jupyter.monitoring.nvidia import Nvidia
print(*Nvidia().read())
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("[] No NVIDIA driver is installed here")


HANGING = """
import json, os, sys, time
from pathlib import Path
from llmos_jupyter.monitoring.nvidia import Nvidia
from llmos_jupyter.monitoring.sampler import Sampler
stub = Path(os.environ["NVML_STUB"])
stub.write_text("well")
seen = []
sampler = Sampler(lambda: 0.2, seen.append, folder=Path("."), gpus=Nvidia().read)
sampler.start()
def until(wanted):
    end = time.monotonic() + 60
    while time.monotonic() < end and not (seen and wanted(seen[-1])):
        time.sleep(0.05)
    return seen[-1]
def tell(sample):
    print(json.dumps([[gpu.model_dump() for gpu in sample.gpus], sample.gpu_why, len(sample.cores)]), flush=True)
tell(until(lambda sample: sample.gpus))
stub.write_text("hangs")
tell(until(lambda sample: sample.gpu_why))
count = len(seen)
until(lambda sample: len(seen) > count + 3 and sample.gpu_why)
tell(seen[-1])
stub.write_text("well")
tell(until(lambda sample: sample.gpus))
os._exit(0)
"""


def test_a_driver_that_hangs_keeps_no_sample_waiting(library: Path) -> None:
    well, hangs, later, again = read(library, script=HANGING)
    assert len(well[0]) == 2
    for gpus, why, cores in (hangs, later):
        assert gpus == []
        assert "has not answered" in why
        assert cores > 0
    assert len(again[0]) == 2
