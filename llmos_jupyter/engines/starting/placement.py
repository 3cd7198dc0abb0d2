"""How a model is to be started: on which device, with how much context; or why it cannot be, before anything is
fetched or loaded."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from llmos_jupyter import paths
from llmos_jupyter.engines import devices, gguf, selection, weights_folder
from llmos_jupyter.engines.catalogue import Model
from llmos_jupyter.engines.starting.llama_cpp import REQUESTS_HELD, Launch
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.system.device_names import Device, parse
from llmos_jupyter.system.private_files import private_folder

Launching = Launch | weights_folder.Launch

# The least context, in tokens, with which a request can be asked.
LEAST_CONTEXT = 2048


def refuse(model: Model, machine: selection.Machine) -> None:
    """Raise LLMOSError, with the remedy, for a model that cannot be computed where it is wanted, or not fit there. As
    far as that is known without its file; `machine`: as it would be without the loaded model."""
    if model.url:
        return
    device = parse(model.device)
    if model.path is not None and model.path.is_dir():
        devices.for_folder(device, model.title, weights_folder.read(model.path).made_for_mlx)
        return
    gpu = devices.for_llama(device, model.title)
    free = _free(model, machine, gpu)
    need = gguf.memory_bytes(model, LEAST_CONTEXT * REQUESTS_HELD)
    if model.size_bytes and need > free:
        raise _too_large(model, need, free, gpu)


def device(model: Model) -> str:
    """Where a model will be computed, as the engine itself will say. Raises LLMOSError if that is not here."""
    named = parse(model.device)
    if model.path is not None and model.path.is_dir():
        return str(named or "cpu")
    gpu = devices.for_llama(named, model.title)
    return gpu.name if gpu else "cpu"


def card(launch: Launching) -> str | None:
    """The GPU in whose own memory a model will lie, empty for the machine's memory; None: its child decides, and sees
    whether it fits."""
    if isinstance(launch, Launch):
        on = (gpu.name for gpu in devices.seen().gpus if gpu.llama_name == launch.gpu and gpu.device.kind != "metal")
        return next(on, "") if launch.gpu else ""
    anywhere = launch.device == "auto" and devices.nvidia_cards()
    return None if anywhere or launch.device.startswith("cuda") else ""


def _free(model: Model, machine: selection.Machine, gpu: devices.Gpu | None) -> int:
    """Memory where a model will lie; `machine` knows what of it would come free."""
    if gpu is None:
        return machine.ram_available
    if machine.gpu is None or machine.gpu.device != gpu.device:
        return gpu.memory_free
    return machine.memory_free(model)[0]


def _too_large(model: Model, need: int, free: int, gpu: devices.Gpu | None) -> LLMOSError:
    where = f" on {gpu.name}" if gpu else ""
    return LLMOSError(
        f"{model.name} needs {need / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free{where}: "
        f"{selection.instead(free)}"
    )


def launch_folder(
    model: Model,
    weights: weights_folder.Weights,
    machine: selection.Machine,
    context: int,
    device: Device | None = None,
) -> weights_folder.Launch:
    """Whether it fits is seen in the child, which knows on which device it will be."""
    engine, torch_device = devices.for_folder(device, model.title, weights.made_for_mlx)
    context = min(context, weights.context) if weights.context else context
    return weights_folder.Launch(
        engine=engine or weights_folder.engine_for(weights),
        device=torch_device,
        model=model.name,
        path=weights.path,
        context=context,
        threads=machine.cores,
        memory_bytes=weights.memory_bytes(context),
    )


def launch(
    model: Model, path: Path, machine: selection.Machine, slots: int, context: int, device: Device | None = None
) -> Launch:
    gpu = devices.for_llama(device, model.title)
    free = _free(model, machine, gpu)
    trained = gguf.check(path).context_length
    context = min(context, trained) if trained else context
    while True:
        need = gguf.memory_bytes(path, context * REQUESTS_HELD)
        if need <= free:
            break
        if context <= LEAST_CONTEXT:
            raise _too_large(model, need, free, gpu)
        context //= 2
    private_folder(paths.states_dir())
    states = paths.states_dir() / re.sub(r"[^\w.-]", "-", model.name)
    shutil.rmtree(states, ignore_errors=True)
    private_folder(states)
    return Launch(
        model=model.name,
        states=states,
        path=path,
        slots=slots,
        context=context,
        threads=machine.cores,
        gpu=gpu.llama_name if gpu else "",
        memory_bytes=need,
        cache_mib=1024 if machine.ram_available > need + 4e9 else 256,
    )
