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
from llmos_jupyter.engines.catalogue import models, resolve
from llmos_jupyter.engines.download import downloaded
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


# --- what a context takes, and what a token reads -------------------------------------------------


def architecture(name: str, layers: int, kv_heads: object, **figures: object) -> dict[str, object]:
    """Header keys of another architecture in the place of `gguf_bytes`'s own."""
    own = ("block_count", "context_length", "embedding_length", "attention__head_count", "attention__head_count_kv")
    figures = {
        "block_count": layers,
        "context_length": 4096,
        "embedding_length": 64,
        "attention__head_count": 8,
        "attention__head_count_kv": kv_heads,
        **figures,
    }
    return {
        "general__architecture": name,
        **{f"qwen2__{key}": None for key in own},
        **{f"{name}__{key}": value for key, value in figures.items()},
    }


def test_of_a_hybrid_only_every_fourth_layer_grows(tmp_path: Path) -> None:
    """Qwen3.5 27B's figures, from a llama.cpp log: 64 KiB a token, and 150 MB of state for each of four requests."""
    data = gguf_bytes(
        **architecture(
            "qwen35", 64, 4, attention__key_length=256, attention__value_length=256, full_attention_interval=4,
            ssm__conv_kernel=4, ssm__state_size=128, ssm__group_count=16, ssm__time_step_rank=48, ssm__inner_size=6144,
        )
    )  # fmt: skip
    header = gguf.check(written(tmp_path, data))
    assert header.kv_bytes_per_token == 16 * 4 * 512 * 2
    assert header.cache_bytes == 627_572_736
    assert header.kv_bytes_per_token == resolve("qwen3.8-27b").kv_bytes_per_token
    assert header.cache_bytes == resolve("qwen3.8-27b").cache_bytes


def test_layers_without_heads_are_recurrent(tmp_path: Path) -> None:
    figures = {"ssm__conv_kernel": 4, "ssm__state_size": 16, "ssm__group_count": 1, "ssm__inner_size": 128}
    header = gguf.check(written(tmp_path, gguf_bytes(**architecture("granitehybrid", 4, [0, 0, 0, 2], **figures))))
    assert header.kv_bytes_per_token == 2 * 16 * 2
    assert header.cache_bytes == 3 * 4 * 4 * (16 * 128 + 3 * (128 + 32))


@pytest.mark.parametrize(
    ("name", "layers", "heads", "window", "shared", "per_token"),
    [("gemma-4-e4b", 42, 2, 512, 18, 16_384), ("gemma-4-26b-a4b", 30, [8, 8, 8, 8, 8, 2] * 5, 1024, 0, 20_480)],
)
def test_windows_do_not_grow_and_shared_layers_have_none(
    tmp_path: Path, name: str, layers: int, heads: object, window: int, shared: int, per_token: int
) -> None:
    """Gemma 4's figures; 20 KiB a token of the 26B-A4B is what ollama's pull request 16958 corrects its estimate to."""
    pattern = [1, 1, 1, 1, 1, 0] * (layers // 6)
    data = gguf_bytes(
        **architecture(
            "gemma4", layers, heads, attention__key_length=512, attention__value_length=512,
            attention__key_length_swa=256, attention__value_length_swa=256, attention__sliding_window=window,
            attention__sliding_window_pattern=pattern, attention__shared_kv_layers=shared,
        )
    )  # fmt: skip
    header = gguf.check(written(tmp_path, data))
    assert header.kv_bytes_per_token == per_token == resolve(name).kv_bytes_per_token
    assert header.cache_bytes == resolve(name).cache_bytes


def test_of_a_mixture_of_experts_those_that_are_asked_are_read(tmp_path: Path) -> None:
    tensors = {
        "output.weight": 100,
        "token_embd.weight": 1000,
        "blk.0.attn_q.weight": 50,
        "blk.0.ffn_up_exps.weight": 800,
    }
    data = gguf_bytes(tensors=tensors, qwen2__expert_count=8, qwen2__expert_used_count=2)
    assert gguf.check(written(tmp_path, data)).active_bytes == 4 * (100 + 50 + 800 * 2 // 8)


def test_a_table_of_words_is_read_only_where_it_is_the_output(tmp_path: Path) -> None:
    tensors = {"token_embd.weight": 1000, "blk.0.attn_q.weight": 50, "per_layer_token_embd.weight": 5000}
    assert gguf.check(written(tmp_path, gguf_bytes(tensors=tensors))).active_bytes == 4 * 1050


def test_the_catalogue_says_what_the_real_headers_say() -> None:
    for model in models():
        if path := downloaded(model):
            header = gguf.check(path)
            assert (header.kv_bytes_per_token, header.cache_bytes) == (model.kv_bytes_per_token, model.cache_bytes)
            assert header.active_bytes == pytest.approx(model.active_bytes or model.size_bytes, rel=0.15)
