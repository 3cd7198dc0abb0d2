"""Undo of a run: what it rebinds, deletes or changes in place is kept before, and put back in place after.

    saved = save(shell, changes, code, limit_bytes=...)    # before; `saved.impossible` is for the user's eyes
    ...the run...
    saved.ran(shell)                                       # after, however it ended
    notes = saved.restore(shell)

The rehearsal says which objects the run will change, so only those are copied. A run that was not rehearsed to its
end is judged by its text (`undo_reach`). What the user changed after the run is never overwritten silently.
"""

from __future__ import annotations

import re
import sys
import time
import types
import weakref
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llmos_jupyter.agent.undo.ambient import Ambient
from llmos_jupyter.agent.undo.kinds import Array, Data, Framed, Memento
from llmos_jupyter.agent.undo.reach import Reach, reach
from llmos_jupyter.agent.undo.snapshot import ForeseenChange, Touched
from llmos_jupyter.agent.undo.snapshot_kinds import ATOMS
from llmos_jupyter.agent.undo.walk import Walk, opaque, unrestorable
from llmos_jupyter.protocol import NameChange, Rehearsal

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from llmos_jupyter.effects.transaction import Committed

NODES = 400_000  # objects kept one by one, of what the run is expected to change
SECONDS = 3.0  # to look at them
LIGHT_NODES, LIGHT_SECONDS = 20_000, 0.1  # the same for what it only mentions, beside
SMALL = 64 << 10  # bytes: a buffer up to this size is kept without being asked for
SMALL_IN_ALL = 8 << 20

_MISSING: Any = object()
_PLOTTING = re.compile(r"\bplt\b|pyplot|\.plot|\bax\b|\bfig\b")


def foreseen(rehearsal: Rehearsal | None) -> list[NameChange] | None:
    """What a rehearsal knows the run will change; None if it did not see all of it, so that the code's text decides."""
    if rehearsal is None or rehearsal.status != "passed":
        return None
    if "not checked for changes" in rehearsal.reason or "could not be told in time" in rehearsal.reason:
        return None
    return rehearsal.changes


