"""How devices are named, chosen and refused. llama.cpp's own device list is asked for real."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from llmos_jupyter import config
from llmos_jupyter.engines import catalogue, devices
from llmos_jupyter.engines.devices import Gpu, Seen
from llmos_jupyter.engines.selection import Machine
from llmos_jupyter.engines.starting import placement
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.session.using import model_on_device, pinning
from llmos_jupyter.system.device_names import Device, parse, split

CARD = Gpu(Device("cuda", 0), "CUDA0", "NVIDIA L4", 20 << 30, 24 << 30)
SECOND = Gpu(Device("cuda", 1), "CUDA1", "NVIDIA L4", 20 << 30, 24 << 30)


@pytest.mark.parametrize(
    ("text", "device"),
    [("cuda:1", Device("cuda", 1)), ("CUDA", Device("cuda")), ("cpu", Device("cpu")), ("auto", None), ("", None)],
)
def test_names(text: str, device: Device | None) -> None:
    assert parse(text) == device


@pytest.mark.parametrize("text", ["gpu", "cuda:", "cuda:x", "cuda:1:2", "cpu ; rm", "x" * 500])
def test_what_is_no_device_is_said_in_one_sentence(text: str) -> None:
    with pytest.raises(LLMOSError, match=r"There is no device .*cuda:1") as error:
        parse(text)
    assert len(str(error.value)) < 250


def test_a_device_stands_behind_a_model() -> None:
    assert split("qwen2.5-coder-1.5b@cuda:1") == ("qwen2.5-coder-1.5b", Device("cuda", 1))
    assert split("/data/you@home/m.gguf") == ("/data/you@home/m.gguf", None)
    model = catalogue.resolve("1.5b@CPU")
    assert (model.name, model.device) == ("qwen2.5-coder-1.5b@cpu", "cpu")
    assert catalogue.resolve(model.name) == model


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("1.5b --device cpu", "1.5b@cpu"),
        ("--device cuda:1 1.5b", "1.5b@cuda:1"),
        ("--device=cpu", "auto@cpu"),
        ("1.5b --device auto", "1.5b"),
        ("1.5b", "1.5b"),
        ("m --device http://host:8000/v1", "http://host:8000/v1#m"),
        ("--device http://host:8000", "http://host:8000/v1"),
        ("/a folder/m.gguf --device vulkan", "/a folder/m.gguf@vulkan"),
    ],
)
def test_what_use_is_told(said: str, name: str) -> None:
    assert model_on_device(said) == name


@pytest.mark.parametrize("said", ["1.5b --device", "1.5b@cpu --device cuda", "http://h/v1 --device cpu"])
def test_what_use_cannot_be_told(said: str) -> None:
    with pytest.raises(LLMOSError, match="--device"):
        model_on_device(said)


def test_llama_cpp_says_what_it_sees() -> None:
    found = devices.seen()
    assert not found.trouble
    assert all(gpu.memory_total >= gpu.memory_free for gpu in found.gpus)


@pytest.mark.skipif(sys.platform != "linux", reason="the wheel of macOS has Metal")
def test_a_device_that_is_not_here_is_refused_with_the_command_that_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "seen", Seen)
    with pytest.raises(LLMOSError, match=r"processors only: for vulkan run `pip install .*whl/vulkan xllamacpp`"):
        devices.for_llama(Device("vulkan"), "M")
    with pytest.raises(LLMOSError, match="Metal is for Apple's GPUs, and this machine has none"):
        devices.for_llama(Device("metal"), "M")
    with pytest.raises(LLMOSError, match=r"M is a GGUF file, which MLX does not load"):
        devices.for_llama(Device("mlx"), "M")
    assert devices.for_llama(Device("cpu"), "M") is None


def test_a_card_without_a_wheel_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(devices, "nvidia_cards", lambda: ["NVIDIA L4"])
    said = devices.missing(Device("cuda"), Seen())
    assert said.startswith("NVIDIA L4 is here, but llama.cpp is installed without CUDA: run `pip install")
    assert "llmos-jupyter[cuda]" in said
    monkeypatch.setattr(devices, "nvidia_cards", list)
    assert "No NVIDIA GPU with its driver was found" in devices.missing(Device("cuda"), Seen())
    assert "libcudart.so.12" in devices.missing(Device("cuda"), Seen(trouble="libcudart.so.12: cannot open"))


def test_the_number_of_a_gpu_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "seen", lambda: Seen((CARD, SECOND)))
    assert devices.for_llama(Device("cuda", 1), "M") == SECOND
    with pytest.raises(LLMOSError, match=r"There is no cuda:2 .* which has cuda \(NVIDIA L4\), cuda:1"):
        devices.for_llama(Device("cuda", 2), "M")


def test_the_cards_of_a_driver(tmp_path: Path) -> None:
    assert devices.nvidia_cards(tmp_path) == []
    card = tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0/information"
    card.parent.mkdir(parents=True)
    card.write_text("Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 96\n")
    assert devices.nvidia_cards(tmp_path) == ["NVIDIA H100 80GB HBM3"]


def test_names_of_llama_cpp() -> None:
    items = [
        {"name": name, "description": "d", "memory_free": 1, "memory_total": 2} for name in ("CUDA0", "CUDA1", "MTL0")
    ]
    found = list(devices._gpus([*items, {**items[0], "name": "CPU"}]))
    assert [str(gpu.device) for gpu in found] == ["cuda", "cuda:1", "metal"]


def test_the_device_of_a_machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.load().device == "auto"
    monkeypatch.setenv("LLMOS_DEVICE", "cuda:1")
    assert config.load().device == "cuda:1"
    assert config.change("device=cpu").device == "cpu"
    with pytest.raises(LLMOSError, match="device cannot be 'gpu': there is no device"):
        config.change("device=gpu")


# --- refused before anything is fetched -----------------------------------------------------------


def test_what_cannot_be_is_refused_before_it_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "seen", Seen)
    small = Machine(8 << 30, 6 << 30, 4)
    placement.refuse(catalogue.resolve("7b"), Machine(8 << 30, 7 << 30, 4))
    with pytest.raises(LLMOSError, match=r"14b needs 10.2 GB .* 6.4 GB are free: .*`%llmos use qwen2.5-coder-7b`"):
        placement.refuse(catalogue.resolve("14b"), small)
    with pytest.raises(LLMOSError, match="for vulkan run"):
        placement.refuse(catalogue.resolve("0.5b@vulkan"), small)


def test_the_memory_of_the_card_that_is_named_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Gpu(Device("cuda", 1), "CUDA1", "NVIDIA L4", 2 << 30, 24 << 30)
    monkeypatch.setattr(devices, "seen", lambda: Seen((CARD, full)))
    machine = Machine(64 << 30, 60 << 30, 8, CARD)
    placement.refuse(catalogue.resolve("14b"), machine)
    with pytest.raises(LLMOSError, match=r"2\.1 GB are free on NVIDIA L4"):
        placement.refuse(catalogue.resolve("14b@cuda:1"), machine)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("1.5b", ("1.5b", None)),
        ("1.5b --pin", ("1.5b", True)),
        ("1.5b --unpin --device cpu", ("1.5b --device cpu", False)),
        ("/data/a --pinned.gguf", ("/data/a --pinned.gguf", None)),
    ],
)
def test_what_is_to_stay_loaded_is_said_behind_the_model(said: str, expected: tuple[str, bool | None]) -> None:
    assert pinning(said) == expected


def test_both_pins_at_once_are_refused() -> None:
    with pytest.raises(LLMOSError, match="not both"):
        pinning("1.5b --pin --unpin")
