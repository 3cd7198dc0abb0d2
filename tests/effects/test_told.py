"""What a run is said to have changed is all that it changes, whatever the process that ran it says."""

from __future__ import annotations

import pytest

from llmos_jupyter.effects.copy.kernel_copy import supported
from llmos_jupyter.effects.transaction import commit, run_in_sandbox
from tests.effects.processes import fresh_shell, in_fork

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))

SETUP = """
class A: pass
a = A(); x = [1]; d = {"k": [1]}; y = 2; gone = 3; other = [5]
"""
CODE = "x.append(1); d['k'].append(2); y = 5; z = 1; _hidden = 4; A.f = lambda self: 1; del gone"
LIES = """
exec('''
from llmos_jupyter.effects import in_copy
from llmos_jupyter.protocol import NameChange
in_copy.Effects.changes = lambda self, make=NameChange: [make(name=n, kind="created") for n in {names}]
del in_copy, NameChange
''')
"""
TOLD = {
    "x": "mutated",
    "d": "mutated",
    "y": "rebound",
    "z": "created",
    "_hidden": "created",
    "A": "mutated",
    "gone": "deleted",
}


@pytest.mark.parametrize("lie", ["", LIES.format(names=[]), LIES.format(names=["y", "gone", "z"])])
def test_every_name_that_changes_is_told_for_what_it_is(lie: str) -> None:
    def act() -> tuple[dict[str, str], int]:
        shell = fresh_shell(SETUP)
        ran = run_in_sandbox(lie + CODE, shell)
        assert ran.committable, ran.cannot
        told = {change.name: str(change.kind) for change in ran.report.changes}
        commit(ran)
        return told, shell.user_ns["y"]

    status, done = in_fork(act)
    assert status == "done", done
    told, y = done
    assert y == 5
    assert told.pop("a", "mutated") == "mutated"  # by its class
    assert told == TOLD
