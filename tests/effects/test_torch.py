"""PyTorch in the sandbox: programs as in `test_programs`, and results whose computation stays behind."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from llmos_jupyter.agent.rehearsal.kernel_copy import supported
from llmos_jupyter.effects import commit as committing
from llmos_jupyter.effects.table import BufferReader, CannotComeHome, Malformed, MemoryFiles
from llmos_jupyter.effects.transaction import commit, run_in_sandbox
from tests.effects.processes import Ahead, cell, check, fresh_shell, in_fork, runs_of
from tests.effects.programs import TORCH, Program
from tests.effects.test_hostile import content

pytest.importorskip("torch")
importlib.import_module("torch._dynamo")  # which optimizers do, and what that imports adds filters of warnings
pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest) -> Iterator[Ahead]:
    with runs_of(request) as ahead:
        yield ahead


@pytest.mark.parametrize("program", TORCH, ids=[program.name.replace(" ", "-") for program in TORCH])
def test_a_run_through_the_sandbox_is_as_a_plain_run(program: Program, runs: Ahead) -> None:
    check(program, runs)


def _after(setup: str, code: str, then: str) -> dict[str, Any]:
    shell = fresh_shell(setup)
    ran = run_in_sandbox(code, shell)
    told = [(why.name, why.reason) for why in ran.cannot]
    if told or not ran.committable:
        return {"told": told, "report": ran.report.model_dump()}
    commit(ran)
    return {"told": told, "shown": cell(shell, then)}


def test_a_loss_keeps_its_value_and_says_where_its_computation_is() -> None:
    setup = "import torch\nw = torch.ones(2, requires_grad=True)"
    then = "print(loss.item(), loss.requires_grad)\nloss.backward()"
    status, done = in_fork(lambda: _after(setup, "loss = (w * 3).sum()", then))
    assert status == "done", done
    success, (out, *_) = done["shown"]
    assert not success
    assert out.startswith("6.0 True")
    assert "compute it again in the notebook" in out


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("t = torch.eye(2).to_sparse()", "it is a sparse tensor"),
        ("w.register_hook(print)", "it is a tensor with a hook on its gradient"),
        ("t = torch.empty(2, device='meta')", "it is a tensor on the device meta"),
    ],
)
def test_tensors_that_cannot_come_home_are_told(code: str, reason: str) -> None:
    status, done = in_fork(lambda: _after("import torch\nw = torch.ones(2, requires_grad=True)", code, ""))
    assert status == "done", done
    assert reason in [why for _, why in done["told"]], done


def test_a_pool_of_threads_used_in_the_notebook_does_not_hang_the_copy() -> None:
    setup = "import torch\ntorch.set_num_threads(2); x = torch.ones(2000, 2000); y = x @ x; z = x.exp().sum()"
    status, done = in_fork(lambda: _after(setup, "s = (x @ x).sum().item(); u = (x.exp() + 1).sum()", "s"))
    assert status == "done", done
    assert done["told"] == []
    assert "8000000000.0" in done["shown"][1][0]


def _tensor(layout: Any = ([2], [1], 0), memory: Any = (1,), name: Any = "Tensor", dtype: Any = "float32") -> list[Any]:
    return ["tensor", name, dtype, list(layout), [False, True], list(memory), None, None, [[], []]]


BYTES = ["tensor memory", "bytes", b"12345678"]
SYSTEM = ["global", "os", "system"]
ARRAY = ["array", None, "<f4", [2], [4], True, None, ["bytes", [0], bytes(8)]]
FORGED: dict[str, list[Any]] = {
    "too long": [_tensor(([3], [1], 0)), BYTES],
    "beyond its memory": [_tensor(([1], [1], 2)), BYTES],
    "strides that wrap": [_tensor(([2], [1 << 61], 0)), BYTES],
    "negative stride": [_tensor(([2], [-1], 1)), BYTES],
    "of no class": [_tensor(name="Module"), BYTES],
    "of no dtype": [_tensor(dtype="os"), BYTES],
    "in a function": [_tensor(), SYSTEM],
    "outside its array": [_tensor(), ["tensor memory", "array", [2], 4, 8], ARRAY],
    "truth values that are none": [_tensor(dtype="bool"), BYTES],
    "memory of nothing": [_tensor(), ["tensor memory", "tensor", [2]], SYSTEM],
    "parameter of whole numbers that needs gradients": [
        ["tensor", "Parameter", "int64", [[1], [1], 0], [True, True], [1], None, None, [[], []]],
        BYTES,
    ],
    "gradient that does not fit": [
        ["tensor", "Tensor", "float32", [[2], [1], 0], [True, True], [1], None, [2], [[], []]],
        BYTES,
        _tensor(([1], [1], 0)),
    ],
    "state of no generator": [["torch generator", b"abc"]],
    "dtype of no name": [["torch name", "os"]],
    "device that is none": [["torch device", "nowhere", None]],
}


def _refused(nodes: list[Any]) -> str:
    shell = fresh_shell("")
    try:
        committing.commit(content(nodes), BufferReader(MemoryFiles()), "", shell)
    except (CannotComeHome, Malformed) as error:
        return str(error) if "x" not in shell.user_ns else "x"
    return ""


@pytest.mark.parametrize("forged", FORGED)
def test_forged_tensors_are_refused(forged: str) -> None:
    status, said = in_fork(lambda: _refused(FORGED[forged]))
    assert status == "done", said
    assert said not in ("", "x")


def test_an_honest_table_of_the_same_form_is_taken() -> None:
    status, said = in_fork(lambda: _refused([_tensor(), BYTES]))
    assert (status, said) == ("done", "")
