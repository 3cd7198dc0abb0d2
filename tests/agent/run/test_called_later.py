"""What an answer only defines is told with it where it reaches outside, and not asked about."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmos_jupyter.agent.answering import events
from llmos_jupyter.agent.inspection.check import inspect
from llmos_jupyter.agent.rehearsal.kernel_copy import supported
from llmos_jupyter.agent.run import called_later
from tests.agent.answering.test_loop import Scene, block, scene

__all__ = ["scene"]
needs_sandbox = pytest.mark.skipif(supported() is not None, reason=str(supported()))
AS_OWN = "it then runs as your own code, outside the sandbox."

DEFINED = {
    "def save(d):\n    d.to_csv('x.csv')": "save` can write files when you call",
    "save = lambda d: d.to_csv('x.csv')": "save` can write files when you call",
    "async def ask():\n    return input('?')": "ask` can wait for input when you call",
    "import requests\ndef get():\n    return requests.get('http://x')": "get` can use the network when you call",
    "class A:\n    def go(self):\n        import os; os.system('ls')": "A.go` can start processes when you call",
    "class A:\n    def __repr__(self):\n        open('x', 'w')\n        return ''": "A` can write files when",
    "class A:\n    @property\n    def x(self):\n        exit()": "A` can end the kernel when",
    "def outer():\n    def inner():\n        open('x', 'w')\n    return inner": "outer` can write files when you call",
}


@pytest.mark.parametrize("code", DEFINED)
def test_each_definition_is_told_by_its_name(code: str) -> None:
    told = [finding.message for finding in called_later.told(code, inspect(code, {})) if finding.capability]
    when = "it" if DEFINED[code].endswith("call") else "it is used"
    assert told == [f"`{DEFINED[code]} {when}: {AS_OWN}"]


def test_what_is_handed_on_may_be_called_by_others() -> None:
    code = "def save(change):\n    open('x', 'w')\nslider.observe(save)"
    told = [finding.message for finding in called_later.told(code, inspect(code, {"slider": 1})) if finding.capability]
    assert told == [f"`save` can write files when it is called: {AS_OWN}"]


@pytest.mark.parametrize(
    "code",
    [
        "open('x', 'w')",
        "import os\nos.remove('x')\ndef f():\n    pass",
        "@print\n@open('x', 'w').write\ndef f():\n    return 1",
        "class A:\n    x = open('x', 'w')",
        "def f():\n    return open('x').read()",
    ],
)
def test_what_runs_at_once_stays_as_it_is(code: str) -> None:
    found = inspect(code, {})
    assert called_later.told(code, found) == found
    assert called_later.unasked(code, found, []) == found


@needs_sandbox
def test_a_function_that_writes_files_is_told_and_not_asked_about(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    code = f"def save(text):\n    with open({str(path)!r}, 'w') as file:\n        file.write(text)"
    assert scene.ask(block(code)) == "done"
    assert scene.count(events.Question) == scene.count(events.Shown) == 0
    told = next(event for event in scene.seen if isinstance(event, events.Inspected))
    assert f"`save` can write files when you call it: {AS_OWN}" in [finding.message for finding in told.findings]
    assert not path.exists()
    scene["save"]("mine")
    assert path.read_text() == "mine"


@needs_sandbox
@pytest.mark.parametrize("call", ["save()", "try:\n    save()\nexcept OSError:\n    pass"])
def test_a_function_that_is_called_at_once_is_asked_about(scene: Scene, tmp_path: Path, call: str) -> None:
    path = tmp_path / "out.txt"
    scene.ask(block(f"def save():\n    open({str(path)!r}, 'w').close()\n{call}"))
    assert scene.count(events.Question) == 1
    assert not path.exists()
