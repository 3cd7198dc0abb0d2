"""Models whose engines are stand-ins: all is real but llama.cpp."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llmos_jupyter.engines.starting import llama_cpp
from tests.engines.tiny_hub import gguf_bytes

STAND_IN = Path(__file__).with_name("stand_in.py")


@pytest.fixture
def model(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """The path of a small model file of this name. Its engine takes 0.45 GB, as far as its header tells."""
    monkeypatch.setattr(llama_cpp.Launch, "command", property(lambda self: [sys.executable, str(STAND_IN)]))

    def make(name: str) -> str:
        file = home / f"{name}.gguf"
        file.write_bytes(gguf_bytes(seed=len(name)))
        return str(file)

    return make
