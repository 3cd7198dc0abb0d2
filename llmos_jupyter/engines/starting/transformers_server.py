"""The child process that is torch's engine: `transformers serve` for one folder of weights, behind our gate.

Offline, pinned to the folder, remote code never trusted.
`python -m llmos_jupyter.engines.starting.transformers_server`, spoken to as `engine_child` says.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from llmos_jupyter.engines.starting import engine_child
from llmos_jupyter.engines.starting.gate import Gate

INSTALL = 'Models of this format run in torch: install it with `pip install "llmos-jupyter[torch]"`, then ask again.'


def main() -> int:
    settings, answer = engine_child.begin()
    engine_child.offline()
    try:
        import torch
        from transformers.cli.serve import ReasoningMode, Serve
        from transformers.cli.serving import server
    except ImportError as error:
        engine_child.give_up(answer, f"{INSTALL[:-1]} ({error}).")
    device = _device(torch, settings["device"])
    if sentence := _missing(torch, device):
        engine_child.give_up(answer, sentence)
    if sentence := _too_large(torch, device, settings):
        engine_child.give_up(answer, sentence)
    torch.set_num_threads(settings["threads"])
    build = server.build_server
    server.build_server = lambda *given, **named: Gate(build(*given, **named), settings["api_key"])
    try:
        serve = Serve(
            force_model=settings["model"],
            device=device,
            reasoning=ReasoningMode.OFF,
            host="127.0.0.1",
            port=0,
            non_blocking=True,
        )
    except torch.OutOfMemoryError:
        engine_child.give_up(answer, _no_room(settings["name"], device))
    except Exception as error:  # whatever a damaged folder leads to: the log has it all
        engine_child.give_up(answer, _damaged(settings["name"], error))
    while not serve.server.started:
        time.sleep(0.02)
    port = serve.server.servers[0].sockets[0].getsockname()[1]
    engine_child.say(answer, address=f"http://127.0.0.1:{port}", device=_name(torch, device))
    return engine_child.until_alone()


def _device(torch: Any, wanted: str) -> str:
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda:0"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _missing(torch: Any, device: str) -> str:
    """One sentence on a device that torch does not have here, with what to do; empty if it has it."""
    if device.startswith("cuda"):
        cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(device.partition(":")[2] or 0) < cards:
            return ""
        if cards:
            return f"torch sees {cards} GPUs, and no {device}: they are counted from cuda:0."
        if torch.version.cuda or torch.version.hip:
            return "torch is built for GPUs and sees none (`nvidia-smi` shows why): use `--device cpu`."
        return "torch is installed for processors only: run `pip install --force-reinstall torch`, then `llmos stop`."
    if device == "mps" and not torch.backends.mps.is_available():
        return "torch sees no GPU of Apple's here: use `--device cpu`."
    return ""


def _name(torch: Any, device: str) -> str:
    return str(torch.cuda.get_device_name(device)) if device.startswith("cuda") else device


def _too_large(torch: Any, device: str, settings: dict[str, Any]) -> str:
    """A sentence if the model cannot fit: it is not tried then."""
    import psutil

    free = torch.cuda.mem_get_info(device)[0] if device.startswith("cuda") else psutil.virtual_memory().available
    return "" if settings["need"] <= free else _no_room(settings["name"], device, settings["need"], free)


def _no_room(name: str, device: str, need: int = 0, free: int = 0) -> str:
    figures = f" (it needs {need / 1e9:.1f} GB and {free / 1e9:.1f} GB are free)" if need else ""
    return (
        f"{Path(name).name} does not fit into the memory of {device}{figures}: close what else uses it, or choose a "
        "smaller model with `%llmos use NAME`."
    )


def _damaged(name: str, error: Exception) -> str:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    why = f"{Path(name).name} cannot be loaded by transformers ({reason})"
    return f"{why}: fetch its folder again, or choose another model."


if __name__ == "__main__":
    raise SystemExit(main())
