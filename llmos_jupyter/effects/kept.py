"""Undo of a run in the notebook itself: the rare one that a user said yes to, as it cannot run in the sandbox.

    kept = Kept(shell, code, limit_bytes=...)    # before; `kept.impossible` is for the user's eyes
    ...the run...
    undo = kept.ran()                            # after, however it ended

Nobody knows beforehand what the code will change, so the state of all that it can reach is kept, kind by kind, as a
commit keeps what it overwrites; after the run what did not change is let go.
"""

from __future__ import annotations

import builtins
import functools
import logging
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from llmos_jupyter import units
from llmos_jupyter.effects import ambient, kinds, reasons
from llmos_jupyter.effects.commit import Undo, bound, keep_results, rebind, weight
from llmos_jupyter.effects.in_copy import transformed
from llmos_jupyter.effects.kind import ALL, Kind
from llmos_jupyter.effects.kinds.code.callables import CacheKind
from llmos_jupyter.effects.objects import names
from llmos_jupyter.effects.objects.census import Census
from llmos_jupyter.effects.objects.layout import MISSING, class_name
from llmos_jupyter.effects.objects.reach import mentioned
from llmos_jupyter.effects.words.changes import Changes
from llmos_jupyter.protocol import NameChange

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

log = logging.getLogger(__name__)
_MOST = 10  # sentences on what cannot be undone
_IPYTHON = frozenset({"_", "get_ipython", "display", "exit", "quit", "__IPYTHON__"})  # built in while a cell runs


class Kept:
    """The state before one run. `impossible`: one sentence for each name of which undo will not bring back all."""

    def __init__(self, shell: InteractiveShell, code: str, *, limit_bytes: int) -> None:
        """`limit_bytes`: the memory that copies of arrays and frames may take, in all."""
        kinds.load()
        self.impossible: list[str] = []
        self.changes: list[NameChange] = []
        self._shell = shell
        self._code = transformed(code, shell)
        self._before = names.variables(shell)
        self._census = Census(mentioned(self._code, names.roots(shell)))
        self._states: dict[int, tuple[Any, Kind, Any]] = {}
        self._lost: dict[int, str] = {}  # why an object's change cannot be undone, as a clause
        self._keep(limit_bytes)
        self._parts = [(part, part.get()) for part in ambient.parts()]
        self._builtins = _builtins()
        self._figures = dict(_figures())
        self._results = Undo()
        keep_results(shell, self._results)

    # --- before the run ---------------------------------------------------------------------------

    def _keep(self, limit: int) -> None:
        held = 0
        for obj, kind in sorted(self._census.changeable(), key=lambda pair: _size_of(pair[0])):
            if isinstance(kind, CacheKind):
                continue  # what it remembers can be computed again
            try:
                if not kind.changes:
                    unseen = f"what a {class_name(type(obj))} went through cannot be taken back"
                    self._lost[id(obj)] = reasons.of_class(type(obj)) or unseen
                elif (size := _size_of(obj)) and held + size > limit:
                    self._lost[id(obj)] = (
                        f"a copy of what may change in it needs {units.size(size)}, "
                        f"and undo may keep {units.size(limit)}"
                    )
                else:
                    self._states[id(obj)] = obj, kind, kind.state(obj, ALL)
                    held += size
            except MemoryError:
                self._lost[id(obj)] = "a copy of it does not fit into memory"
            except Exception as error:  # a library's object in a state of its own
                log.debug("the state of a %s could not be kept: %s", class_name(type(obj)), error)
                self._lost[id(obj)] = f"a {class_name(type(obj))} in it cannot be read"
        for obj in self._census.unseen():
            why = reasons.of_class(type(obj)) or f"what a {class_name(type(obj))} holds cannot be seen"
            self._lost[id(obj)] = why
        self.impossible = list(self._sentences(self._lost).values())[:_MOST]

    def _sentences(self, lost: dict[int, str]) -> dict[str, str]:
        """By the name that reaches it, what cannot be restored."""
        owners = self._census.owners(self._census.old[address] for address in lost) if lost else {}
        said = {owners[address]: why for address, why in reversed(lost.items()) if address in owners}
        return {name: f"{name} cannot be restored: {why}." for name, why in said.items()}

    # --- after the run ----------------------------------------------------------------------------

    def ran(self) -> Undo:
        """What puts the state before the run back; `changes` says what the run did. The rest is let go."""
        changed, _ = self._census.changed(self._code)
        now = names.variables(self._shell)
        self.changes = Changes(self._census, changed).names(self._before, now)
        undo = Undo()
        lost = {id(obj): self._lost.get(id(obj), why) for obj, why in self._census.refused}
        lost |= {id(obj): self._lost[id(obj)] for obj in changed if id(obj) in self._lost}
        undo.lost = self._sentences(lost)
        self._objects(changed, undo)
        self._process(undo)
        for name in [*self._before, *(name for name in now if name not in self._before)]:
            was = self._before.get(name, MISSING)
            if was is not now.get(name, MISSING):
                undo.bytes += weight(was)
                namespace = self._shell.user_ns
                undo.add(rebind(namespace, name, was), bound(namespace, name), name)
        undo.take(self._results)
        undo.settle()
        self._states.clear()
        self._census.close()
        del self._census, self._before
        return undo

    def _objects(self, changed: list[Any], undo: Undo) -> None:
        known = {id(value): name for name, value in self._before.items()}
        owners = self._census.owners(changed) if changed else {}
        kept = [self._states[id(obj)] for obj in changed if id(obj) in self._states]
        # A frame is put back last, when the arrays beneath it are what they were: what was added last goes first.
        for obj, kind, was in sorted(kept, key=lambda entry: entry[1].name != "frame"):
            undo.bytes += kind.size(was)
            own = known.get(id(obj))
            name = own or owners.get(id(obj), "the notebook")
            put, look = functools.partial(kind.put, obj, was), functools.partial(kind.look, obj, was)
            undo.add(put, look, name, inside=own is None)

    def _process(self, undo: Undo) -> None:
        """What belongs to the process: working directory, options, random numbers, open figures, built-in names."""
        for part, was in self._parts:
            now = part.get()
            if was == now:
                continue
            if part.is_options:
                was = {name: value for name, value in was.items() if now.get(name) != value} | part.without(now, was)
            put = functools.partial(_put, part, was)
            undo.add(put, functools.partial(_look, part), part.name, beside=True)
        if not _same(self._builtins, _builtins()):
            put = functools.partial(_put_builtins, self._builtins)
            undo.add(put, lambda: _parts_of(_builtins()), "the built-in names", beside=True)
        if not _same(self._figures, _figures()):
            put = functools.partial(_put_figures, self._figures)
            undo.add(put, lambda: _parts_of(_figures()), "pyplot's open figures", beside=True)


