"""Whether a thread of the notebook changed an object while an answer's code ran in the sandbox.

For each object that it changed, the copy sends a digest of the object's earlier state. Before it commits, the kernel
computes the same digest of the live object. A copy that lies gains nothing: at worst the commit goes on as it would
without the comparison.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from llmos_jupyter.effects.kind import Kind, Look, kind_of
from llmos_jupyter.effects.objects.layout import MISSING
from llmos_jupyter.effects.objects.memory import Print, edges_alone
from llmos_jupyter.effects.objects.names import variables
from llmos_jupyter.effects.objects.walk import find
from llmos_jupyter.effects.table import NotNow

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

SIZE = 16  # bytes of a digest
MOST = 8192  # objects of a column of a frame, up to which they are compared one by one
# What Python makes anew at an address that was just freed: a counter's old value and its new one may share theirs.
_NUMBERS = frozenset({int, float, complex, bool, type(None)})
_TEXTS = frozenset({str, bytes})
_PLAIN = _NUMBERS | _TEXTS
_VERSION = 2  # of `marshal`: the last one in which the bytes do not depend on counts of references


class ChangedMeanwhile(NotNow):
    """An object or a name was changed in the notebook since the code began; nothing was put in place."""

    def __init__(self, name: str) -> None:
        what = f"`{name}`" if name else "a variable"
        super().__init__(
            f"{what} was changed in the notebook while the code ran, by a thread or a task; "
            "nothing of the answer was put in place: ask again"
        )


@dataclass(frozen=True)
class Began:
    """The notebook when a run began. `names`: what they stood for, None where that does not matter; `sent`: the objects
    that a worker process was given copies of, and names by their place here, where a fork names addresses; `digests`:
    what these were, by their addresses. Of a fork's objects it tells that itself."""

    names: dict[str, Any] | None = None
    sent: list[Any] | None = None
    digests: dict[int, bytes] = field(default_factory=dict)


def check_unchanged(
    began: Began,
    names: list[str],
    states: list[tuple[Any, Kind, Any]],
    digests: list[bytes | None],
    shell: InteractiveShell,
) -> None:
    """Raise ChangedMeanwhile where these names and objects are no longer what they were when the run began: what a
    thread of the notebook's has put there would be lost. `digests`: of the objects; None where it is not known."""
    before, namespace = began.names, shell.user_ns
    if before is not None:
        for name in names:
            if namespace.get(name, MISSING) is not before.get(name, MISSING):
                raise ChangedMeanwhile(name)
    for (obj, kind, _), was in zip(states, digests, strict=True):
        if was is not None and digest_now(obj, kind) != was:
            raise ChangedMeanwhile(_name_of(obj, shell))


def _name_of(obj: Any, shell: InteractiveShell) -> str:
    """The first of the variables that reach an object; empty if none does."""
    reaching = (name for name, value in variables(shell).items() if find([value], {id(obj)}))
    return next(reaching, "")


def digest_before(obj: Any, kind: Kind, marks: Look, marks_of: Callable[[list[Any]], dict[int, Look]]) -> bytes | None:
    """In the copy: a digest of what an object was. `marks_of`: gives the marks that other objects had. None where it
    cannot be told."""
    content = kind.content(marks[0])
    found = marks_of(content) if content else {}
    if not all(id(part) in found for part in content):
        return None
    return digest(marks, [found[id(part)] for part in content])


def digest(look: Look, content: Iterable[Look] = ()) -> bytes:
    """A digest of an object's marks, and of those of what is its content though an object by itself."""
    found = hashlib.blake2b(_digest(look), digest_size=SIZE)
    for part in content:
        found.update(_digest(part if len(part[0]) <= MOST else ([], part[1])))
    return found.digest()


def _digest(look: Look) -> bytes:
    """The same in the kernel and in its fork: numbers and texts by their values, other objects by their classes and
    addresses, and of large arrays only the ends."""
    objects, plain = look
    classes = list(map(type, objects))
    numbers = [obj for obj, cls in zip(objects, classes, strict=True) if cls in _NUMBERS]
    texts = [hash(obj) for obj, cls in zip(objects, classes, strict=True) if cls in _TEXTS]
    others = [id(obj) for obj, cls in zip(objects, classes, strict=True) if cls not in _PLAIN]
    found = hashlib.blake2b(np.array(list(map(id, classes)), "u8").tobytes(), digest_size=SIZE)
    found.update(np.array(texts, "i8").tobytes())
    found.update(np.array(others, "u8").tobytes())
    found.update(marshal.dumps((numbers, len(texts), _plain(plain)), _VERSION))
    return found.digest()


def digest_now(obj: Any, kind: Kind) -> bytes:
    """The same of an object as it is; empty where its kind cannot read it any more."""
    try:
        with edges_alone():
            marks = kind.marks(obj)
            parts = [(part, kind_of(type(part))) for part in kind.content(marks[0])]
            return digest(marks, [of.marks(part) for part, of in parts if of is not None])
    except Exception:  # its class was changed, or it is half way through a change
        return b""


def _plain(value: Any) -> Any:
    """A plain value without what only one of the two can tell."""
    cls = type(value)
    if cls in _PLAIN:
        return value
    if cls is Print:
        return value.edges
    return list(map(_plain, value)) if cls is list or cls is tuple else None
