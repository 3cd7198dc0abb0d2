"""The GGUF reader on valid, odd, damaged and hostile files."""

from __future__ import annotations

import os
import struct
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmos_jupyter.engines import gguf
from llmos_jupyter.errors import LLMOSError
from tests.engines.tiny_hub import gguf_bytes, model_of, pair, text
from tests.examples import examples

WHOLE = gguf_bytes(weights=64)


def written(folder: Path, data: bytes) -> Path:
    file = folder / "model.gguf"
    file.write_bytes(data)
    return file


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("alignment", [8, 32, 4096])
def test_header_of_a_whole_file(tmp_path: Path, version: int, alignment: int) -> None:
    file = written(tmp_path, gguf_bytes(version=version, alignment=alignment))
    header = gguf.check(file)
    assert header.architecture == "qwen2"
    assert header.name == "Tiny"
    assert (header.version, header.context_length, header.block_count, header.head_count) == (version, 2048, 4, 8)
    assert header.kv_heads == (2, 2, 2, 2)
    assert (header.key_length, header.value_length) == (8, 8)
    assert header.chat_template
    assert header.file_bytes == file.stat().st_size
    assert header.kv_bytes_per_token == 2 * 4 * 2 * 8 * 2


def test_lengths_given_by_the_header_win_over_the_embedding(tmp_path: Path) -> None:
    data = gguf_bytes(qwen2__attention__key_length=32, qwen2__attention__value_length=16)
    assert gguf.check(written(tmp_path, data)).kv_bytes_per_token == 4 * 2 * (32 + 16) * 2


def test_heads_may_differ_from_layer_to_layer_and_be_none(tmp_path: Path) -> None:
    data = gguf_bytes(qwen2__attention__head_count_kv=[0, 2, 0, 1])
    assert gguf.check(written(tmp_path, data)).kv_bytes_per_token == 3 * 2 * 8 * 2


def test_without_grouped_heads_every_head_has_its_cache(tmp_path: Path) -> None:
    header = gguf.check(written(tmp_path, gguf_bytes(qwen2__attention__head_count_kv=None)))
    assert header.kv_heads == (8, 8, 8, 8)


def test_no_chat_template(tmp_path: Path) -> None:
    assert not gguf.check(written(tmp_path, gguf_bytes(tokenizer__chat_template=None))).chat_template


def test_memory_is_weights_cache_and_overhead(tmp_path: Path) -> None:
    data = gguf_bytes()
    file = written(tmp_path, data)
    expected = len(data) + 256 * 1000 + gguf.OVERHEAD_BYTES
    assert gguf.memory_bytes(file, 1000) == expected
    assert gguf.memory_bytes(model_of(data, kv_bytes_per_token=256), 1000) == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a GGUF"),
        (b"GG", "not a GGUF"),
        (b"<html>please log in</html>" * 10, "not a GGUF"),
        (b"GGUF", "cut short"),
        (gguf_bytes(version=1), "version 1"),
        (gguf_bytes(version=4), "version 4"),
        (WHOLE[:4] + struct.pack(">I", 3) + WHOLE[8:], "big-endian"),
        (WHOLE[:-1], r"cut short \(1 bytes are missing\)"),
        (gguf_bytes(weights=100_000)[:5000], "cut short"),
        (gguf_bytes(general__architecture=None), "no architecture"),
        (gguf_bytes(general__architecture="clip"), "no weights of a language model"),
        (gguf_bytes(general__type="adapter"), "adapter"),
        (gguf_bytes(split__count=3), "one of 3 parts"),
        (gguf_bytes(alignment=0 + 1 << 21), "damaged"),
    ],
)
def test_unusable_files_are_named_with_their_reason(tmp_path: Path, data: bytes, message: str) -> None:
    file = written(tmp_path, data)
    with pytest.raises(LLMOSError, match=message) as error:
        gguf.check(file)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_vocabulary_without_weights_is_no_model(tmp_path: Path) -> None:
    keys = {"general.architecture": "qwen2", "qwen2.block_count": 4}
    data = b"GGUF" + struct.pack("<IQQ", 3, 0, len(keys)) + b"".join(pair(*item) for item in keys.items())
    with pytest.raises(LLMOSError, match="no weights"):
        gguf.check(written(tmp_path, data))


def test_missing_file_folder_and_pipe(tmp_path: Path) -> None:
    with pytest.raises(LLMOSError, match="no model file"):
        gguf.check(tmp_path / "none.gguf")
    with pytest.raises(LLMOSError, match="is a folder"):
        gguf.check(tmp_path)
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(LLMOSError, match="no model file"):
        gguf.check(tmp_path / "pipe.gguf")


def hostile(*parts: bytes, keys: int = 1, tensors: int = 1) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, keys) + b"".join(parts)


HUGE = (1 << 64) - 1


@pytest.mark.parametrize(
    "data",
    [
        hostile(keys=HUGE),
        hostile(tensors=HUGE, keys=0),
        hostile(struct.pack("<Q", HUGE)),
        hostile(text("general.name") + struct.pack("<IQ", 8, HUGE)),
        hostile(text("a") + struct.pack("<IIQ", 9, 4, HUGE)),
        hostile(text("a") + struct.pack("<IIQ", 9, 8, HUGE)),
        hostile(text("a") + struct.pack("<IIQ", 9, 9, 1) * 1000),
        hostile(text("a") + struct.pack("<IIQ", 9, 8, 100_000_000) + b"\0" * 1_000_000),
        hostile(text("t") + struct.pack("<I", HUGE & 0xFFFFFFFF), keys=0),
        hostile(text("t") + struct.pack("<IQQIQ", 2, HUGE, HUGE, 0, HUGE), keys=0),
        gguf_bytes(qwen2__block_count=0xFFFFFFFF),
    ],
)
def test_hostile_sizes_cost_neither_time_nor_memory(tmp_path: Path, data: bytes) -> None:
    file = written(tmp_path, data)
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(LLMOSError):
        gguf.check(file)
    assert time.process_time() - started < 1
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_a_vast_sparse_file_of_empty_strings_is_refused_soon(tmp_path: Path) -> None:
    file = written(tmp_path, hostile(text("a") + struct.pack("<IIQ", 9, 8, 1 << 30)))
    os.truncate(file, 1 << 34)
    started = time.process_time()
    with pytest.raises(LLMOSError):
        gguf.check(file)
    assert time.process_time() - started < 1


quick = settings(max_examples=examples(400), deadline=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(length=st.integers(0, len(WHOLE) - 1))
def test_any_truncation_is_refused(tmp_path: Path, length: int) -> None:
    with pytest.raises(LLMOSError):
        gguf.check(written(tmp_path, WHOLE[:length]))


change = st.tuples(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=9))


@quick
@given(changes=st.lists(change, min_size=1, max_size=4))
def test_any_corruption_is_read_or_refused(tmp_path: Path, changes: list[tuple[int, bytes]]) -> None:
    data = bytearray(WHOLE)
    for at, new in changes:
        data[at : at + len(new)] = new
    file = written(tmp_path, bytes(data))
    words = ""
    try:
        assert gguf.check(file).kv_bytes_per_token >= 0
    except LLMOSError as error:
        words = str(error)
    assert "\n" not in words


@quick
@given(junk=st.binary(max_size=400))
def test_any_bytes_after_the_magic(tmp_path: Path, junk: bytes) -> None:
    with pytest.raises(LLMOSError):
        gguf.check(written(tmp_path, b"GGUF\x03\0\0\0" + junk))