class Saved:
    """The state before one run. `impossible`: one sentence for each thing that undo will not bring back.

    `bytes` is the memory it holds: copies, and after `ran` also old objects that nothing else holds.
    """

    def __init__(self, shell: InteractiveShell, code: str) -> None:
        self.impossible: list[str] = []
        self.bytes = 0
        self.done = False
        self._before = _users(shell)
        self._after: dict[str, _Reference] = {}
        self._touched: list[str] = []  # names that the run created, bound or deleted
        self._walk = Walk()
        self._ambient = Ambient(shell)
        self._changed: list[tuple[Memento, str, str]] = []  # with the name it is reached by, and what changed
        self._bare: dict[int, str] = {}  # arrays that only a name holds, between the run and its undoing
        self._notes: list[str] = []

    # --- after the run --------------------------------------------------------------------------

    def ran(self, shell: InteractiveShell) -> None:
        """Note what the run changed, and let go of everything else. To be called however the run ended."""
        now = _users(shell)
        names = {**self._before, **now}
        self._touched = [name for name in names if self._before.get(name, _MISSING) is not now.get(name, _MISSING)]
        self._after = {name: _Reference(now.get(name, _MISSING)) for name in self._touched}
        of = self._names_of()
        changed = []
        buffers_first = sorted(self._walk.mementos.items(), key=lambda item: not isinstance(item[1], Data))
        for key, memento in buffers_first:
            memento.ran_changed = _is_changed(memento)
            if not memento.ran_changed:
                continue
            memento.after = memento.fingerprint()
            if isinstance(memento, Framed):
                memento.settle()
            changed.append((memento, of.get(key, self._walk.owner[key]), _detail(memento)))
        needed = {id(memento.obj) for memento, _, _ in changed}
        self._changed = changed
        self._walk.mementos = {key: m for key, m in self._walk.mementos.items() if key in needed}
        self._before = {name: self._before[name] for name in self._touched if name in self._before}
        self._ambient.settle()
        kept = sum(_weight(value) for value in self._before.values())
        self.bytes = kept + sum(memento.bytes for memento, _, _ in changed)
        for memento, name, _ in changed:
            if isinstance(memento, Framed):
                memento.shallow = None
            alone = type(memento) is Array and id(memento.obj) not in self._walk.held
            if alone and now.get(name) is memento.obj and not any(memento.obj is v for v in self._before.values()):
                self._bare[id(memento)] = name
                memento.obj = None
        self.done = True

    # --- undo -----------------------------------------------------------------------------------

    def restore(self, shell: InteractiveShell) -> list[str]:
        """Put everything back in place; one sentence for each thing restored, left alone or failed.

        May be called again after it was interrupted: what is back already is left alone.
        """
        if not self.done:
            self.ran(shell)
        notes: dict[str, list[str]] = {}
        self._find_bare(shell)
        # Buffers first: a frame whose blocks were rearranged takes its columns from them.
        ordered = sorted(self._changed, key=lambda item: (not isinstance(item[0], Data), isinstance(item[0], Framed)))
        for memento, name, detail in ordered:
            self._restore_one(memento, detail, notes.setdefault(name, []))
        told = self._restore_names(shell, notes)
        for name, said in notes.items():
            texts = list(dict.fromkeys(said))
            if any(text.startswith("restored {} (") for text in texts):
                texts = [text for text in texts if text != "restored {}"]
            told += [text.replace("{}", name) for text in texts]
        return told + self._ambient.restore()

    def _find_bare(self, shell: InteractiveShell) -> None:
        for memento, _, _ in self._changed:
            name = self._bare.get(id(memento))
            if name is not None and memento.obj is None:
                value = shell.user_ns.get(name, _MISSING)
                np = sys.modules["numpy"]
                after: Any = memento.after
                if isinstance(value, np.ndarray) and Array(value).state[:3] == after[0][:3]:
                    memento.obj = value

    def _names_of(self) -> dict[int, str]:
        """By which names the user knows an object, where it has some of its own."""
        found: dict[int, str] = {}
        for name, value in self._before.items():
            if type(value) not in ATOMS:
                key = id(value)
                found[key] = f"{found[key]} and {name}" if key in found else name
        return found

    def _restore_one(self, memento: Memento, detail: str, said: list[str]) -> None:
        if memento.obj is None:
            said.append("{} now holds something else, which stayed.")
            return
        try:
            if isinstance(memento, Framed) and not memento.rearranged():
                if detail and said == ["restored {}"]:  # its arrays were put back just now
                    said.append(f"restored {{}} ({detail})")
                return
            if not memento.changed():
                return
            written = isinstance(memento, Framed) and memento.written_since()
            if memento.fingerprint() == memento.after and not written:
                memento.restore()
                said.append("restored {}" + (f" ({detail})" if detail else ""))
                return
            left = memento.merge()
            if left is None:
                said.append("{} was changed again after the answer, so it was left as it is.")
            elif left:
                said.append("{}: left as it is what was changed again after the answer: " + ", ".join(left) + ".")
            else:
                said.append("restored {}" + (f" ({detail})" if detail else ""))
        except Exception as error:  # any library's object may refuse; the others must still come back
            what = type(memento.obj).__name__
            said.append(f"a {what} in {{}} could not be restored ({type(error).__name__}: {error}).")

    def _restore_names(self, shell: InteractiveShell, notes: dict[str, list[str]]) -> list[str]:
        told = []
        ns = shell.user_ns
        for name in self._touched:
            before, after = self._before.get(name, _MISSING), self._after[name]
            now = ns.get(name, _MISSING)
            if now is before:
                continue
            if not after.is_(now):
                told.append(f"{name} was bound to something else after the answer, and keeps that value.")
                continue
            if before is _MISSING:
                del ns[name]
                told.append(f"removed {name}")
            else:
                ns[name] = before
                told.append(f"restored {name}")
                notes[name] = [text for text in notes.get(name, []) if not text.startswith("restored")]
        return told


class History:
    """The runs that can be undone, the last first. Bounded by `count` and by `limit_bytes`: the oldest are let go."""

    def __init__(self, *, limit_bytes: int, count: int = 20) -> None:
        self._limit, self._count = limit_bytes, count
        self._stack: deque[tuple[Saved | Committed, Any]] = deque()
        self.pushed = self.dropped = 0

    def __len__(self) -> int:
        return len(self._stack)

    @property
    def bytes(self) -> int:
        return sum(saved.bytes for saved, _ in self._stack)

    def push(self, saved: Saved | Committed, files: Any = None) -> None:
        """After the run. `files` is the run's `FileKeeper`, restored with it."""
        self._stack.append((saved, files))
        self.pushed += 1
        while len(self._stack) > self._count or (len(self._stack) > 1 and self.bytes > self._limit):
            _, old = self._stack.popleft()
            if old is not None:
                old.close()
            self.dropped += 1

    def undo(self, shell: InteractiveShell) -> list[str]:
        """Undo the last run; its notes. Where nothing is left to undo, one sentence that says so."""
        if not self._stack:
            if self.dropped:
                return [f"Nothing more can be undone: {self.dropped} earlier answers were let go to save memory."]
            return ["Nothing to undo: no answer has run in this notebook yet, or all were undone."]
        saved, files = self._stack[-1]
        notes = saved.restore(shell)
        if files is not None:
            notes += files.restore()
        self._stack.pop()
        if files is not None:
            files.close()
        return notes or ["The last answer changed nothing that undo restores."]


