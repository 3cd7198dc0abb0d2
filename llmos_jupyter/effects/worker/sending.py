"""In the kernel: the variables that code may reach are written down for a worker process."""

from __future__ import annotations

import ast
import marshal
import sys
import types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects import ambient, kinds
from llmos_jupyter.effects.code import CodePlaces
from llmos_jupyter.effects.commit import weight
from llmos_jupyter.effects.kind import KINDS, kind_of
from llmos_jupyter.effects.objects import names
from llmos_jupyter.effects.objects.layout import library_module
from llmos_jupyter.effects.objects.meanwhile import digest_now
from llmos_jupyter.effects.objects.reach import mentioned
from llmos_jupyter.effects.pack import Packer
from llmos_jupyter.effects.table import BufferWriter, Cannot, ScratchFiles, encode

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

MODULE = "the module "


class CannotBeCopied(Exception):
    """What the code reads cannot be copied to another process. One sentence."""


def cannot_go(name: str, kind: str, reason: str) -> str:
    """Why a variable stays, as a sentence."""
    return f"`{name}` ({kind}) cannot be copied to another process: {reason}."


@dataclass
class Sent:
    """What a worker was given. `objects`: those of the notebook by their numbers; `left_out`: variables it was not
    given, each with the reason; `place`: where the table lies; `digests`: by address, what tells whether one of
    them was changed since."""

    objects: list[Any]
    place: list[int]
    left_out: dict[str, Cannot] = field(default_factory=dict)
    digests: dict[int, bytes] = field(default_factory=dict)


class SentCode(CodePlaces):
    """Code objects go as they are: the worker is of the same Python, and trusts the kernel."""

    def __init__(self) -> None:
        self.codes: list[bytes] = []

    def find(self, function: types.FunctionType) -> tuple[str, Any, int]:
        """`("text", None, n)`: the n-th of the codes that were sent."""
        self.codes.append(marshal.dumps(function.__code__))
        return "text", None, len(self.codes) - 1


def send(code: str, shell: InteractiveShell, files: ScratchFiles, limit: int) -> Sent:
    """Write the code and what it may reach into the files. `limit`: bytes that arrays and frames may have. Raises
    CannotBeCopied, and OSError where the files cannot be written."""
    kinds.load()
    text = shell.transform_cell(code)
    wanted = mentioned(text, names.roots(shell))
    needed = _read_or_deleted(text)
    weights = {id(value): weight(value) for value in wanted.values()}
    if sum(weights.values()) > limit:
        largest = max(wanted, key=lambda name: weights[id(wanted[name])])
        raise CannotBeCopied(
            f"The variables that the code reads would be copied to another process, and there is too little memory: "
            f"`{largest}` alone has {weights[id(wanted[largest])] / 2**30:.1f} GB."
        )
    left_out: dict[str, Cannot] = {}
    while True:
        buffers = BufferWriter(files.fds)
        places = SentCode()
        packer = Packer({}, _known(shell), buffers, places, kind_of)
        values = {name: packer.named(name, value) for name, value in wanted.items() if name[: len(MODULE)] != MODULE}
        if not packer.cannot:
            break
        for why in packer.cannot:
            if why.name in needed:
                raise CannotBeCopied(cannot_go(why.name, type(wanted[why.name]).__qualname__, why.reason))
            left_out[why.name] = why
            wanted.pop(why.name, None)
    modules = _modules(packer.nodes)
    content = {
        "code": code,
        "nodes": packer.nodes,
        "values": values,
        "codes": places.codes,
        "kinds": _kinds(packer.nodes),
        "modules": [name for name in wanted if name[: len(MODULE)] == MODULE] + modules,
        "shared": _shared(packer.objects),
        "ambient": _ambient(),
        "shell": _settings(shell),
    }
    place = buffers.write(memoryview(encode(content)))
    return Sent(packer.objects, place, left_out, _digests(packer.objects))


def _digests(objects: list[Any]) -> dict[int, bytes]:
    kinds_of = ((obj, kind_of(type(obj))) for obj in objects)
    return {id(obj): digest_now(obj, kind) for obj, kind in kinds_of if kind is not None and kind.changes}


def _read_or_deleted(text: str) -> set[str]:
    """The names that code itself reads or deletes."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)}


def _known(shell: InteractiveShell) -> dict[int, str]:
    """What the worker has its own of, by address: the shell and its like, and modules of the user's."""
    found = {id(obj): name for name, obj in names.known(shell).items()}
    found |= {id(getattr(sys, name)): f"sys.{name}" for name in ("stdout", "stderr")}
    return found | {id(module): name for name, module in names.roots(shell).items() if name[: len(MODULE)] == MODULE}


def _modules(nodes: list[Any]) -> list[str]:
    """The user's modules that nodes speak of: by themselves, or by what they define."""
    said = {part for node in nodes for part in node[1:4] if type(part) is str}
    own = {part for part in said if part in sys.modules and part != "__main__" and not library_module(part)}
    return sorted({part for part in said if part[: len(MODULE)] == MODULE} | {MODULE + name for name in own})


def _kinds(nodes: list[Any]) -> list[str]:
    """The libraries whose kinds these nodes are of."""
    libraries = {kinds.library_of(KINDS[node[0]]) for node in nodes if node[0] in KINDS}
    return sorted(name for name in libraries if name is not None)


def _shared(objects: list[Any]) -> list[int]:
    """Memory of pandas' that is shared, maybe with frames that are not sent: it must not be written in place."""
    frames: Any = sys.modules.get("llmos_jupyter.effects.kinds.libraries.pandas_frames")
    if frames is None:
        return []
    return [number for number, obj in enumerate(objects) if frames.is_shared(obj)]


def _ambient() -> dict[str, Any]:
    """What belongs to the process; of options, those that are plain."""
    found = ambient.snapshot()
    variables = found["the environment variables"]
    found["the environment variables"] = {k: v for k, v in variables.items() if k not in ambient.PREPARED}
    for name, value in found.items():
        if type(value) is dict:
            found[name] = {option: held for option, held in value.items() if not _is_object(held)}
    return found


def _is_object(value: Any) -> bool:
    return type(value) is list and value[:1] == ["object"]


def _settings(shell: InteractiveShell) -> dict[str, Any]:
    """How this shell runs cells and shows what they show."""
    matplotlib = sys.modules.get("matplotlib") if "matplotlib.pyplot" in sys.modules else None
    inline: Any = getattr(sys.modules.get("matplotlib_inline.config"), "InlineBackend", None)
    formats = inline.instance().figure_formats if inline is not None and inline.initialized() else ()
    return {
        "execution_count": shell.execution_count,
        "ast_node_interactivity": shell.ast_node_interactivity,
        "flags": shell.compile.flags,
        "active_types": list(shell.display_formatter.active_types),
        "backend": "" if matplotlib is None else str(matplotlib.get_backend()),
        "figure_formats": sorted(formats),
    }
