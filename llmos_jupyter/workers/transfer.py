"""What goes to a worker and comes back: variables, pickled one by one with cloudpickle.

`pack` is called in the notebook's kernel when a background cell is submitted, `unpack` and `pack_results` in the
worker, `merge` in the kernel between two cells. Modules go by name, functions and classes of the notebook by value. An
object that two names share stays shared; what two objects have in common inside is copied for each.

Unpickling runs code. What the user's own code made is unpickled in the kernel (`merge`); what the model's made is
unpickled in the sandbox (`llmos_jupyter.session.foreign_results`).
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cloudpickle

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol.jobs import GIB, Bundle, Missing, Packed
from llmos_jupyter.system.private_files import private, private_folder
from llmos_jupyter.workers.fingerprints import Seen
from llmos_jupyter.workers.names import Names, names_of

MANIFEST = "manifest.json"


class _TooLarge(Exception):
    pass


class _Bounded(io.RawIOBase):
    """A file that takes so many bytes and no more, so that five gigabytes are refused before they are written."""

    def __init__(self, file: io.RawIOBase | io.BufferedIOBase, limit: int) -> None:
        self._file = file
        self._limit = limit
        self.written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.written += size
        if self.written > self._limit:
            raise _TooLarge
        self._file.write(data)
        return size


# --- to the worker ---------------------------------------------------------------------------------


@dataclass
class Submission:
    """Variables on their way to a worker, and how the notebook's names were when they left."""

    bundle: Bundle
    names: Names
    seen: dict[str, Seen | None]


def pack(code: str, namespace: Mapping[str, Any], folder: Path, limit: int = GIB) -> Submission:
    """Write the variables that the code reads into `folder`, and note how those are that it may give back.

    Raises SyntaxError for code that is none, and LLMOSError when a variable cannot be pickled or all of them weigh more
    than `limit` bytes.
    """
    names = names_of(code)
    wanted = {name: namespace[name] for name in sorted(names.reads | names.touches) if name in namespace}
    sizes = {name: rough_bytes(value) for name, value in wanted.items()}
    if sum({id(wanted[name]): size for name, size in sizes.items()}.values()) > limit:
        raise LLMOSError(_too_large(sizes, limit))
    bundle = _write(wanted, folder)
    left = limit
    for name, write in bundle.writers:
        try:
            packed = write(left)
        except _TooLarge:
            written = {packed.name: packed.bytes for packed in bundle.done}
            raise LLMOSError(_too_large({**sizes, **written, name: max(sizes[name], left)}, limit)) from None
        except Exception as error:
            raise LLMOSError(_cannot_go(name, wanted[name], error)) from error
        left -= packed.bytes
    back = names.binds | names.touches
    seen = {name: Seen(namespace[name]) if name in namespace else None for name in sorted(back)}
    return Submission(bundle.close(), names, seen)


@dataclass
class _Writing:
    """A bundle being written, one variable at a time."""

    folder: Path
    writers: list[tuple[str, Callable[[int], Packed]]] = field(default_factory=list)
    done: list[Packed] = field(default_factory=list)

    def close(self, missing: Iterable[Missing] = ()) -> Bundle:
        bundle = Bundle(folder=str(self.folder), variables=self.done, missing=list(missing))
        with open(self.folder / MANIFEST, "w", encoding="utf-8", opener=private) as manifest:
            manifest.write(bundle.model_dump_json())
        return bundle


def _write(variables: Mapping[str, Any], folder: Path) -> _Writing:
    private_folder(folder)
    writing = _Writing(folder)
    first: dict[int, str] = {}

    def one(name: str, value: Any, number: int, left: int) -> Packed:
        kind = type(value).__qualname__
        shared = first.get(id(value))
        if shared is not None:
            packed = Packed(name=name, type=kind, same_as=shared)
        else:
            path = folder / f"{number}.pickle"
            try:
                with open(path, "wb", opener=private) as file:
                    bounded = _Bounded(file, left)
                    cloudpickle.dump(value, bounded, protocol=pickle.HIGHEST_PROTOCOL)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
            packed = Packed(name=name, file=path.name, bytes=bounded.written, type=kind)
            first[id(value)] = name
        writing.done.append(packed)
        return packed

    for number, (name, value) in enumerate(variables.items()):
        writing.writers.append((name, partial(one, name, value, number)))
    return writing


