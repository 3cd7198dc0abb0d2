"""The child process that says which GPUs llama.cpp can use: one line of JSON.

`python -m llmos_jupyter.engines.starting.llama_cpp_devices`.
"""

from __future__ import annotations

import json
from typing import Any


def gpus() -> list[dict[str, Any]]:
    """llama.cpp's GPUs in its own order, cards with memory of their own before those that share the machine's."""
    import xllamacpp

    found = [device for device in xllamacpp.get_device_info() if "GPU" in str(device["type"])]
    return sorted(found, key=lambda device: "IGPU" in str(device["type"]))


def main() -> int:
    trouble = ""
    found: list[dict[str, Any]] = []
    try:
        found = gpus()
    except (ImportError, OSError, RuntimeError) as error:  # a library of CUDA or its driver is not there
        trouble = " ".join(str(error).split())[:200]
    kept = ("name", "description", "memory_free", "memory_total")
    print(json.dumps({"gpus": [{key: gpu[key] for key in kept} for gpu in found], "trouble": trouble}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
