"""Whether what a candidate uses survives a fork.

Some libraries keep threads or a device's state that a forked copy does not have, and then hang or crash in it.
A rehearsal that uses them would say "still running" about code that never ran; it must not be tried.
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Mapping
from typing import Any

from llmos_jupyter.effects.objects.layout import class_module, mro

_WORD = re.compile(r"[^\W\d]\w*")
_DEPTH = 200  # objects looked at, following the user's functions and containers

# library: what in it does not survive
_THREADS = {
    "polars": "its thread pool",
    "jax": "its threads",
    "jaxlib": "its threads",
    "tensorflow": "its threads",
    "cupy": "its hold of the GPU",
    "cudf": "its hold of the GPU",
}


def fork_hazard(code: str, namespace: Mapping[str, Any]) -> str | None:
    """Why `code` cannot be rehearsed on a fork of this process, as one sentence, or None."""
    risky = {library: what for library, what in _THREADS.items() if library in sys.modules}
    if (torch := sys.modules.get("torch")) is not None and _cuda_started(torch):
        risky["torch"] = "its hold of the GPU"
    if not risky:
        return None
    used = _libraries(code, namespace)
    for library, what in risky.items():
        if library in used:
            return f"The code uses {library}, and no fork can copy {what}, so it was not tried in the sandbox."
    return None


def _cuda_started(torch: types.ModuleType) -> bool:
    cuda = getattr(torch, "cuda", None)
    return cuda is not None and bool(cuda.is_initialized())


def _libraries(code: str, namespace: Mapping[str, Any]) -> set[str]:
    """Top-level packages that the code names, or that the objects it names belong to."""
    words = set(_WORD.findall(code))
    found = set(words & set(_THREADS)) | ({"torch"} if "torch" in words else set())
    queue = [namespace[word] for word in words if word in namespace]
    seen: set[int] = set()
    while queue and len(seen) < _DEPTH:
        obj = queue.pop()
        if id(obj) in seen:
            continue
        seen.add(id(obj))
        if isinstance(obj, types.ModuleType):
            found.add(obj.__name__.partition(".")[0])
            continue
        if isinstance(obj, types.FunctionType):
            found.add((obj.__module__ or "").partition(".")[0])
            if obj.__globals__ is namespace:  # the user's own: what it names counts as well
                queue += [namespace[name] for name in obj.__code__.co_names if name in namespace]
                queue += [cell.cell_contents for cell in obj.__closure__ or () if _filled(cell)]
            continue
        cls = obj if isinstance(obj, type) else type(obj)
        for base in mro(cls):
            found.add(class_module(base).partition(".")[0])
        if (kind := type(obj)) is list or kind is tuple or kind is set:
            queue += list(obj)[:20]
        elif kind is dict:
            queue += list(obj.values())[:20]
        elif class_module(cls) == "__main__":
            queue += list(getattr(obj, "__dict__", {}).values())[:20]
    return found


def _filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False
