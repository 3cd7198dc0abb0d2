"""Reads the header of a GGUF model file: what it is, how much memory it needs, whether it is whole.

The layout is that of the GGUF specification (ggml repository, `docs/gguf.md`), versions 2 and 3, which
are those llama.cpp loads. Only the header is read, never the weights, and every count in it is checked
against the file's size and a fixed bound before it is believed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from llmos_jupyter.errors import LLMOSError

MAGIC = b"GGUF"
VERSIONS = (2, 3)

# Memory of a llama.cpp server beside weights and cache, in bytes. The largest part is the logits of one
# batch (512 tokens x 152 k words x 4 bytes = 311 MB for Qwen's vocabulary); the rest is the other compute
# buffers and the Python process that holds it, about 140 MB.
OVERHEAD_BYTES = 450_000_000

# Far above any real model (the largest vocabularies have some 260 k words and 500 k merges), far below
# what would take seconds or gigabytes to walk through.
_MAX_KEYS = 10_000
_MAX_TENSORS = 200_000
_MAX_ELEMENTS = 4_000_000
_MAX_STRING_KEPT = 1 << 20
_MAX_KEY_BYTES = 65_535
_MAX_LAYERS = 10_000

# Requests beside each other, each with a window and a state of its own; and tokens read at once (see llama_cpp.py).
_SEQUENCES, _BATCH = 4, 32
# Layers from one that sees all to the next, of architectures whose headers do not say it (llama.cpp, `src/models`).
_WINDOW_PERIODS = {"gemma2": 2, "gemma3": 6, "gpt-oss": 2, "cohere2": 4}

_STRING, _ARRAY = 8, 9
_SCALARS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip

# ggml's tensor types: elements in a block, bytes of a block (`ggml-common.h`).
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110),
    22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8),
    29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip

Value = int | float | bool | str | list[int] | None


@dataclass(frozen=True)
class Header:
    """What the header says. Lengths are in elements, `context_length` in tokens, sizes in bytes.

    `kv_bytes_per_token`: attention cache that grows with the context, at llama.cpp's default of two bytes a number.
    `cache_bytes`: what does not grow, the windows and recurrent states of hybrid models. `active_bytes`: weights that
    are read for one token, of a mixture of experts those that are asked.
    """

    version: int
    architecture: str
    name: str
    context_length: int
    block_count: int
    head_count: int
    kv_heads: tuple[int, ...]
    key_length: int
    value_length: int
    kv_bytes_per_token: int
    cache_bytes: int
    active_bytes: int
    chat_template: bool
    tensor_count: int
    file_bytes: int


class Weights(Protocol):
    """A model whose size is known without its file: an entry of the catalogue."""

    @property
    def size_bytes(self) -> int: ...

    @property
    def kv_bytes_per_token(self) -> int: ...

    @property
    def cache_bytes(self) -> int: ...


def memory_bytes(model: Path | Weights, context_tokens: int) -> int:
    """Memory an engine needs for a model, in bytes: weights, attention cache and overhead.

    `context_tokens` is the sum over all slots. Raises `LLMOSError` if a given file is not a usable model.
    """
    if isinstance(model, Path):
        header = read_header(model)
        size, per_token, constant = header.file_bytes, header.kv_bytes_per_token, header.cache_bytes
    else:
        size, per_token, constant = model.size_bytes, model.kv_bytes_per_token, model.cache_bytes
    return size + per_token * context_tokens + constant + OVERHEAD_BYTES


def _use(tensor: str) -> str:
    if tensor.startswith("per_layer_token_embd"):
        return "rows"
    if tensor == "token_embd.weight":
        return "table"
    return "experts" if "_exps." in tensor else "read"


def _cache(
    architecture: str,
    figure: Callable[..., int],
    values: dict[str, Value],
    kv_heads: tuple[int, ...],
    key_length: int,
    value_length: int,
) -> tuple[int, int]:
    """Bytes of cache: for each token, and whatever the context is. By layer, as llama.cpp allocates it: those that see
    everything grow with the context, those with a sliding window hold one for each sequence, recurrent ones a state."""
    of_all = 2 * (key_length + value_length)
    of_window = 2 * (
        figure("attention.key_length_swa", key_length) + figure("attention.value_length_swa", value_length)
    )
    window = figure("attention.sliding_window")
    cells = -(-(window * _SEQUENCES + _BATCH) // 256) * 256
    # Convolution and state of one layer and sequence (Mamba, gated delta nets), four bytes a number.
    inner, size, groups = (figure(f"ssm.{name}") for name in ("inner_size", "state_size", "group_count"))
    state = 4 * (size * inner + max(figure("ssm.conv_kernel") - 1, 0) * (inner + 2 * groups * size))
    interval = figure("full_attention_interval") or 1
    pattern = values.get(f"{architecture}.attention.sliding_window_pattern")
    if not isinstance(pattern, list):
        period = pattern if isinstance(pattern, int) else _WINDOW_PERIODS.get(architecture, 1)
        pattern = [(layer + 1) % period != 0 if period > 1 else False for layer in range(len(kv_heads))]
    own = len(kv_heads) - figure("attention.shared_kv_layers")
    grows = constant = 0
    for layer, heads in enumerate(kv_heads[: max(own, 0)]):
        if not heads or (layer + 1) % interval:
            constant += state * _SEQUENCES
        elif window and layer < len(pattern) and pattern[layer]:
            constant += heads * of_window * cells
        else:
            grows += heads * of_all
    return grows, constant


def check(path: Path) -> Header:
    """The header of a file that is a whole, loadable language model.

    Raises `LLMOSError` if it is none: no GGUF, unsupported version, cut short, or not a language model.
    """
    header = read_header(path)
    if not header.block_count or not header.tensor_count:
        raise _unusable(path, f"it holds no weights of a language model ({header.architecture[:40]!r})")
    return header


def read_header(path: Path) -> Header:
    """Read the header and check that all tensors lie within the file. Raises `LLMOSError`."""
    if path.is_dir():
        raise LLMOSError(f"{path} is a folder: give the path of a .gguf file inside it.")
    if not path.is_file():  # nothing there, or a pipe or device, whose opening could wait for ever
        raise LLMOSError(f"There is no model file {path}: check the path, or run `llmos models list`.")
    try:
        with path.open("rb") as file:
            return _Reader(path, file).header()
    except OSError as error:
        reason = error.strerror or str(error)
        raise LLMOSError(
            f"The model file {path} cannot be read ({reason}): check that it is a file you may read."
        ) from error


def _unusable(path: Path, reason: str) -> LLMOSError:
    return LLMOSError(f"{path} is not a usable model file: {reason}; download it again, or choose another .gguf file.")


class _Reader:
    """One pass over a header. Everything it reads is bounded by the file's size and the limits above."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.file = file
        self.size = path.stat().st_size
        self.at = 0
        self.elements = 0
        # Bytes of tensors by what is done with them: read for each token; of experts, some of which are asked; of the
        # table of words; and of tables of which only rows are looked up.
        self.bytes = {"read": 0, "experts": 0, "table": 0, "rows": 0}
        self.own_output = False

    def header(self) -> Header:
        start = self.file.read(4)
        self.at = len(start)
        if start != MAGIC:
            raise LLMOSError(f"{self.path} is not a GGUF model file: choose a file in the GGUF format (.gguf).")
        version = self.number("<I")
        if version not in VERSIONS:
            swapped = int.from_bytes(struct.pack("<I", version), "big") in VERSIONS
            what = "is big-endian" if swapped else f"has GGUF version {version}"
            raise _unusable(self.path, f"it {what}, and versions 2 and 3, little-endian, are supported")
        tensors, keys = self.number("<Q"), self.number("<Q")
        if tensors > _MAX_TENSORS or keys > _MAX_KEYS:
            raise self.broken()
        values: dict[str, Value] = {}
        for _ in range(keys):
            key = self.string(_MAX_KEY_BYTES)
            values[key] = self.value(self.number("<I"), key)
        self.tensors(tensors, values.get("general.alignment", 32))
        return self.describe(version, tensors, values)

    def describe(self, version: int, tensors: int, values: dict[str, Value]) -> Header:
        kind = values.get("general.type", "model")
        if kind != "model":
            raise _unusable(self.path, f"it holds no whole model but one of the kind {str(kind)[:40]!r}")
        architecture = values.get("general.architecture")
        if not isinstance(architecture, str) or not architecture:
            raise _unusable(self.path, "its header names no architecture")
        parts = values.get("split.count", 0)
        if isinstance(parts, int) and parts > 1:
            raise _unusable(self.path, f"it is one of {parts} parts (join them with `llama-gguf-split --merge`)")

        def figure(name: str, default: int = 0) -> int:
            value = values.get(f"{architecture}.{name}", default)
            if isinstance(value, list):  # one figure a layer: the largest is the safe one
                value = max(value, default=default)
            if not isinstance(value, int) or value < 0 or value >= 1 << 32:
                raise self.broken()
            return value

        layers = figure("block_count")
        if layers > _MAX_LAYERS:
            raise self.broken()
        heads = figure("attention.head_count")
        per_head = figure("embedding_length") // heads if heads else 0
        given = values.get(f"{architecture}.attention.head_count_kv", heads)
        if isinstance(given, list):
            kv_heads = tuple(given)
            if len(kv_heads) != layers or any(n < 0 or n >= 1 << 32 for n in kv_heads):
                raise self.broken()
        else:
            kv_heads = (figure("attention.head_count_kv", heads),) * layers
        name = values.get("general.name")
        key_length = figure("attention.key_length", per_head)
        value_length = figure("attention.value_length", per_head)
        per_token, constant = _cache(architecture, figure, values, kv_heads, key_length, value_length)
        return Header(
            version=version,
            architecture=architecture,
            name=name if isinstance(name, str) else "",
            context_length=figure("context_length"),
            block_count=layers,
            head_count=heads,
            kv_heads=kv_heads,
            key_length=key_length,
            value_length=value_length,
            kv_bytes_per_token=per_token,
            cache_bytes=constant,
            active_bytes=self.active(figure("expert_count"), figure("expert_used_count")),
            chat_template=bool(values.get("tokenizer.chat_template")),
            tensor_count=tensors,
            file_bytes=self.size,
        )

    def tensors(self, count: int, alignment: Value) -> None:
        if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 20 or alignment & (alignment - 1):
            raise self.broken()
        end = 0
        for _ in range(count):
            tensor = self.string(_MAX_KEY_BYTES)
            dimensions = self.number("<I")
            if dimensions > 8:
                raise self.broken()
            elements = 1
            for _ in range(dimensions):
                elements *= self.number("<Q")
            # A type newer than the table: its offset is still checked, its length cannot be.
            in_block, block_bytes = _BLOCKS.get(self.number("<I"), (1, 0))
            offset = self.number("<Q")
            length = -(-elements // in_block) * block_bytes
            end = max(end, offset + length)
            self.bytes[_use(tensor)] += length
            self.own_output |= tensor == "output.weight"
        start = -(-self.at // alignment) * alignment
        if count and start + end > self.size:
            missing = start + end - self.size
            raise _unusable(self.path, f"it is cut short ({missing:,} bytes are missing)")

    def active(self, experts: int, used: int) -> int:
        """Bytes of weights that are read to write one token. A table of words that is the output too is read whole."""
        asked = self.bytes["experts"] * used // experts if experts else self.bytes["experts"]
        return self.bytes["read"] + asked + (0 if self.own_output else self.bytes["table"]) or self.size

    def value(self, kind: int, key: str) -> Value:
        if kind == _STRING:
            if self.kept(key):
                return self.string(_MAX_STRING_KEPT)
            self.skip_string()
            return None
        if kind == _ARRAY:
            return self.array(key)
        if kind not in _SCALARS:
            raise self.broken()
        value: Value = self.scalar(_SCALARS[kind])
        return value

    def array(self, key: str) -> list[int] | None:
        kind, count = self.number("<I"), self.number("<Q")
        self.elements += count
        if self.elements > _MAX_ELEMENTS:
            raise self.broken()
        if kind == _STRING:
            for _ in range(count):
                self.skip_string()
            return None
        if kind not in _SCALARS:  # an array of arrays is allowed by the format and used by no model
            raise self.broken()
        code = _SCALARS[kind]
        width = struct.calcsize(code)
        if count <= _MAX_LAYERS and code[1] in "BbHhIiQq?" and not key.startswith("tokenizer."):
            return list(struct.unpack(f"<{count}{code[1]}", self.take(count * width)))
        self.skip(count * width)
        return None

    @staticmethod
    def kept(key: str) -> bool:
        return key in ("general.architecture", "general.name", "general.type", "tokenizer.chat_template")

    def string(self, limit: int) -> str:
        length = self.number("<Q")
        if length > limit:
            raise self.broken()
        return self.take(length).decode("utf-8", "replace")

    def skip_string(self) -> None:
        self.skip(self.number("<Q"))

    def number(self, code: str) -> int:
        return int(self.scalar(code))

    def scalar(self, code: str) -> int | float | bool:
        value: int | float | bool = struct.unpack(code, self.take(struct.calcsize(code)))[0]
        return value

    def take(self, length: int) -> bytes:
        if length > self.size - self.at:
            raise self.cut()
        data = self.file.read(length)
        if len(data) != length:
            raise self.cut()
        self.at += length
        return data

    def skip(self, length: int) -> None:
        if length > self.size - self.at:
            raise self.cut()
        if length < 256:  # reading from the buffer is several times faster than seeking in it
            self.file.read(length)
        else:
            self.file.seek(length, 1)
        self.at += length

    def cut(self) -> LLMOSError:
        return _unusable(self.path, "its header is cut short or damaged")

    def broken(self) -> LLMOSError:
        return _unusable(self.path, "its header is damaged")
