"""Models as folders of safetensors: what torch and MLX load. Checked before anything is started.

Only safetensors are taken, since a pickle runs code when it is loaded; and no model whose code comes with it.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmos_jupyter.engines.speaking.capabilities import MLX, TRANSFORMERS
from llmos_jupyter.errors import LLMOSError

# Beside weights and cache, of a process with torch or MLX in it. Measured with 0.5B on a processor: 0.6 GB.
OVERHEAD_BYTES = 700_000_000


@dataclass(frozen=True)
class Weights:
    """A whole model in a folder. Bytes; tokens."""

    path: Path
    size_bytes: int
    kv_bytes_per_token: int
    context: int
    made_for_mlx: bool

    def memory_bytes(self, context_tokens: int) -> int:
        return self.size_bytes + self.kv_bytes_per_token * context_tokens + OVERHEAD_BYTES


@dataclass(frozen=True)
class Launch:
    """How to start torch's or MLX's engine."""

    engine: str
    model: str
    path: Path
    context: int
    threads: int
    memory_bytes: int
    device: str = "auto"
    # One at a time: MLX's server mixes up or loses requests beside each other, and torch's has no batches.
    slots: int = 1
    # Seconds: torch alone is imported in up to 20 from a cold disk.
    ready_timeout: float = 600.0

    @property
    def served(self) -> str:
        # Another name would have either look for another model.
        return "default_model" if self.engine == MLX else str(self.path)

    @property
    def silence(self) -> float:
        """torch says nothing while it reads a prompt: 8192 tokens of a 1.5B took minutes on two cores."""
        return 120.0 if self.engine == MLX else 600.0

    @property
    def command(self) -> list[str]:
        module = "mlx_server" if self.engine == MLX else "transformers_server"
        return [sys.executable, "-m", f"llmos_jupyter.engines.starting.{module}"]

    @property
    def environment(self) -> dict[str, str]:
        return {}

    def settings(self, api_key: str) -> dict[str, Any]:
        return {
            "model": str(self.path),
            "name": self.model,
            "api_key": api_key,
            "threads": self.threads,
            "device": self.device,
            "need": self.memory_bytes,
        }


def read(path: Path) -> Weights:
    """The model in a folder. Raises LLMOSError, with the remedy, if there is no whole and safe one."""
    config = _json(path / "config.json")
    if config is None:
        raise LLMOSError(f"{path} is a folder without a model: give the path of a .gguf file inside it.")
    if problem := _problem(path, config):
        raise LLMOSError(f"{path.name} {problem}.")
    text = config.get("text_config", config)
    heads = text.get("num_key_value_heads") or text.get("num_attention_heads") or 0
    length = text.get("head_dim") or text.get("hidden_size", 0) // max(1, text.get("num_attention_heads", 1))
    return Weights(
        path=path,
        size_bytes=sum(file.stat().st_size for file in path.glob("*.safetensors")),
        kv_bytes_per_token=2 * text.get("num_hidden_layers", 0) * heads * length * 2,
        context=text.get("max_position_embeddings", 0),
        made_for_mlx="group_size" in (config.get("quantization") or {}),
    )


def _problem(path: Path, config: dict[str, Any]) -> str:
    """Why the model cannot or must not be loaded, with the remedy; empty if it can."""
    here = {file.name for file in path.glob("*.safetensors")}
    if not here and (any(path.glob("*.bin")) or any(path.glob("*.pt*"))):
        return "holds a pickle, which can run any code when it is loaded: choose a model with .safetensors files"
    if not here:
        return "holds no weights: fetch its .safetensors files again"
    index = _json(path / "model.safetensors.index.json") or {}
    if missing := sorted({*index.get("weight_map", {}).values()} - here):
        return f"lacks {len(missing)} of its files ({missing[0]}): fetch the folder again"
    if "auto_map" in config:
        return "wants code of its own to be run, which is never done: choose a model that transformers knows by itself"
    if not _has_chat_template(path):
        return "has no chat template, so that it cannot be asked: choose its variant for instructions"
    return ""


def engine_for(weights: Weights) -> str:
    """Which engine serves it here: MLX what was quantised for MLX, torch all else; MLX too where torch is not there.
    Raises LLMOSError, with what to install, if neither can."""
    torch, mlx = (importlib.util.find_spec(name) is not None for name in ("torch", "mlx_lm"))
    if weights.made_for_mlx or not torch:
        if mlx:
            return MLX
        extra = "mlx" if weights.made_for_mlx else "torch"
        raise LLMOSError(
            f"{weights.path.name} needs an engine that is not installed: run "
            f'`pip install "llmos-jupyter[{extra}]"`, then `llmos stop`.'
        )
    return TRANSFORMERS


def _has_chat_template(path: Path) -> bool:
    if any((path / name).is_file() for name in ("chat_template.jinja", "chat_template.json")):
        return True
    return bool((_json(path / "tokenizer_config.json") or {}).get("chat_template"))


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
