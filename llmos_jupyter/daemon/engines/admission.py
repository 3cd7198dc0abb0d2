"""Whether one more model can be loaded beside those that are, and which of them ends for it. Bytes throughout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmos_jupyter.engines import selection
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.units import size


@dataclass(frozen=True)
class Loaded:
    """An engine in the same memory. `takes`: what it takes, or will when its context is full; `counted`: what of that
    the system does not count as free any more. `last_used`: seconds on any one clock."""

    name: str
    takes: int
    counted: int
    pinned: bool = False
    busy: bool = False
    last_used: float = 0.0


@dataclass(frozen=True)
class Memory:
    """`free`: what the system says; `margin`: what stays free beside several models. `ceiling` holds for all models
    together; a single one may take more, unless it is `strict`: the user set it. `where`: as in "on NVIDIA T4"."""

    free: int
    ceiling: int
    margin: int = 0
    strict: bool = False
    where: str = ""


@dataclass(frozen=True)
class Admission:
    """The engines that end before it is loaded; or one that answers, and must have answered before anything is."""

    end: tuple[str, ...] = ()
    waits_for: str = ""


def admit(name: str, need: int, memory: Memory, loaded: Sequence[Loaded], taken: int = 0) -> Admission:
    """How a model that needs so much comes in: the least recently used of the others end, as few as will do, none that
    is pinned or answers. `taken`: the most it was seen to take, which counts beside others; alone it may be tried all
    the same. Raises LLMOSError, with the remedy, if it cannot come in."""
    staying = list(loaded)
    ended: list[str] = []
    if _fits(max(need, taken) if staying else need, memory, loaded, staying):
        return Admission()
    for each in sorted((each for each in loaded if not each.pinned), key=lambda each: (each.busy, each.last_used)):
        staying.remove(each)
        ended.append(each.name)
        if _fits(max(need, taken) if staying else need, memory, loaded, staying):
            return Admission(waits_for=each.name) if each.busy else Admission(tuple(ended))
    raise _refused(name, need, memory, loaded, staying)


def free_beside(memory: Memory, loaded: Sequence[Loaded], staying: Sequence[Loaded]) -> int:
    """What is free once the others have ended. Of what stays, what it has not taken yet is spoken for: the system
    counts the pages of a mapped file as free, and a context only as it fills."""
    gone = sum(each.counted for each in loaded if each not in staying)
    return memory.free + gone - sum(max(0, each.takes - each.counted) for each in staying)


def _fits(need: int, memory: Memory, loaded: Sequence[Loaded], staying: Sequence[Loaded]) -> bool:
    free = free_beside(memory, loaded, staying)
    if not staying:
        return need <= free and (need <= memory.ceiling or not memory.strict)
    together = need + sum(each.takes for each in staying)
    return need + memory.margin <= free and together <= memory.ceiling


def _refused(name: str, need: int, memory: Memory, loaded: Sequence[Loaded], staying: Sequence[Loaded]) -> LLMOSError:
    free, where = free_beside(memory, loaded, staying), f" {memory.where}" if memory.where else ""
    if staying:
        pinned = " and ".join(each.name for each in staying)
        return LLMOSError(
            f"{name} needs {size(need)} of memory{where}, which {pinned} leaves too little of and is pinned: let it go "
            f"with `%llmos use {staying[0].name} --unpin`."
        )
    if need <= free:
        return LLMOSError(
            f"{name} needs {size(need)} of memory and your settings allow models {size(memory.ceiling)}: allow more "
            "with `%llmos config model_memory=GIGABYTES`, or use a smaller model."
        )
    return LLMOSError(
        f"{name} needs {size(need)} of memory and {size(max(0, free))} are free{where}: {selection.instead(free)}"
    )