def _size_of(obj: Any) -> int:
    """Bytes that a copy of an object's state takes, as far as they are many."""
    if issubclass(type(obj), np.ndarray):
        return 0 if issubclass(type(np.ndarray.base.__get__(obj)), np.ndarray) else int(obj.nbytes)
    torch = sys.modules.get("torch")
    if torch is not None and issubclass(type(obj), torch.Tensor):
        return int(obj.numel() * obj.element_size())
    return 0


def _put(part: ambient.Part, was: Any) -> None:
    part.put(part.read(was))


def _look(part: ambient.Part) -> tuple[list[Any], Any]:
    return [], part.get()


# --- built-in names and open figures --------------------------------------------------------------


def _builtins() -> dict[str, Any]:
    return {name: value for name, value in vars(builtins).items() if name not in _IPYTHON}


def _same(before: dict[Any, Any], now: dict[Any, Any]) -> bool:
    """The same objects by the same names; nobody's `==` is asked."""
    return list(before) == list(now) and all(now[name] is value for name, value in before.items())


def _put_builtins(wanted: dict[str, Any]) -> None:
    held = vars(builtins)
    for name in _builtins().keys() - wanted.keys():
        del held[name]
    for name, value in wanted.items():
        if held.get(name) is not value:
            held[name] = value


def _figures() -> dict[Any, Any]:
    """The dict of pyplot's open figures, in which it keeps them; an empty one before it was imported."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    found: dict[Any, Any] = {} if helpers is None else helpers.Gcf.figs
    return found


def _put_figures(wanted: dict[Any, Any]) -> None:
    held = _figures()
    for number in held.keys() - wanted.keys():
        sys.modules["matplotlib._pylab_helpers"].Gcf.destroy(number)
    held.clear()
    held.update(wanted)


def _parts_of(held: dict[Any, Any]) -> tuple[list[Any], Any]:
    return list(held.values()), list(held)