def rough_bytes(value: Any) -> int:
    """What a variable weighs, without pickling it: exact for arrays, lower bounds for the rest."""
    try:
        if callable(usage := getattr(value, "memory_usage", None)) and "pandas" in sys.modules:
            used = usage(deep=False)
            return int(used if isinstance(used, int) else used.sum())
        if isinstance(size := getattr(value, "nbytes", None), int):
            return size
        return sys.getsizeof(value)
    except Exception:  # an object whose own code raises
        return 0


def _too_large(sizes: Mapping[str, int], limit: int) -> str:
    largest = max(sizes, key=lambda name: sizes[name])
    return (
        f"The variables that this code reads weigh more than {readable_bytes(limit)}, most of it `{largest}` "
        f"({readable_bytes(sizes[largest])} or more): send a part of it, or have the code read it from a file."
    )


def readable_bytes(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError


def _cannot_go(name: str, value: Any, error: Exception) -> str:
    what = f"`{name}` ({type(value).__name__})"
    return f"{what} cannot be sent to a worker ({_reason(error)}): {_remedy(value, str(error))}."


def _reason(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0].rstrip(".:") if text else type(error).__name__


def _remedy(value: Any, reason: str) -> str:
    """What to do about a value that cannot be pickled, by what it is or holds."""
    said = f"{type(value).__name__} {reason}".lower()
    for words, remedy in (
        (("generator", "coroutine", "map ", "filter ", "zip "), "make a list of it first"),
        (
            ("iowrapper", "bufferedreader", "bufferedwriter", "fileio", "bufferedrandom"),
            "open the file within the code",
        ),
        (("lock", "condition", "semaphore", "thread", "event"), "make it within the code"),
        (("connection", "socket", "cursor", "session", "engine"), "open the connection within the code"),
    ):
        if any(word in said for word in words):
            return remedy
    return "make it within the code, or leave it out"


def pack_known(variables: Mapping[str, Any], folder: Path, limit: int = GIB) -> Submission:
    """Write these variables, as many as can go: what cannot be pickled, or finds no room any more, is told in the
    bundle. For code that is not written yet."""
    writing = _write(variables, folder)
    missing, gone = _write_all(writing, variables, limit, _remedy)
    seen: dict[str, Seen | None] = {name: Seen(value) for name, value in variables.items() if name not in gone}
    return Submission(writing.close(missing), Names(), seen)


def overlay(bundle: Bundle, results: Bundle) -> Bundle:
    """What a task is given, with what another has made since: by name the newer one. The files are linked, not copied.

    Raises OSError where the results are gone, or there is no room.
    """
    folder = Path(bundle.folder)
    newer = {variable.name for variable in results.variables}
    files = {variable.name: variable.file for variable in bundle.variables}
    kept = []
    for variable in bundle.variables:
        if variable.name in newer:
            continue
        if variable.same_as in newer:  # it stays what it was
            variable = variable.model_copy(update={"file": files[variable.same_as], "same_as": ""})
        kept.append(variable)
    for variable in results.variables:
        if variable.file:
            file = f"{len(list(folder.iterdir()))}-later.pickle"
            source = Path(results.folder) / Path(variable.file).name
            try:
                os.link(source, folder / file)
            except OSError:
                shutil.copyfile(source, folder / file)
            variable = variable.model_copy(update={"file": file})
        kept.append(variable)
    return bundle.model_copy(update={"variables": kept})


# --- in the worker ---------------------------------------------------------------------------------


def unpack(bundle: Bundle) -> tuple[dict[str, Any], list[Missing]]:
    """The variables of a bundle, and those that could not be loaded."""
    values: dict[str, Any] = {}
    missing: list[Missing] = []
    for variable in bundle.variables:
        if variable.same_as:
            if variable.same_as in values:
                values[variable.name] = values[variable.same_as]
            else:
                missing.append(Missing(name=variable.name, reason=f"it is the same as `{variable.same_as}`"))
            continue
        try:
            with (Path(bundle.folder) / Path(variable.file).name).open("rb") as file:
                values[variable.name] = pickle.load(file)
        except Exception as error:
            missing.append(Missing(name=variable.name, reason=f"{type(error).__name__}: {_reason(error)}"))
    return values, missing


def digest(value: Any) -> bytes | None:
    """Of the value's pickle; None where it has none. Tells whether code changed a value in place."""
    hashed = hashlib.blake2b(digest_size=16)

    class Sink(io.RawIOBase):
        def write(self, data: Any) -> int:
            hashed.update(data)
            return memoryview(data).nbytes

    try:
        cloudpickle.dump(value, Sink(), protocol=pickle.HIGHEST_PROTOCOL)
    except Exception:
        return None
    return hashed.digest()


def pack_results(variables: Mapping[str, Any], folder: Path, limit: int = GIB) -> Bundle:
    """Write results one by one; one that cannot be pickled, or is too large, is told and the others still come."""
    writing = _write(variables, folder)
    return writing.close(_write_all(writing, variables, limit, _remedy_back)[0])


def _write_all(
    writing: _Writing, variables: Mapping[str, Any], limit: int, remedy: Callable[[Any, str], str]
) -> tuple[list[Missing], set[str]]:
    """Write one by one what can be written, and tell the rest."""
    missing: list[Missing] = []
    left = limit
    for name, write in writing.writers:
        try:
            left -= write(left).bytes
        except _TooLarge:
            reason = f"it is larger than the {readable_bytes(left)} left of {readable_bytes(limit)}: save it to a file"
            missing.append(Missing(name=name, reason=reason))
        except Exception as error:
            value = variables[name]
            why = f"{type(value).__name__}: {_reason(error)}; {remedy(value, str(error))}"
            missing.append(Missing(name=name, reason=why))
    return missing, {one.name for one in missing}


def _remedy_back(value: Any, reason: str) -> str:
    remedy = _remedy(value, reason)
    return remedy if remedy.startswith("make a list") else "give back what was computed with it instead"


# --- back in the notebook --------------------------------------------------------------------------


@dataclass
class Merged:
    """What `merge` did. `kept`: names that had changed, each with the name under which the task's value is found."""

    set: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)

    def note(self, name: str, other: str) -> None:
        """This result came, under this name."""
        if name == other:
            self.set.append(name)
        else:
            self.kept[name] = other

    def sentences(self) -> list[str]:
        """What the user must be told; nothing if all went as expected."""
        told = [
            f"`{name}` was changed meanwhile and is left as it is; the task's value is `{other}`."
            for name, other in self.kept.items()
        ]
        return told + [f"`{one.name}` could not come back ({one.reason})." for one in self.missing]


def merge(namespace: MutableMapping[str, Any], results: Bundle, seen: Mapping[str, Seen | None], number: int) -> Merged:
    """Bring a task's results into the notebook. Call it in the kernel's main thread while no cell runs.

    A name whose value is no longer what it was at submission (`seen`) is not overwritten: the new value gets the name
    `NAME_from_task_NUMBER`. A name that the submission knew nothing of is treated as one that must not exist yet.
    """
    values, missing = unpack(results)
    merged = Merged(missing=[*results.missing, *missing])
    for name, other in placed(namespace, values, seen, number).items():
        namespace[other] = values[name]
        merged.note(name, other)
    return merged


def placed(
    namespace: Mapping[str, Any], names: Iterable[str], seen: Mapping[str, Seen | None], number: int
) -> dict[str, str]:
    """Under which name each result comes into the notebook: see `merge`."""
    return {
        name: name if _untouched(namespace, name, seen.get(name)) else f"{name}_from_task_{number}" for name in names
    }


def _untouched(namespace: Mapping[str, Any], name: str, before: Seen | None) -> bool:
    if name not in namespace:
        return before is None  # deleted meanwhile is changed meanwhile
    return before is not None and before.is_still(namespace[name])