def save(shell: InteractiveShell, changes: list[NameChange] | None, code: str, *, limit_bytes: int) -> Saved:
    """Keep what running `code` will change, in at most about `limit_bytes`; nothing of the user's is run or changed.

    `changes`: what the rehearsal foresaw (`foreseen(rehearsal)`); None if it saw no end, then `code` is read instead.
    """
    saved = Saved(shell, code)
    names = saved._before
    may = reach(code, shell.user_ns, shell.transform_cell)
    known = {change.name: change for change in changes or () if change.name in names}
    touched = _touched(changes)
    full = _full(changes, known, touched, may, names)
    walk = saved._walk
    _walk_all(saved, full, may, names)
    if _PLOTTING.search(code):
        _walk_figures(saved)
    walk.finished()
    _copy(saved, _wanted(walk, set(full), touched), limit_bytes)
    _impossible(saved, may, names, changes, touched)
    return saved


def _wanted(walk: Walk, full: set[str], touched: Touched | None) -> list[tuple[Data, str, list[int] | None]]:
    """The buffers to copy, with the name that reaches each, and the columns if only some of a frame's block."""
    asked: list[tuple[Data, str, list[int] | None]] = []
    small = 0
    blocks: set[int] = set()
    lazy: set[int] = set()  # pandas itself copies these once they are written
    for key, frame in walk.mementos.items():
        if isinstance(frame, Framed):
            arrays = set(map(id, frame.arrays()))
            blocks |= arrays
            if walk.owner[key] in full and touched is None and frame.hold():
                lazy |= arrays
    for key, memento in walk.mementos.items():
        if not isinstance(memento, Data):
            continue
        name = walk.owner[key]
        if touched is not None and key in touched:
            asked.append((memento, name, touched[key] if key in blocks else None))
        elif name in full and touched is None and key not in lazy:
            asked.append((memento, name, None))
        elif memento.size <= SMALL and small + memento.size <= SMALL_IN_ALL:
            small += memento.size
            asked.append((memento, name, None))
    return asked


def _touched(changes: list[NameChange] | None) -> Touched | None:
    """The rehearsal's record of the objects that changed; None if there is none."""
    if changes is None:
        return None
    records = [change.touched for change in changes if isinstance(change, ForeseenChange)]
    if not records:
        return None if any(change.kind != "created" for change in changes) else {}
    return records[0]


def _full(
    changes: list[NameChange] | None,
    known: Mapping[str, NameChange],
    touched: object,
    may: Reach,
    names: Mapping[str, Any],
) -> list[str]:
    """The names whose objects are kept to the last byte."""
    if changes is None:
        return [name for name in names if name in may.changed]
    found = []
    for name, change in known.items():
        if change.kind == "mutated" or touched is not None or name in may.changed:
            found.append(name)
    return found


def _walk_all(saved: Saved, full: list[str], may: Reach, names: Mapping[str, Any]) -> None:
    walk, started = saved._walk, time.perf_counter()
    for name in full:
        if not walk.walk(name, names[name], nodes=NODES, deadline=started + SECONDS):
            saved.impossible.append(
                f"{name} holds too many objects to keep each of them: what changes deep inside it cannot be undone."
            )
    nodes, deadline = len(walk._done) + LIGHT_NODES, time.perf_counter() + LIGHT_SECONDS
    for name in names:
        if name in may.mentioned and name not in full and not isinstance(names[name], types.ModuleType):
            walk.walk(name, names[name], nodes=nodes, deadline=deadline)


