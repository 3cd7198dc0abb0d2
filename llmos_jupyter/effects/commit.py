"""In the parent: effects are decoded, all of them, and then put into the live objects; undo puts the old state back.

Until everything is decoded and checked nothing old is touched. Whatever fails afterwards takes back what was done.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import logging
import operator
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from llmos_jupyter.effects import ambient, kinds
from llmos_jupyter.effects.build import Builder
from llmos_jupyter.effects.code import CompiledCell
from llmos_jupyter.effects.displays.outputs import Output, read_outputs, show
from llmos_jupyter.effects.kind import BY_TYPE, Kind, Look, kind_named, kind_of
from llmos_jupyter.effects.libraries import may_be_made
from llmos_jupyter.effects.objects import names
from llmos_jupyter.effects.objects.layout import MISSING, is_users, library_module, solid
from llmos_jupyter.effects.objects.walk import find
from llmos_jupyter.effects.table import BufferReader, Cannot, CannotComeHome, Malformed, checked

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

log = logging.getLogger(__name__)
_KEYS = {"nodes", "created", "rebound", "deleted", "mutated", "states", "results", "figures", "ambient", "outputs"}
_NO_MEMORY = "the notebook has too little memory left for what it made; delete variables, and ask again"
_KEYS |= {"kinds", "cannot", "displayed"}


@dataclass
class _Act:
    """One thing to put back. `look` tells how it is, so that a later change of the user's is seen and left alone."""

    put: Callable[[], object]
    look: Callable[[], Look]
    names: tuple[str, ...]
    beside: bool = False
    inside: bool = False
    after: Look | None = None

    def changed_since(self) -> bool:
        if self.after is None:
            return False
        try:
            (objects, plain), (objects_now, plain_now) = self.after, self.look()
        except Exception:  # it is broken since, or has become something else
            return True
        same = len(objects) == len(objects_now) and all(map(operator.is_, objects, objects_now))
        return not same or plain != plain_now


@dataclass
class Undo:
    """The state before a commit. `restore` puts it back; what it holds is let go then."""

    bytes: int = 0
    lost: dict[str, str] = field(default_factory=dict)  # by its name what will not be back, a sentence each
    left: set[str] = field(default_factory=set)  # after `restore`, what was changed since, and stays
    _acts: list[_Act] = field(default_factory=list)

    def add(
        self,
        put: Callable[[], object],
        look: Callable[[], Look],
        *names: str,
        beside: bool = False,
        inside: bool = False,
    ) -> None:
        """`names`: what is put back, for the user; `beside`: whether they are no names of the notebook's; `inside`:
        whether it is something that these names hold."""
        self._acts.append(_Act(put, look, names, beside, inside))

    def take(self, other: Undo) -> None:
        """What another one puts back, too."""
        self._acts += other._acts

    @property
    def beside(self) -> list[str]:
        """What is put back that belongs to no name: the working directory, options, open figures."""
        return [name for act in self._acts if act.beside for name in act.names]

    def settle(self) -> None:
        """Note how everything is after the commit."""
        for act in self._acts:
            try:
                act.after = act.look()
            except Exception:  # all is committed by now: it is put back whatever becomes of it
                log.exception("how something is after a commit could not be noted")

    def restore(self) -> list[str]:
        """Put everything back that was not changed since; a sentence for what was, and stays. Raises the first error,
        when the rest is back."""
        failed: Exception | None = None
        left = [act for act in self._acts if act.changed_since()]
        while self._acts:
            act = self._acts.pop()
            if act in left:
                continue
            try:
                act.put()
            except Exception as error:
                log.exception("a part could not be put back")
                failed = failed or error
        if failed is not None:
            raise failed
        self.left = {name for act in left for name in act.names}
        what = {act.names: ("something in " if act.inside else "") + ", ".join(act.names) for act in left if act.names}
        return [f"{said} was changed again after the answer, so it was left as it is." for said in what.values()]


@dataclass
class _Decoded:
    """All objects and states of one table, ready to be put in place."""

    names: dict[str, Any]
    deleted: list[str]
    states: list[tuple[Any, Kind, Any]]
    ambient: list[tuple[ambient.Part, Any]]
    results: list[Any]
    figures: list[tuple[int, Any]] | None
    outputs: list[Output]
    displayed: list[Output]
    owners: list[str]


def read_table(place: Any, buffers: BufferReader) -> dict[str, Any]:
    """The table at its place, its parts of the right types. Raises Malformed."""
    content: dict[str, Any] = checked(buffers.table(place), dict)
    if content.keys() != _KEYS:
        raise Malformed("a table with parts that are none")
    for key, cls in (("created", dict), ("rebound", dict), ("ambient", dict)):
        checked(content[key], cls)
    for key in ("deleted", "mutated", "kinds"):
        if not {str}.issuperset(map(type, checked(content[key], list))):
            raise Malformed("names that are none")
    return content


