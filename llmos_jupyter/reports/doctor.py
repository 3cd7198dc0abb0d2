"""`%llmos doctor`: is everything there that an answer needs, and what to do if not; on which device it is computed, and
what would be faster. Loads nothing, unless it is to measure."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from llmos_jupyter import config, paths
from llmos_jupyter._version import __version__
from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.effects.copy import kernel_copy
from llmos_jupyter.engines import devices, download, selection
from llmos_jupyter.engines.speaking import address
from llmos_jupyter.engines.speaking.capabilities import LLAMA_CPP, MLX, TABLE, TRANSFORMERS
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.reports.tables import used
from llmos_jupyter.sandbox import lock
from llmos_jupyter.system.device_names import Device, parse
from llmos_jupyter.units import size

ENGINE_PACKAGES = {
    LLAMA_CPP: ("xllamacpp",),
    TRANSFORMERS: ("transformers", "torch"),
    MLX: ("mlx-lm", "mlx"),
}


@dataclass(frozen=True)
class Check:
    """One thing looked at. `bad`: answers will not come. `note`: they will, with something less."""

    name: str
    state: Literal["ok", "note", "bad"]
    detail: str


def report(*, measure: bool = False) -> str:
    """All checks as text, one line each. `measure` the speed of the model in use first, which loads it; that of a model
    which is loaded, idle and was never measured is measured unasked."""
    if measure:
        DaemonClient().measure("auto")
    elif resident := _never_measured():
        DaemonClient(start=False).measure(resident)
    marks = {"ok": "ok   ", "note": "note ", "bad": "BAD  "}
    return "\n".join(f"{marks[check.state]} {check.name:<11} {check.detail}" for check in checks())


def checks() -> Iterator[Check]:
    for look in (
        _versions,
        _settings,
        _machine,
        _engines,
        _device,
        _model,
        _speeds,
        _disk,
        _rehearsal,
        _runtime,
        _daemon,
        _engine_log,
    ):
        yield from _safely(look)


def _safely(look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    try:
        yield from look()
    except (LLMOSError, OSError) as error:
        yield Check(look.__name__.strip("_"), "bad", str(error))


def _versions() -> Iterator[Check]:
    found = []
    for package in ("ipython", "ipykernel", "jupyterlab", "xllamacpp"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"no {package}")
    yield Check(
        "versions",
        "ok",
        f"llmos-jupyter {__version__}, Python {platform.python_version()} ({sys.platform}), {', '.join(found)}",
    )


def _settings() -> Iterator[Check]:
    changed = config.load().model_dump(exclude_defaults=True)
    yield Check("settings", "ok", ", ".join(f"{key}={value}" for key, value in changed.items()) or "all defaults")


def _machine() -> Iterator[Check]:
    here = selection.Machine.here()
    yield Check(
        "machine", "ok", f"{here.cores} cores, {size(here.ram_available)} of {size(here.ram_total)} memory free"
    )


def _engines() -> Iterator[Check]:
    """What is installed, by its metadata: importing torch takes seconds."""
    for engine, packages in ENGINE_PACKAGES.items():
        try:
            detail = ", ".join(f"{package} {version(package)}" for package in packages)
        except PackageNotFoundError:
            continue
        yield Check("engines", "ok", f"{engine}: {detail}")


def _device() -> Iterator[Check]:
    """Where llama.cpp computes and why, and the one command that gets something faster."""
    wanted, found = parse(config.load().device), devices.seen()
    if found.trouble:
        yield Check("device", "bad", devices.missing(Device("cuda"), found))
        return
    gpu = devices.automatic()
    if wanted:
        yield Check("device", "ok", f"{wanted}: your setting, or LLMOS_DEVICE")
    elif gpu:
        yield Check(
            "device", "ok", f"{gpu.device}: {gpu.name}, {size(gpu.memory_free)} of {size(gpu.memory_total)} free"
        )
    else:
        yield Check("device", "ok", "cpu: llama.cpp sees no GPU")
    cards = devices.nvidia_cards()
    if cards and (gpu is None or gpu.device.kind != "cuda"):
        yield Check("faster", "note", devices.missing(Device("cuda"), found))
    elif gpu is None and (flags := devices.unused_instructions()):
        yield Check(
            "faster",
            "note",
            f"this processor has {flags}, which the wheel does not use: `pip install --force-reinstall --no-binary "
            "xllamacpp xllamacpp` builds one that does (it needs a C++ compiler and CMake)",
        )


def measured() -> dict[str, float]:
    """Tokens a second that models wrote when they were measured here; nothing while no daemon runs."""
    if lifecycle.find() is None:
        return {}
    return {speed.model: speed.writes for speed in DaemonClient(start=False).speeds()}


def _never_measured() -> str:
    """A model that is loaded on this machine, if nobody uses any and nothing is known of its speed."""
    if lifecycle.find() is None:
        return ""
    known = measured()
    for engine in DaemonClient(start=False).status().engines:
        if engine.busy_slots:  # what is measured beside it would not be true
            return ""
        if engine.engine in TABLE and engine.state == "ready" and engine.model not in known:
            return engine.model
    return ""


def _speeds() -> Iterator[Check]:
    speeds = DaemonClient(start=False).speeds() if lifecycle.find() else []
    for speed in speeds:
        share = "" if speed.bandwidth_share is None else f", {speed.bandwidth_share:.0%} of what its memory allows"
        when = time.strftime("%d %b %Y %H:%M", time.localtime(speed.at))
        yield Check(
            "speed",
            "ok",
            f"{speed.model} on {speed.device}: reads {speed.reads:.0f} and writes {speed.writes:.1f} tokens/s{share} "
            f"({when})",
        )
    if not speeds:
        yield Check("speed", "note", "not measured yet: `llmos doctor --measure` does it in a few seconds")


def _model() -> Iterator[Check]:
    wanted = config.load().model
    if wanted == "auto":
        choice = selection.automatic(selection.Machine.here(measured()), parse(config.load().device))
        model, why = choice.model, choice.why.rstrip(".")
    else:
        model, why = selection.resolve(wanted), "your setting"
    if model.url:
        server = address.parse(model.url)
        state: Literal["ok", "note"] = "ok" if server.loopback else "note"
        where = "on this machine" if server.loopback else f"what you ask leaves this machine for {server.host}"
        key = "its key is known" if address.key_for(server) else "no key is known for it"
        yield Check("model", state, f"{model.title} ({why}): {where}; {key}")
        return
    if path := download.downloaded(model):
        yield Check("model", "ok", f"{model.name} ({why}): {path}")
    else:
        yield Check("model", "note", f"{model.name} ({why}) is fetched at the first request: {size(model.size_bytes)}")


def _disk() -> Iterator[Check]:
    for name, folder in (("models", paths.model_dir()), ("history", paths.data_dir())):
        existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
        free = shutil.disk_usage(existing).free
        if not os.access(existing, os.W_OK):
            yield Check("disk", "bad", f"{folder} cannot be written: set LLMOS_MODEL_DIR or LLMOS_DATA_DIR ({name})")
        else:
            yield Check("disk", "ok" if free > 3e9 else "note", f"{name} in {folder}: {size(free)} free")


def _rehearsal() -> Iterator[Check]:
    reason = kernel_copy.supported()
    if reason:
        yield Check("sandbox", "note", f"not here ({reason}): you are asked before code runs")
    else:
        yield Check("sandbox", "ok", f"code runs in a locked copy of the kernel ({lock.describe()})")


def _runtime() -> Iterator[Check]:
    file = paths.runtime_file()
    if not file.exists():
        yield Check("runtime", "ok", "no daemon is running; the next request starts it")
        return
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        yield Check("runtime", "bad", f"{file} can be read by others: run `llmos stop`, then delete it")
    elif lifecycle.read_runtime_file() is None:
        yield Check("runtime", "note", f"{file} is damaged; the next request replaces it")
    else:
        yield Check("runtime", "ok", str(file))


def _daemon() -> Iterator[Check]:
    if lifecycle.find() is None:
        return
    status = DaemonClient(start=False).status()
    yield Check("daemon", "ok", f"{status.version}, process {status.pid}, log {status.log}")
    for engine in status.engines:
        state: Literal["ok", "bad"] = "bad" if engine.state == "failed" else "ok"
        trouble = f": {engine.error}" if engine.error else ""
        memory = f", {size(engine.memory_bytes)} of memory" if engine.memory_bytes else ""
        yield Check(
            "engine",
            state,
            f"{engine.model} in {engine.engine}: {engine.state}{trouble}{memory}; {used(engine)}",
        )
        for clause in engine.lacks:
            yield Check("engine", "note", clause)


def _engine_log() -> Iterator[Check]:
    file = paths.data_dir() / "engine.log"
    if file.exists():
        lines = file.read_text(encoding="utf-8", errors="replace")[-20_000:].splitlines()
        trouble = [line for line in lines if " E " in line or "error" in line.lower()]
        if trouble:
            yield Check("engine log", "note", f"{file}: {trouble[-1].strip()[:200]}")