def _walk_figures(saved: Saved) -> None:
    """Figures that pyplot holds open change without a name being mentioned."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    if helpers is not None:
        for manager in list(helpers.Gcf.figs.values()):
            figure = manager.canvas.figure
            saved._walk.walk("the open figure", figure, nodes=NODES, deadline=time.perf_counter() + 1.0)


def _copy(saved: Saved, asked: list[tuple[Data, str, list[int] | None]], limit: int) -> None:
    """Copy the buffers, what lies within another's memory only once, as far as the limit allows."""
    over: dict[str, int] = {}
    saved.bytes = sum(memento.bytes for memento in saved._walk.mementos.values())
    for memento, name, rows in sorted(asked, key=lambda item: item[0].size):
        size = memento.size
        if rows is not None and isinstance(memento, Array) and memento.state[0]:
            size = size // max(1, memento.state[0][0]) * len(rows)
        if isinstance(memento, Array) and _within(memento, asked):
            continue
        if saved.bytes + size > limit:
            over[name] = over.get(name, 0) + size
            continue
        try:
            memento.copy(rows)
        except (MemoryError, RuntimeError):  # torch says it with a RuntimeError
            over[name] = over.get(name, 0) + size
            continue
        saved.bytes += memento.bytes
    for name, size in over.items():
        saved.impossible.append(
            f"{name} cannot be restored: a copy of what may change in it needs {_size(size)}, "
            f"and undo may keep {_size(limit)}."
        )


def _within(array: Array, asked: list[tuple[Data, str, list[int] | None]]) -> bool:
    """Whether another array that is copied in full owns all of this one's memory."""
    if array.dtype_object or not array.size or len(asked) > 200:
        return False
    for other, _, rows in asked:
        if other is array or not isinstance(other, Array) or rows is not None or not other.dense:
            continue
        if other.low <= array.low and array.high <= other.high:
            larger = other.high - other.low > array.high - array.low
            if larger or (not array.dense) or id(other) < id(array):
                return True
    return False


def _impossible(
    saved: Saved,
    may: Reach,
    names: Mapping[str, Any],
    changes: list[NameChange] | None,
    touched: Mapping[int, object] | None,
) -> None:
    said: dict[str, None] = {}
    foreseen_names = {change.name for change in changes or () if change.kind == "mutated"}
    for key, name, why in saved._walk.impossible:
        seen_by_rehearsal = why.startswith(("a generator", "an iterator"))
        if changes is not None and seen_by_rehearsal:
            if name in foreseen_names and (touched is None or key in touched):
                said[f"{name} cannot be restored: {why}."] = None
        elif name in may.changed or name in foreseen_names:
            said[f"{name} cannot be restored: {why}."] = None
    for name in may.changed:
        if name in names and type(names[name]) not in ATOMS and unrestorable(names[name]) is None:
            value = names[name]
            if opaque(value):
                said[f"{name} cannot be restored: what a {type(value).__name__} holds cannot be seen."] = None
    saved.impossible += list(said)


def _detail(memento: Memento) -> str:
    try:
        return memento.detail()
    except Exception:  # words for the user; what they are about may be broken in any way by now
        return ""


def _is_changed(memento: Memento) -> bool:
    try:
        return memento.changed()
    except Exception:  # an object that cannot be compared any more: restoring it is tried, and reported
        return True


class _Reference:
    """Which object a name held, without keeping large ones alive."""

    def __init__(self, value: Any) -> None:
        self._id = id(value)
        self._strong: Any = None
        self._weak: Any = None
        np = sys.modules.get("numpy")
        self._array = np is not None and isinstance(value, np.ndarray)
        if self._array:  # even a weak reference makes `resize` raise
            return
        try:
            self._weak = weakref.ref(value)
        except TypeError:
            self._strong = value

    def is_(self, value: Any) -> bool:
        if self._array:
            return id(value) == self._id
        if self._weak is not None:
            return self._weak() is value
        return self._strong is value


def _users(shell: InteractiveShell) -> dict[str, Any]:
    """The user's names: not IPython's own, not those that begin with an underscore."""
    hidden = shell.user_ns_hidden
    return {
        name: value
        for name, value in list(shell.user_ns.items())
        if type(name) is str
        and not name.startswith("_")
        and name not in ("In", "Out")
        and hidden.get(name, _MISSING) is not value
    }


def _weight(value: Any) -> int:
    """About how many bytes an object holds, from its buffers."""
    np, pd, torch = sys.modules.get("numpy"), sys.modules.get("pandas"), sys.modules.get("torch")
    if np is not None and isinstance(value, np.ndarray):
        return int(np.ndarray.__dict__["nbytes"].__get__(value))
    if pd is not None and isinstance(value, pd.core.generic.NDFrame):
        return sum(int(getattr(a, "nbytes", 0)) for a in object.__getattribute__(value, "_mgr").arrays)
    if torch is not None and isinstance(value, torch.Tensor):
        return int(value.numel() * value.element_size())
    return object.__sizeof__(value) if type(value).__flags__ & 1 << 9 else sys.getsizeof(value)


def _size(count: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} bytes"