def read_cannot(content: Any) -> list[Cannot]:
    """What the copy says cannot come home."""
    found = []
    for entry in checked(content, list):
        if type(entry) is not list or len(entry) != 3 or not {str}.issuperset(map(type, entry)):
            raise Malformed("a reason that is none")
        found.append(Cannot(*(text[:500] for text in entry)))
    return found


def commit(
    content: dict[str, Any],
    buffers: BufferReader,
    code: str,
    shell: InteractiveShell,
    *,
    bind: str = "",
    displayed: bool = False,
    sent: list[Any] | None = None,
) -> Undo:
    """Put a run's effects into the notebook, and show what it showed. `bind`: a name for its last result, too;
    `displayed`: show also the variable that it assigned last, if it shows nothing itself. `sent`: the objects that a
    worker process was given copies of, and names by their place here; a fork names addresses.

    Raises CannotComeHome or Malformed; then nothing was changed.
    """
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 20_000))
    try:
        decoded = _decode(content, buffers, code, shell, bind, sent)
    except (CannotComeHome, Malformed):
        raise
    except Exception as error:  # what no check foresaw
        log.exception("effects could not be read")
        if _is_lack_of_memory(error):
            raise CannotComeHome(_NO_MEMORY) from error
        raise Malformed(f"it could not be read ({type(error).__name__})") from error
    finally:
        sys.setrecursionlimit(limit)
    undo = Undo()
    try:
        _apply(decoded, shell, undo)
    except BaseException as error:
        with contextlib.suppress(Exception):
            undo.restore()
        if isinstance(error, CannotComeHome | Malformed) or not isinstance(error, Exception):
            raise
        log.exception("effects could not be put in place")
        if _is_lack_of_memory(error):
            raise CannotComeHome(_NO_MEMORY) from error
        raise CannotComeHome(f"it could not be put in place ({type(error).__name__}: {error})") from error
    show(decoded.outputs + (decoded.displayed if displayed else []), decoded.results, shell)
    undo.settle()
    return undo


def _is_lack_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM)


# --- decoding: nothing old is touched -------------------------------------------------------------


def _decode(
    content: dict[str, Any],
    buffers: BufferReader,
    code: str,
    shell: InteractiveShell,
    bind: str,
    sent: list[Any] | None,
) -> _Decoded:
    kinds.load()
    kinds.load(content["kinds"])
    roots = names.roots(shell)
    known = names.known(shell) | {"sys.stdout": sys.stdout, "sys.stderr": sys.stderr}
    nodes = checked(content["nodes"], list)
    wanted = {node[1] for node in nodes if type(node) is list and node[:1] == ["old"] and type(node[-1]) is int}
    if sent is None:
        old = find(roots.values(), wanted)
    else:
        old = {number: sent[number] for number in wanted if 0 <= number < len(sent)}
    build = Builder(nodes, old, known, buffers, CompiledCell(code, shell), kind_named)
    new = {**content["created"], **content["rebound"]}
    if not all(map(_may_be_bound, [*new, *content["deleted"]])):
        raise Malformed("a name that is none")
    values = {name: build.value(value) for name, value in new.items()}
    states = _states(checked(content["states"], list), build)
    results = build.values(content["results"])
    figures = _figures(content["figures"], build)
    build.finish()
    states = [(obj, kind, kind.decode(said, build)) for obj, kind, said in states]
    build.finish()
    if bind and results:
        values[bind] = results[-1]
    deleted = [name for name in content["deleted"] if name not in values]
    owners = content["mutated"][:3]
    outputs = read_outputs(content["outputs"], len(results))
    displayed = read_outputs(content["displayed"], 0)
    parts = ambient.read(content["ambient"])
    return _Decoded(values, deleted, states, parts, results, figures, outputs, displayed, owners)


def _may_be_bound(name: Any) -> bool:
    return type(name) is str and name not in ("get_ipython", "exit", "quit", "open", "In", "Out") and name[:2] != "__"


def _states(states: list[Any], build: Builder) -> list[tuple[Any, Kind, Any]]:
    found = []
    for entry in states:
        if type(entry) is not list or len(entry) != 2 or type(entry[1]) is not list or not entry[1]:
            raise Malformed("a state of nothing")
        number, said = entry
        nodes = build.nodes
        if type(number) is not int or not 0 <= number < len(nodes) or checked(nodes[number], list)[:1] != ["old"]:
            raise Malformed("a state of what is not old")
        obj = build.at(number)
        kind = kind_named(said[0])
        if kind_of(type(obj)) is not kind or not kind.changes:
            raise CannotComeHome(f"a {type(obj).__name__} that became something else", type(obj).__name__)
        _check_target(obj)
        kind.fits(obj, said[1:], build)
        found.append((obj, kind, said[1:]))
    return found


