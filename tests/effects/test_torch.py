"""PyTorch in the sandbox: programs as in `test_programs`, and results whose computation stays behind."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from llmos_jupyter.agent.rehearsal import supported
from llmos_jupyter.effects.transaction import commit, run_in_sandbox
from tests.effects.processes import Ahead, cell, check, fresh_shell, in_fork, runs_of
from tests.effects.programs import TORCH, Program

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
