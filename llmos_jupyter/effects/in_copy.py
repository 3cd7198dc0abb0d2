"""In the copy: the census before the code runs, and afterwards its effects, written as a table for the parent."""

from __future__ import annotations

import contextlib
import errno
import signal
import sys
import threading
import time
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects import ambient, kinds
from llmos_jupyter.effects.code import CodePlaces, CompiledCell
from llmos_jupyter.effects.copy import ipython_settings, library_state, process_state
from llmos_jupyter.effects.copy.shown_result import assigned_last
from llmos_jupyter.effects.displays import live_widgets
from llmos_jupyter.effects.displays.recorder import Recorder
from llmos_jupyter.effects.kind import Look, kind_of
from llmos_jupyter.effects.kinds.libraries.widgets import dies_with_the_sandbox
from llmos_jupyter.effects.objects import names
from llmos_jupyter.effects.objects.census import Census
from llmos_jupyter.effects.objects.layout import class_name
from llmos_jupyter.effects.objects.meanwhile import digest_before
from llmos_jupyter.effects.objects.memory import Pages
from llmos_jupyter.effects.pack import Packer
from llmos_jupyter.effects.table import NO_SPACE, BufferWriter, Cannot, encode
from llmos_jupyter.effects.words.changes import Changes, same_atom
from llmos_jupyter.protocol import NameChange
from llmos_jupyter.sandbox.process.pages import WrittenPages

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_DEEP = 100_000
_MOST_REASONS = 20
_SHOWING_SECONDS = 5.0  # for a variable that the code does not show itself


