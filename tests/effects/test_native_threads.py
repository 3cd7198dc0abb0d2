"""Libraries with threads of their own, used by the notebook before: code in the sandbox does not wait for threads that
the fork has left behind. It has one thread in the sandbox's own thread, and as many as it asks for in new ones."""

from __future__ import annotations

from typing import Any

import pytest

from llmos_jupyter.effects.copy.kernel_copy import supported
from llmos_jupyter.effects.transaction import run_in_sandbox
from tests.effects.processes import SHELL, fresh_shell, in_fork

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))
USED = {
    "torch": "import torch\ntorch.set_num_threads(2)\nA = torch.rand(600, 600)\nB = A @ A",
    "numexpr": "import numexpr, numpy as np\nnumexpr.set_num_threads(2)\nv = np.random.rand(500_000)\n"
    "B = numexpr.evaluate('sin(v) + v')",
}
AGAIN = {"torch": "float((A @ A).sum())", "numexpr": "float(numexpr.evaluate('sin(v) + v').sum())"}
IN_A_THREAD = (
    "import threading\nmade = []\ndef work():\n    {library}.set_num_threads(2)\n    made.append({again})\n"
    "thread = threading.Thread(target=work); thread.start(); thread.join()\nprint(made[0] > 0)"
)


@pytest.mark.parametrize("library", USED)
@pytest.mark.parametrize("way", ["print({again} > 0)", IN_A_THREAD])
def test_what_was_used_before_the_fork_does_not_hang_after_it(library: str, way: str) -> None:
    pytest.importorskip(library)
    code = way.format(library=library, again=AGAIN[library])

    def act() -> Any:
        fresh_shell(USED[library])
        with run_in_sandbox(code, SHELL, budget_seconds=60.0) as ran:
            return ran.report.status, ran.report.output

    assert in_fork(act) == ("done", ("passed", "True\n"))
