"""In the worker: the kernel's variables are built into a shell of its own."""

from __future__ import annotations

import contextlib
import importlib
import marshal
import os
import sys
import types
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from llmos_jupyter.effects import ambient, kinds
from llmos_jupyter.effects import commit as committing
from llmos_jupyter.effects.build import Builder
from llmos_jupyter.effects.code import CompiledCell
from llmos_jupyter.effects.kind import kind_named
from llmos_jupyter.effects.objects import names
from llmos_jupyter.effects.table import ATOMS, BufferReader
from llmos_jupyter.effects.worker.sending import MODULE

_elsewhere: list[object] = []  # stands for the kernel's frames that share memory with those that were sent


class SentCodes(CompiledCell):
    """The code objects that the kernel sent."""

    def __init__(self, codes: list[bytes]) -> None:
        self._sent = codes

    def at(self, number: Any) -> types.CodeType:
        code: types.CodeType = marshal.loads(self._sent[number])
        return code


def make_shell(scratch: str) -> InteractiveShell:
    """A shell without history, files and configuration of its own."""
    os.environ["IPYTHONDIR"] = os.path.join(scratch, "ipython")
    shell: InteractiveShell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    return shell


def settle(content: dict[str, Any], shell: InteractiveShell) -> None:
    """Be like the kernel: folder, search path, random numbers, options, settings of the shell."""
    _put(content["ambient"], ("the working directory", "the environment variables", "sys.path"))
    kinds.load(content["kinds"])
    for module in content["modules"]:
        with contextlib.suppress(Exception):  # what names it says so
            importlib.import_module(module[len(MODULE) :])
    said = content["shell"]
    shell.execution_count = said["execution_count"]
    shell.ast_node_interactivity = said["ast_node_interactivity"]
    shell.compile.flags = said["flags"]
    shell.display_formatter.active_types = said["active_types"]
    if said["backend"]:
        os.environ["MPLBACKEND"] = said["backend"]  # taken up when matplotlib is imported


def put_options(content: dict[str, Any], shell: InteractiveShell) -> None:
    """The rest of it, once all libraries are imported."""
    said = content["shell"]
    if said["backend"] and "matplotlib.pyplot" in sys.modules:
        _draw_with(said["backend"], said["figure_formats"], shell)
    _put(content["ambient"], tuple(content["ambient"]))


def _put(parts: dict[str, Any], which: tuple[str, ...]) -> None:
    here = {part.name for part in ambient.parts()}
    for part, value in ambient.read({name: parts[name] for name in which if name in here and name in parts}):
        part.put(value)


def _draw_with(backend: str, formats: list[str], shell: InteractiveShell) -> None:
    if "inline" in backend:
        from matplotlib_inline.backend_inline import configure_inline_support
        from matplotlib_inline.config import InlineBackend

        config = InlineBackend.instance(parent=shell)
        if formats:
            config.figure_formats = set(formats)
        configure_inline_support(shell, backend)  # type: ignore[no-untyped-call]
    with contextlib.suppress(Exception):  # a window's, without a screen: `Stage` draws without one
        sys.modules["matplotlib"].use(backend)


def build(content: dict[str, Any], buffers: BufferReader, shell: InteractiveShell) -> dict[int, int]:
    """Bind the variables; by the addresses of their objects here, the kernel's numbers. Raises CannotComeHome."""
    known = names.known(shell) | {"sys.stdout": sys.stdout, "sys.stderr": sys.stderr}
    known |= {name: obj for name, obj in names.roots(shell).items() if name[: len(MODULE)] == MODULE}
    build = Builder(content["nodes"], {}, known, buffers, SentCodes(content["codes"]), kind_named)
    values = {name: build.value(value) for name, value in content["values"].items()}
    build.finish()
    figures = []
    for name, value in values.items():
        what, _, which = name.rpartition(" ")
        if what == "figure":
            figures.append((int(which), value))
        elif what == "the result":
            shell.user_ns[which] = value
            setattr(shell.displayhook, which, value)
        elif name[:4] == "Out[":
            number = int(name[4:-1])
            shell.user_ns["_oh"][number] = shell.user_ns[f"_{number}"] = value
        else:
            shell.user_ns[name] = value
    if figures:
        committing.open_figures(figures, committing.Undo())
    made = build.made()
    if content["shared"]:
        from llmos_jupyter.effects.kinds.libraries.pandas_frames import share

        _elsewhere.extend(share(made[number]) for number in content["shared"])
    return {id(made[number]): number for number in sorted(made, reverse=True) if type(made[number]) not in ATOMS}