class Effects:
    """One run's: made before it, packed after it."""

    def __init__(
        self,
        shell: InteractiveShell,
        code: str,
        fds: list[int],
        pages: WrittenPages | None,
        numbers: dict[int, int] | None = None,
    ) -> None:
        """`numbers`: in a worker process, by the address of an object the number by which the parent knows it."""
        self._shell, self._code = shell, code
        self._numbers = numbers
        self._buffers = BufferWriter(fds)
        self.recorder = Recorder()
        self.seconds: dict[str, float] = {}
        self._marks: dict[int, Look] | None = None
        self._compared: tuple[list[Any], list[Cannot]] | None = None
        began = time.perf_counter()
        kinds.load()
        Pages.written = pages
        self._cell = CompiledCell(code, shell)
        self._before = names.variables(shell)
        self._known = names.known(shell)
        self._figures = names.figures()
        self._widgets = live_widgets.live().keys()
        self._census = Census(names.roots(shell))
        self._standard = {name: getattr(sys, name) for name in ("stdout", "stderr")}
        self.seconds["census"] = time.perf_counter() - began

    def begin(self) -> None:
        """To be called when the shell is prepared, just before the run."""
        self._ambient = ambient.snapshot()
        self._spoken = library_state.spoken(transformed(self._code, self._shell), self._before)
        self._libraries = library_state.defined(self._before, self._spoken)
        self._threads = set(threading.enumerate())
        self._process = process_state.process_state(self._code, self._shell)
        self._settings = ipython_settings.settings(self._shell)

    def end(self) -> None:
        """To be called as soon as the code has ended, before anything is set for packing."""
        self._process_after = process_state.process_state(self._code, self._shell)

    def pack(self) -> dict[str, Any]:
        """Write the effects into the memory files; where the table lies there, or what keeps them from being written,
        as `broken`."""
        try:
            return self._written()
        except MemoryError:
            why = "memory is short"
        except OSError as error:
            if error.errno not in NO_SPACE and error.errno != errno.ENOMEM:
                raise
            why = str(error.strerror)
        return {"broken": f"there is no room for what the code made ({why}); free some, and ask again"}

    def _written(self) -> dict[str, Any]:
        began = time.perf_counter()
        displayed = self._displayed()
        parts, odd = ambient.changed(self._ambient)
        changed, cannot = self._compare()
        cannot = cannot + self._left_behind() + self._widgets_shown()
        cannot += [Cannot("", "option", f"{name} hold what cannot travel") for name in odd]
        self.seconds["compare"] = time.perf_counter() - began
        began = time.perf_counter()
        packer = self._packer()
        earlier = self._earlier(changed)
        if self._numbers is not None:
            cannot += self._unknown(changed)
            changed = [obj for obj in changed if id(obj) in self._numbers]
        content = self._described(packer, changed, earlier)
        if self._numbers is not None:
            for node in packer.nodes:
                if node is not None and node[0] == "old":
                    node[1] = self._numbers[node[1]]
        cannot = list(dict.fromkeys([*cannot, *packer.cannot]))[:_MOST_REASONS]
        content |= {"nodes": packer.nodes, "ambient": parts, "outputs": self.recorder.content()}
        content |= {"displayed": displayed}
        content |= {"kinds": kinds.load(), "cannot": [[c.name, c.kind, c.reason] for c in cannot]}
        if cannot:
            content |= {"nodes": [], "states": [], "created": {}, "rebound": {}, "results": [], "figures": []}
        place = self._buffers.write(memoryview(encode(content)))
        self.seconds["pack"] = time.perf_counter() - began
        return {"place": place, "seconds": self.seconds, "bytes": self._buffers.written}

    def changes(self) -> list[NameChange]:
        """What the run did to the user's names, in words."""
        changed, _ = self._compare()
        return Changes(self._census, changed, self._earlier(changed)).names(self._before, names.variables(self._shell))

    def _compare(self) -> tuple[list[Any], list[Cannot]]:
        """The old objects that are different, and what of the old cannot come home. Looked for once."""
        if self._compared is None:
            sys.setrecursionlimit(_DEEP)
            kinds.load()
            self._compared = self._census.changed(transformed(self._code, self._shell))
        return self._compared

    def _earlier(self, changed: list[Any]) -> dict[int, Look]:
        """What changed objects were before the run. Looked for once."""
        if self._marks is None:
            self._marks = self._census.marks_before(changed) if changed else {}
        return self._marks

    def _displayed(self) -> list[Any]:
        """The variable that code which shows nothing assigns last, in all its formats: made here, as that may run code
        of the run's own classes. It is the code's work like all else, and what it changes comes home."""
        name = assigned_last(self._code)
        if not name or name not in self._shell.user_ns or self.recorder.shows:
            return []
        value = self._shell.user_ns[name]
        try:
            with _no_longer_than(_SHOWING_SECONDS):
                return self.recorder.aside(lambda: self._shell.display_formatter.format(value))
        except BaseException:  # a `__repr__` of anybody's may end, wait or raise; nobody has asked for it
            return []

    def _widgets_shown(self) -> list[Cannot]:
        """Widgets that the run made and shows; progress bars are dropped."""
        made = {model: widget for model, widget in live_widgets.live().items() if model not in self._widgets}
        bars = {model for model, widget in made.items() if live_widgets.is_progress_bar(widget)}
        self.recorder.drop_widgets(bars)
        shown = [model for model in self.recorder.shown_widgets() if model not in self._widgets]
        kinds_shown = dict.fromkeys(type(made[model]).__name__ if model in made else "widget" for model in shown)
        return [Cannot("what it shows", name, dies_with_the_sandbox(name)) for name in kinds_shown]

    def _unknown(self, changed: list[Any]) -> list[Cannot]:
        """In a worker process: what changed and is no copy of anything in the notebook, as what a module holds."""
        assert self._numbers is not None
        unknown = [obj for obj in changed if id(obj) not in self._numbers]
        if unknown:
            # A function's attributes are part of its own state.
            functions = [obj for obj in self._census.old.values() if type(obj) is types.FunctionType]
            own = {id(function.__dict__) for function in functions if id(function) in self._numbers}
            unknown = [obj for obj in unknown if id(obj) not in own]
        owners = self._census.owners(unknown) if unknown else {}
        why = "a {} in it changed, of which the notebook has another"
        return [
            Cannot(owners.get(id(obj), ""), class_name(type(obj)), why.format(class_name(type(obj)))) for obj in unknown
        ]

    def _packer(self) -> Packer:
        known = {id(obj): name for name, obj in self._known.items()}
        known |= {id(stream): f"sys.{name}" for name, stream in self._standard.items()}
        known |= {id(getattr(sys, name)): f"sys.{name}" for name in ("stdout", "stderr")}
        places = CodePlaces(self._cell, list(self._census.old.values()))
        old = self._census.old
        if self._numbers is not None:
            old = {address: obj for address, obj in old.items() if address in self._numbers}
        return Packer(old, known, self._buffers, places, kind_of)

    def _described(self, packer: Packer, changed: list[Any], earlier: dict[int, Look]) -> dict[str, Any]:
        now = names.variables(self._shell)
        created, rebound = {}, {}
        for name, value in now.items():
            if name not in self._before:
                created[name] = packer.named(name, value)
            elif (was := self._before[name]) is not value and not same_atom(was, value):
                rebound[name] = packer.named(name, value)
        owners = self._census.owners(changed) if changed else {}
        states = []
        for obj in changed:
            state = packer.state(owners.get(id(obj), ""), obj)
            if state is not None:
                # In a worker process addresses are other ones, and the kernel remembers by itself what it sent.
                states.append([*state, self._digest(obj, earlier[id(obj)]) if self._numbers is None else None])
        results = [packer.named("what it shows", value) for value in self.recorder.results]
        open_now = names.figures()
        figures = [[n, packer.named(f"figure {n}", figure)] for n, figure in open_now.items()]
        same = list(self._figures) == list(open_now) and all(self._figures[n] is f for n, f in open_now.items())
        return {
            "created": created,
            "rebound": rebound,
            "deleted": [name for name in self._before if name not in now],
            "mutated": sorted({name for name in owners.values() if name in now}),
            "states": states,
            "results": results,
            "figures": None if same else figures,
        }

    def _digest(self, obj: Any, marks: Look) -> bytes | None:
        kind = kind_of(type(obj))
        return None if kind is None else digest_before(obj, kind, marks, self._census.marks_before)

    def _left_behind(self) -> list[Cannot]:
        """What the run did that no name reaches: threads, and attributes of libraries."""
        found = []
        for thread in threading.enumerate():
            monitor = type(thread).__module__.startswith("tqdm") or isinstance(thread, threading._DummyThread)
            if thread not in self._threads and not monitor and thread is not threading.current_thread():
                found.append(Cannot("", "thread", f"the thread {thread.name} was left running"))
        for name in process_state.changed(self._process, self._process_after):
            found.append(Cannot("", "process", f"{name} changed"))
        if odd := [name for name in self._shell.user_ns if type(name) is not str]:
            found.append(Cannot("", type(odd[0]).__name__, "it bound what is no name among the notebook's names"))
        for name in ipython_settings.changed(self._settings, ipython_settings.settings(self._shell)):
            found.append(Cannot("", "IPython", f"{name} changed, which belong to the kernel"))
        replaced = library_state.changed(self._libraries, self._before, self._spoken)
        found += [Cannot("", "library", why) for why in replaced]
        return found


class _TooLong(BaseException):
    pass


@contextlib.contextmanager
def _no_longer_than(seconds: float) -> Iterator[None]:
    """Raise in what takes longer. On Windows there is no such signal, and packing has a limit of its own."""

    def end(number: int, frame: object) -> None:
        raise _TooLong

    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)


def transformed(code: str, shell: InteractiveShell) -> str:
    """Code as IPython makes it Python's, where magics are calls."""
    try:
        return str(shell.transform_cell(code))
    except Exception:  # it ran, so that this is no error of Python's: all of it counts then
        return f"{code}\nget_ipython"
