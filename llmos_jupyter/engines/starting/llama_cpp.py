"""The default engine: llama.cpp through xllamacpp, in a child process."""

from __future__ import annotations

import os
import site
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmos_jupyter.engines.speaking.capabilities import LLAMA_CPP

# Whole requests that fit the store of context at once; slots share it, since candidates share their prompt.
REQUESTS_HELD = 2


def library_path() -> dict[str, str]:
    """Where the CUDA libraries of the packages lie, for a wheel that is built with CUDA and does not carry them. For
    children only: in our own process they could take the place of those that the user's code loads."""
    folders = [str(folder) for top in site.getsitepackages() for folder in sorted(Path(top).glob("nvidia/*/lib"))]
    if sys.platform != "linux" or not folders:
        return {}
    before = os.environ.get("LD_LIBRARY_PATH", "")
    return {"LD_LIBRARY_PATH": os.pathsep.join([*folders, *([before] if before else [])])}


@dataclass(frozen=True)
class Launch:
    """How to start one engine process, and what it will serve. `states`: the folder in which it keeps what slots that
    gave way had read and written. `gpu`: the name by which llama.cpp knows the GPU, empty for the processor."""

    model: str
    path: Path
    slots: int
    context: int
    threads: int
    memory_bytes: int
    cache_mib: int
    states: Path | None = None
    gpu: str = ""
    engine: str = LLAMA_CPP
    served: str = ""
    # Seconds: measured 1 to 3 s for 0.5B and 1.5B from a warm disk; a cold, slow disk reads 5 GB in about a minute.
    ready_timeout: float = 180.0
    silence: float = 120.0

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "llmos_jupyter.engines.starting.llama_cpp_server"]

    @property
    def environment(self) -> dict[str, str]:
        return library_path()

    def settings(self, api_key: str) -> dict[str, Any]:
        """What the child reads on its standard input."""
        return {
            "model": str(self.path),
            "name": self.model,
            "api_key": api_key,
            "slots": self.slots,
            "held": REQUESTS_HELD * self.context,
            "threads": self.threads,
            "gpu": self.gpu,
            "batch": 32,
            "cache_mib": self.cache_mib,
            # llama.cpp puts a file's name behind this as it is.
            "states": f"{self.states}/" if self.states else "",
        }
