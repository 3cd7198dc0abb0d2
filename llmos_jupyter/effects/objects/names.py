"""The notebook's names, and what else the parent and the copy know by a name of its own."""

from __future__ import annotations

import random
import re
import sys
import types
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from llmos_jupyter.effects.objects.layout import library_module

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_HISTORY = re.compile(r"_(?:i*|\d+|i\d+|oh|dh|ih|exit_code|__|)$")
_SHELLS = frozenset({"In", "Out", "exit", "quit", "get_ipython", "open"})
NAMES = "the names"


def variables(shell: InteractiveShell) -> dict[str, Any]:
    """The user's variables: no history, and nothing that IPython put there."""
    hidden = shell.user_ns_hidden
    return {
        name: value
        for name, value in list(shell.user_ns.items())
        if type(name) is str
        and name not in _SHELLS
        and not _HISTORY.match(name)
        and not (name.startswith("__") and name.endswith("__"))
        and not (name in hidden and hidden[name] is value)
    }


def roots(shell: InteractiveShell) -> dict[str, Any]:
    """What a run may change in place: variables, results that are still in the history, open figures, and modules of
    the user's own. Those that are no variables have names that are none either."""
    found = variables(shell)
    ns = shell.user_ns
    found |= {f"Out[{number}]": value for number, value in dict(ns.get("_oh") or {}).items()}
    found |= {f"the result {name}": ns[name] for name in ("_", "__", "___") if name in ns}
    found |= {f"figure {number}": figure for number, figure in figures().items()}
    return found | {f"the module {name}": module for name, module in own_modules().items()}


def own_modules() -> dict[str, types.ModuleType]:
    """The modules that are neither Python's nor of an installed library."""
    return {
        name: module
        for name, module in list(sys.modules.items())
        if type(module) is types.ModuleType and name != "__main__" and not library_module(name)
    }


def figures() -> dict[Any, Any]:
    """pyplot's open figures by their numbers."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    managers = helpers.Gcf.figs if helpers is not None else {}
    return {number: manager.canvas.figure for number, manager in managers.items()}


def known(shell: InteractiveShell) -> dict[str, Any]:
    """Objects that both sides have and that stay what they are."""
    found: dict[str, Any] = {
        NAMES: shell.user_ns,
        "the shell": shell,
        "Out": shell.user_ns.get("_oh"),
        "In": shell.user_ns.get("_ih"),
        "sys.stdin": sys.stdin,
        "nan": np.nan,
        "sys.modules": sys.modules,
        "sys.path": sys.path,
        "warnings.filters": warnings.filters,
        "random": random._inst,
        "numpy.random": np.random.mtrand._rand,
    }
    if (torch := sys.modules.get("torch")) is not None and hasattr(torch, "default_generator"):
        found["torch.default_generator"] = torch.default_generator
    import os

    found["os.environ"] = os.environ
    if (mpl := sys.modules.get("matplotlib")) is not None and hasattr(mpl, "rcParams"):
        found["rcParams"] = mpl.rcParams
        found["rcParamsDefault"] = mpl.rcParamsDefault
    if (pd := sys.modules.get("pandas")) is not None and hasattr(pd, "options"):
        found["pandas.options"] = pd.options
    return {name: obj for name, obj in found.items() if obj is not None}
