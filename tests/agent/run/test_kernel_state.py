"""What of the kernel is compared, so that code that changes it asks first."""

from __future__ import annotations

import atexit
import builtins
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from llmos_jupyter.effects import kinds
from llmos_jupyter.effects.copy import kernel_state as kernel_state_module
from llmos_jupyter.effects.copy.kernel_state import differences, kernel_state, registered_exits


@pytest.fixture
def shell() -> InteractiveShell:
    return InteractiveShell()


def _replace(target: Any, name: str, value: Any) -> Callable[[InteractiveShell, pytest.MonkeyPatch], None]:
    return lambda shell, patch: patch.setattr(target, name, value)


def _method(shell: InteractiveShell, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(shell, "run_cell", lambda *args: None)


def _event(shell: InteractiveShell, patch: pytest.MonkeyPatch) -> None:
    def after() -> None: ...

    after.__module__ = "__main__"
    shell.events.register("post_run_cell", after)


def _transformer(shell: InteractiveShell, patch: pytest.MonkeyPatch) -> None:
    shell.input_transformers_post.append(lambda lines: lines)


def _finder(shell: InteractiveShell, patch: pytest.MonkeyPatch) -> None:
    finder = type("Finder", (), {"__module__": "__main__", "find_spec": lambda *args: None})
    patch.setattr(sys, "meta_path", [finder(), *sys.meta_path])


def _signal(shell: InteractiveShell, patch: pytest.MonkeyPatch) -> None:
    signal.signal(signal.SIGUSR2, lambda *args: None)


def _added(shell: InteractiveShell, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(kernel_state_module, "added", lambda: None, raising=False)


def _emptied(shell: InteractiveShell, patch: pytest.MonkeyPatch) -> None:
    for name in list(kinds.OF_LIBRARIES):
        patch.delitem(kinds.OF_LIBRARIES, name)


OURS = kernel_state_module.__name__
CHANGES = [
    (f"{OURS}.kernel_state", _replace(kernel_state_module, "kernel_state", lambda shell: None)),
    (f"{OURS}.added", _added),
    (f"{OURS}.__spec__", _replace(kernel_state_module, "__spec__", lambda: None)),
    (f"the content of {kinds.__name__}.OF_LIBRARIES", _emptied),
    (f"{kinds.__name__}._loaded", _replace(kinds, "_loaded", set())),
    ("builtins.print", _replace(builtins, "print", lambda *args: None)),
    ("os.remove", _replace(os, "remove", lambda path: None)),
    ("sys.path", _replace(sys, "path", ["/nowhere"])),
    ("sys.excepthook", _replace(sys, "excepthook", lambda *args: None)),
    ("sys.meta_path", _finder),
    ("the shell's run_cell", _method),
    ("the callbacks of post_run_cell", _event),
    ("the shell's input_transformers_post", _transformer),
    (f"the handler of signal {int(signal.SIGUSR2)}", _signal),
]


@pytest.mark.parametrize(("part", "change"), CHANGES, ids=[part for part, _ in CHANGES])
def test_a_change_is_found_and_named(
    part: str,
    change: Callable[[InteractiveShell, pytest.MonkeyPatch], None],
    shell: InteractiveShell,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = kernel_state(shell)
    old = signal.getsignal(signal.SIGUSR2)
    try:
        change(shell, monkeypatch)
        found = differences(before, kernel_state(shell))
    finally:
        signal.signal(signal.SIGUSR2, old)
        monkeypatch.undo()
    assert found == [part]


def test_ordinary_work_changes_nothing(shell: InteractiveShell) -> None:
    before = kernel_state(shell)
    shell.run_cell("import colorsys, decimal\nx = 1\ndef f(): return x\nf()", silent=True)
    assert differences(before, kernel_state(shell)) == []


def test_functions_for_the_end_are_counted() -> None:
    def last() -> None: ...

    before = registered_exits()
    atexit.register(last)
    try:
        assert registered_exits() == before + 1
    finally:
        atexit.unregister(last)
