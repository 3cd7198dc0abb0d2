"""Folders of weights that cannot or must not be loaded are refused before anything is started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmos_jupyter.engines import catalogue, download, weights_folder
from llmos_jupyter.engines.capabilities import MLX, TRANSFORMERS
from llmos_jupyter.errors import LLMOSError

CONFIG = {
    "model_type": "qwen2",
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "hidden_size": 896,
    "max_position_embeddings": 32768,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "a model #1 50% ü"
    made.mkdir()
    (made / "config.json").write_text(json.dumps(CONFIG))
    (made / "model.safetensors").write_bytes(b"x" * 1000)
    (made / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ messages }}"}))
    return made


def test_a_whole_folder_is_a_model_by_its_path(folder: Path) -> None:
    model = catalogue.resolve(str(folder))
    assert model.path == folder
    assert model.context == 32768
    assert model.size_bytes == 1000
    assert model.kv_bytes_per_token == 2 * 24 * 2 * 64 * 2
    assert download.ensure(model) == download.downloaded(model) == folder


def refused(folder: Path) -> str:
    with pytest.raises(LLMOSError) as raised:
        catalogue.resolve(str(folder))
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_pickle_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "choose a model with .safetensors files" in refused(folder)


def test_missing_files_are_named(folder: Path) -> None:
    shards = {"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(shards))
    assert "model-00002-of-00002.safetensors" in refused(folder)
    (folder / "model.safetensors").unlink()
    assert "holds no weights" in refused(folder)


def test_code_that_comes_with_a_model_never_runs(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps(CONFIG | {"auto_map": {"AutoModel": "modeling.Model"}}))
    assert "never done" in refused(folder)


def test_a_model_without_a_chat_template_is_refused(folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text("{}")
    assert "choose its variant for instructions" in refused(folder)
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    assert catalogue.resolve(str(folder)).path == folder


@pytest.mark.parametrize("text", ["", "[]", "{", "\ufeff"])
def test_a_folder_without_a_model_gets_a_sentence(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    assert ".gguf file inside it" in refused(folder)


@pytest.mark.parametrize(
    ("installed", "for_mlx", "engine"),
    [
        ({"torch", "mlx_lm"}, False, TRANSFORMERS),
        ({"torch", "mlx_lm"}, True, MLX),
        ({"mlx_lm"}, False, MLX),
        ({"torch"}, True, "llmos-jupyter[mlx]"),
        (set(), False, "llmos-jupyter[torch]"),
    ],
)
def test_the_format_and_what_is_installed_decide(
    folder: Path, monkeypatch: pytest.MonkeyPatch, installed: set[str], for_mlx: bool, engine: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name if name in installed else None)
    if for_mlx:
        (folder / "config.json").write_text(json.dumps(CONFIG | {"quantization": {"group_size": 64, "bits": 4}}))
    weights = weights_folder.read(folder)
    if engine in (MLX, TRANSFORMERS):
        assert weights_folder.engine_for(weights) == engine
    else:
        with pytest.raises(LLMOSError, match="not installed") as raised:
            weights_folder.engine_for(weights)
        assert engine in str(raised.value)
