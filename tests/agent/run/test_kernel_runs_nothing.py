"""After an answer was committed the kernel runs nothing of what the model wrote: not to show it, nor to describe it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmos_jupyter.agent.answering import events
from llmos_jupyter.agent.rehearsal.kernel_copy import supported
from tests.agent.answering.test_loop import Scene, block, scene

__all__ = ["scene"]
pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))

# Every special method that anything might ask for, each noting in which process it ran.
SPY = """
import os
class Spy:
    def __init__(self): self.held = [1]
    def __getattribute__(self, name):
        where.append((name, os.getpid()))
        return object.__getattribute__(self, name)
    @property
    def secret(self):
        where.append(('secret', os.getpid()))
        return 'hunter2'
def note(name):
    def method(self, *args):
        where.append((name, os.getpid()))
        return {'__len__': 3, '__bool__': True, '__iter__': iter(()), '__dir__': [], '__eq__': False}.get(name, name)
    return method
for name in ('repr str bool len iter getitem contains eq ne dir format call enter exit copy deepcopy reduce_ex '
             'getstate sizeof instancecheck subclasscheck array array_interface fspath').split():
    setattr(Spy, f'__{name}__', note(f'__{name}__'))
for name in '_repr_html_ _repr_mimebundle_ _repr_png_ _repr_pretty_ _ipython_display_ keys to_dict dtype shape'.split():
    setattr(Spy, name, note(name))
"""
ENDINGS = {
    "assigned": "spy = Spy()",
    "within": "holder = {'a': [Spy()], 'b': (Spy(), 1)}",
    "class": "spy = Spy",
    "result": "Spy()",
    "displayed": "display(Spy())",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_method_of_a_new_class_runs_in_the_kernel(scene: Scene, ending: str) -> None:
    scene.shell.user_ns["where"] = []
    assert scene.ask(block(f"{SPY}\ndel name, note\n{ENDINGS[ending]}")) == "done"
    assert scene.count(events.Question) == 0
    assert scene.count(events.Ran) == 1
    scene.ask(block("1 + 1"))  # the next prompt describes all of it
    assert "Spy" in str(scene.client.sent[0].messages)
    assert os.getpid() not in {process for _, process in scene["where"]}
    if ending != "class":
        assert scene["where"]


def test_what_was_assigned_last_is_shown_by_the_sandbox(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    code = (
        "class Price:\n    def __repr__(self):\n        import os\n        return f'by {os.getpid()}'\nprice = Price()"
    )
    assert scene.ask(block(code)) == "done"
    said = capsys.readouterr().out
    assert said.startswith("by ")
    assert str(os.getpid()) not in said


def test_a_harmful_repr_of_what_was_assigned_last_is_asked_about(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    code = f"class A:\n    def __repr__(self):\n        getattr(__import__('os'), 'mk' + 'dir')({str(path)!r})\na = A()"
    scene.ask(block(code))
    assert scene.count(events.Question) == 1
    assert not path.exists()


def test_what_showing_changes_comes_home(scene: Scene) -> None:
    scene.shell.user_ns["seen"] = []
    scene.ask(block("class A:\n    def __repr__(self):\n        seen.append(1)\n        return 'a'\na = A()"))
    assert scene["seen"] == [1]
    scene.rights.history.undo(scene.shell)
    assert scene["seen"] == []
