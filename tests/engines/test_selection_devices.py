"""What `auto` means by device, and by what was measured on this machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmos_jupyter.engines import catalogue, devices, selection
from llmos_jupyter.engines.catalogue import models, resolve
from llmos_jupyter.engines.devices import Gpu, Seen
from llmos_jupyter.engines.selection import Machine, choose, decode_speed, fits
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.system.device_names import Device

GIB = 1 << 30


def with_gpu(gib: float, kind: str = "cuda", ram: float = 16) -> Machine:
    gpu = Gpu(Device(kind), "X0", "NVIDIA X", int(gib * GIB), int(gib * GIB))  # type: ignore[arg-type]
    return Machine(int(ram * GIB), int(ram * GIB), 4, gpu)


@pytest.mark.parametrize(
    ("gib", "name"),
    [
        (7.5, "qwen2.5-coder-7b"),
        (15.5, "qwen2.5-coder-14b"),
        (23.5, "qwen3-coder-30b-a3b"),
        (79, "qwen3-coder-30b-a3b"),
    ],
)
def test_auto_by_the_memory_of_the_gpu(gib: float, name: str) -> None:
    choice = choose(with_gpu(gib), models())
    assert choice.model.name == name
    assert "on NVIDIA X" in choice.why


def test_a_mixture_of_experts_is_for_gpus_until_it_was_measured_on_a_processor() -> None:
    large = Machine(128 * GIB, 120 * GIB, 32)
    assert decode_speed(resolve("30b"), large) > 20, "by the weights that are read, not by those that are there"
    assert choose(large, models()).model.name == "qwen2.5-coder-7b"


def test_apples_gpu_takes_its_memory_from_the_machine() -> None:
    assert choose(with_gpu(21, "metal", ram=9), models()).model.name == "qwen2.5-coder-7b"


def test_a_model_on_the_processor_does_not_look_at_the_gpu() -> None:
    machine = with_gpu(40, ram=4)
    assert fits(resolve("14b"), machine)[0]
    assert fits(resolve("14b@cpu"), machine) == (False, "needs 12.7 GB of memory and 4.3 GB are free")


def test_what_was_measured_decides() -> None:
    """A machine whose memory is slower than the formula says."""
    formula = Machine(24 * GIB, 23 * GIB, 2)
    assert choose(formula, models()).model.name == "qwen2.5-coder-1.5b"
    slow = Machine(24 * GIB, 23 * GIB, 2, measured={"qwen2.5-coder-1.5b": 3.0})
    choice = choose(slow, models())
    assert choice.model.name == "qwen2.5-coder-0.5b"
    assert "qwen2.5-coder-1.5b, would write only about 3.0" in choice.why
    fast = Machine(24 * GIB, 23 * GIB, 2, measured={"qwen2.5-coder-0.5b": 120.0})
    choice = choose(fast, models())
    assert choice.model.name == "qwen2.5-coder-7b", "others are as fast as the memory that was seen"
    assert "wrote 120 tokens/s when it was measured here" in choose(fast, models()[:2]).why


def test_what_was_measured_on_another_device_says_nothing() -> None:
    machine = Machine(24 * GIB, 23 * GIB, 2, measured={"qwen2.5-coder-1.5b@cuda": 300.0})
    assert decode_speed(resolve("1.5b"), machine) < 20
    assert decode_speed(resolve("1.5b@cuda"), machine) == 300.0


def test_auto_on_a_device_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = with_gpu(23.5, ram=4)
    assert machine.gpu
    monkeypatch.setattr(devices, "seen", lambda: Seen((machine.gpu,)))  # type: ignore[arg-type]
    assert selection.automatic(machine, None).model.name == "qwen3-coder-30b-a3b"
    assert selection.automatic(machine, Device("cuda")).model.name == "qwen3-coder-30b-a3b@cuda"
    assert selection.automatic(machine, Device("cpu")).model.name == "qwen2.5-coder-1.5b@cpu"
    slow = replace(machine, measured={"qwen2.5-coder-1.5b@cpu": 3.0})
    assert selection.automatic(slow, Device("cpu")).model.name == "qwen2.5-coder-0.5b@cpu"
    here = selection.automatic(machine, Device("cpu"), downloaded={"qwen2.5-coder-0.5b"}, only_downloaded=True)
    assert here.model.name == "qwen2.5-coder-0.5b@cpu"
    with pytest.raises(LLMOSError, match="llmos models pull"):
        selection.automatic(machine, Device("cpu"), only_downloaded=True)
    with pytest.raises(LLMOSError, match="What `auto` means is a GGUF file"):
        selection.automatic(machine, Device("mlx"))


def test_the_largest_that_fits_is_named() -> None:
    assert "`%llmos use qwen2.5-coder-7b`" in selection.instead(8 * GIB)
    assert selection.instead(GIB // 2) == "close something and try again."
    assert all(catalogue.resolve(name) for name in ("granite-4.2-3b", "gemma-4-26b-a4b"))