def _check_target(obj: Any) -> None:
    """Raise where an old object is a library's own, and not the notebook's to change."""
    cls = type(obj)
    if issubclass(cls, type) and not is_users(obj):
        raise Malformed("a change of a library's class")
    if cls is types.FunctionType and library_module(obj.__globals__.get("__name__")):
        raise Malformed("a change of a library's function")
    if solid(cls) is object and cls not in BY_TYPE and (why := may_be_made(cls)) is not None:
        raise CannotComeHome(why, cls.__name__)


def _figures(content: Any, build: Builder) -> list[tuple[int, Any]] | None:
    if content is None:
        return None
    figure_class: Any = getattr(sys.modules.get("matplotlib.figure"), "Figure", None)
    found = []
    for entry in checked(content, list):
        if type(entry) is not list or len(entry) != 2 or type(entry[0]) is not int:
            raise Malformed("a figure that is none")
        figure = build.value(entry[1])
        if figure_class is None or not issubclass(type(figure), figure_class):
            raise Malformed("a figure that is none")
        found.append((entry[0], figure))
    return found


# --- putting in place -----------------------------------------------------------------------------


def _apply(decoded: _Decoded, shell: InteractiveShell, undo: Undo) -> None:
    # Frames last: they look at the arrays and indexes within them.
    known = {id(value): name for name, value in names.variables(shell).items()}
    for obj, kind, state in sorted(decoded.states, key=lambda entry: entry[1].name == "frame"):
        was = kind.state(obj, state)
        undo.bytes += kind.size(was)
        look = functools.partial(kind.look, obj, was)
        own = known.get(id(obj))
        owners = [own] if own is not None else decoded.owners
        undo.add(functools.partial(kind.put, obj, was), look, *owners, inside=own is None)
        kind.put(obj, state)
    for part, value in decoded.ambient:
        undo.add(ambient.undo_of(part, value), lambda part=part: ([], part.get()), part.name, beside=True)  # type: ignore[misc]
        part.put(value)
    if decoded.figures is not None:
        open_figures(decoded.figures, undo)
    namespace = shell.user_ns
    for name in [*decoded.names, *decoded.deleted]:
        undo.bytes += weight(namespace.get(name))
        undo.add(rebind(namespace, name, namespace.get(name, MISSING)), bound(namespace, name), name)
    namespace.update(decoded.names)
    for name in decoded.deleted:
        namespace.pop(name, None)
    keep_results(shell, undo)


def weight(value: Any) -> int:
    """Bytes of an old value that may be held for undo alone: exact for arrays and frames, little for all else."""
    arrays = [value]
    pandas = sys.modules.get("pandas")
    if pandas is not None and issubclass(type(value), pandas.core.generic.NDFrame):
        arrays = [block.values for block in object.__getattribute__(value, "__dict__")["_mgr"].blocks]
    return sum(array.nbytes for array in arrays if type(array) is np.ndarray)


def bound(namespace: dict[str, Any], name: str) -> Callable[[], Look]:
    return lambda: ([namespace.get(name, MISSING)], None)


def rebind(namespace: dict[str, Any], name: str, value: Any) -> Callable[[], object]:
    def act() -> None:
        if value is MISSING:
            namespace.pop(name, None)
        else:
            namespace[name] = value

    return act


def keep_results(shell: InteractiveShell, undo: Undo) -> None:
    """Undo also forgets the results shown."""
    namespace, hook = shell.user_ns, shell.displayhook
    out: dict[Any, Any] = namespace.get("_oh", {})
    before, number = dict(out), f"_{shell.execution_count}"
    for name in ("_", "__", "___", number):
        undo.add(rebind(namespace, name, namespace.get(name, MISSING)), bound(namespace, name))
        if hasattr(hook, name):
            undo.add(functools.partial(setattr, hook, name, getattr(hook, name)), bound(namespace, name))

    def act() -> None:
        for key in out.keys() - before.keys():
            del out[key]
        for key, value in before.items():
            if out.get(key) is not value:
                out[key] = value

    undo.add(act, lambda: (list(out.values()), list(out)))


def open_figures(figures: list[tuple[int, Any]], undo: Undo) -> None:
    """Make pyplot's open figures these, with a manager for each that has none."""
    import matplotlib.pyplot as plt

    gcf: Any = sys.modules["matplotlib._pylab_helpers"].Gcf
    backend: types.ModuleType | Any = plt._get_backend_mod()
    was = dict(gcf.figs)

    def act() -> None:
        gcf.figs.clear()
        gcf.figs.update(was)

    undo.add(act, lambda: (list(gcf.figs.values()), list(gcf.figs)), "pyplot's open figures", beside=True)
    managers = {id(manager.canvas.figure): manager for manager in was.values()}
    now = {}
    for number, figure in figures:
        manager = managers.get(id(figure))
        now[number] = backend.new_figure_manager_given_figure(number, figure) if manager is None else manager
    gcf.figs.clear()
    gcf.figs.update(now)
