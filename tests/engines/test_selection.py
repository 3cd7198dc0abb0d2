"""Which model fits which machine; and what machine a container makes of this one."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos_jupyter.engines import catalogue, selection
from llmos_jupyter.engines.catalogue import Model, models, resolve
from llmos_jupyter.engines.selection import Machine, choose, decode_speed, fits, model_infos
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.system import hardware
from llmos_jupyter.system.hardware import Limits
from tests.engines.tiny_hub import Site, gguf_bytes

GIB = 1 << 30


def machine(total: float, free: float, cores: int) -> Machine:
    return Machine(int(total * GIB), int(free * GIB), cores)


@pytest.mark.parametrize(
    ("total", "free", "cores", "name"),
    [
        (8, 4, 4, "qwen2.5-coder-1.5b"),  # a laptop with a desktop and a browser running
        (8, 3.5, 2, "qwen2.5-coder-1.5b"),
        (8, 6.5, 8, "qwen2.5-coder-1.5b"),
        (8, 2.99, 4, "qwen2.5-coder-0.5b"),
        (4, 2.0, 2, "qwen2.5-coder-0.5b"),
        (2, 1.4, 1, "qwen2.5-coder-0.5b"),  # Binder
        (24, 23, 2, "qwen2.5-coder-1.5b"),  # memory for 14B, but two cores
        (24, 23, 1, "qwen2.5-coder-1.5b"),
        (16, 11, 4, "qwen2.5-coder-7b"),
        (128, 120, 32, "qwen2.5-coder-7b"),  # the memory bus, not the cores, bounds the speed
    ],
)
def test_what_auto_means(total: float, free: float, cores: int, name: str) -> None:
    choice = choose(machine(total, free, cores), models())
    assert choice.model.name == name
    assert name in choice.why


def test_nothing_fits() -> None:
    with pytest.raises(LLMOSError, match=r"No model fits .* close other programs") as error:
        choose(machine(2, 0.9, 2), models())
    assert "qwen2.5-coder-0.5b" in str(error.value), "the test model of the plumbing is not an answer"


def test_the_order_of_the_models_does_not_matter() -> None:
    assert choose(machine(8, 4, 4), reversed(models())).model.name == "qwen2.5-coder-1.5b"


@given(free=st.floats(0.1, 200), cores=st.integers(1, 64))
def test_a_choice_fits_leaves_room_and_is_usable(free: float, cores: int) -> None:
    here = machine(free * 1.5, free, cores)
    try:
        chosen = choose(here, models()).model
    except LLMOSError:
        assert free * GIB * selection.LAST_RESORT_SHARE < 1.143e9
        return
    assert chosen.automatic
    need = fits(chosen, here)
    assert need[0]
    assert decode_speed(chosen, here) >= selection.USABLE_TOKENS_PER_SECOND
    more = choose(machine(free * 3, free * 2, cores), models()).model
    assert more.size_bytes >= chosen.size_bytes, "more memory must never mean a smaller model"


def test_speed_of_the_measured_machine() -> None:
    two_cores = machine(24, 20, 2)
    assert decode_speed(resolve("1.5b"), two_cores) == pytest.approx(15.5, rel=0.15)
    assert decode_speed(resolve("0.5b"), two_cores) == pytest.approx(39, rel=0.15)


def test_only_downloaded_models_without_network() -> None:
    here = machine(8, 6, 4)
    choice = choose(here, models(), downloaded={"qwen2.5-coder-0.5b"}, only_downloaded=True)
    assert choice.model.name == "qwen2.5-coder-0.5b"
    assert choose(here, models(), downloaded={"qwen2.5-coder-0.5b"}).model.name == "qwen2.5-coder-1.5b"
    with pytest.raises(LLMOSError, match="llmos models pull"):
        choose(here, models(), downloaded={"smollm2-135m"}, only_downloaded=True)


def test_a_named_model_may_take_all_memory_but_not_more() -> None:
    model = resolve("7b")
    assert fits(model, machine(8, 6, 4))[0]
    assert fits(model, machine(8, 6, 4), share=selection.NOTEBOOK_SHARE)[0] is False
    possible, why = fits(model, machine(8, 5, 4))
    assert not possible
    assert why == "needs 6.1 GB of memory and 5.4 GB are free"


def test_a_longer_context_needs_more() -> None:
    model = resolve("1.5b")
    here = machine(8, 2.5, 4)
    assert fits(model, here, context_tokens=16_384)[0]
    assert not fits(model, here, context_tokens=65_536)[0]


def test_model_infos(model_home: Path, site: Site, tmp_path: Path) -> None:
    from llmos_jupyter.engines.download import ensure

    site.files["org/tiny-GGUF/tiny-q4_k_m.gguf"] = gguf_bytes()
    ensure(resolve("org/tiny-GGUF"))
    infos = {info.name: info for info in model_infos(machine(8, 4, 4))}
    assert list(infos)[:-1] == [model.name for model in models()]
    assert [name for name, info in infos.items() if info.automatic] == ["qwen2.5-coder-1.5b"]
    assert [name for name, info in infos.items() if info.downloaded] == ["org/tiny-GGUF:tiny-q4_k_m.gguf"]
    assert not infos["qwen2.5-coder-7b"].fits
    assert "licence" in infos["qwen2.5-coder-3b"].why
    assert infos["qwen2.5-coder-0.5b"].memory_bytes == pytest.approx(1.14e9, rel=0.01)
    assert all(info.why for info in infos.values())
    assert not any(info.automatic or info.fits for info in model_infos(machine(1, 0.2, 1)) if "tiny" not in info.name)


# --- the machine and its containers ---------------------------------------------------------------


def test_here_is_this_machine() -> None:
    here = Machine.here()
    assert 0 < here.ram_available <= here.ram_total <= psutil.virtual_memory().total
    assert 1 <= here.cores <= (os.cpu_count() or 1)


def test_the_machine_is_no_larger_than_its_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "container_limits", lambda root: Limits(2 * GIB, 1 * GIB, 0.5))
    assert Machine.here() == Machine(2 * GIB, 1 * GIB, 1)


def test_unknown_sizes_do_not_divide_by_zero() -> None:
    model = Model("org/x:y.gguf", "x", "y.gguf", 0, 0)
    assert fits(model, machine(8, 4, 2))[0]
    assert decode_speed(model, machine(8, 4, 2)) > 0


def test_auto_is_one_of_the_catalogue() -> None:
    assert selection.resolve(" Auto ").automatic
    assert selection.resolve("1.5b") == resolve("1.5b")


def test_the_catalogue_is_what_is_chosen_from() -> None:
    assert choose(Machine.here(), catalogue.models()).model in catalogue.models()
