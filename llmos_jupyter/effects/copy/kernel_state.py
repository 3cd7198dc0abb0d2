"""What makes the kernel work, compared before and after a candidate ran on the copy: a change of it asks for a yes.

Replaced builtins and functions, hooks, signal handlers, the module search path, the shell's methods and callbacks, and
llmos itself. What a library registers as it is imported is not counted.
"""

from __future__ import annotations

import atexit
import builtins
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


@dataclass(frozen=True)
class State:
    """`parts` by their names; `modules`: what is in those that the kernel works by."""

    parts: dict[str, object]
    modules: dict[str, dict[str, object]]


# What IPython itself sets anew with every cell.
_BOOKKEEPING = frozenset({"sys_excepthook"})
_OURS = "llmos_jupyter."
_MODULES = ("os", "io", "shutil", "subprocess", "socket", "threading", "atexit", "warnings", "json")


def kernel_state(shell: InteractiveShell) -> State:
    """Every part by its name; parts are compared by identity."""
    state: dict[str, object] = {f"builtins.{name}": value for name, value in vars(builtins).items() if name != "_"}
    for name in ("excepthook", "unraisablehook", "stdout", "stderr"):
        state[f"sys.{name}"] = getattr(sys, name, None)
    state["sys.path"] = tuple(sys.path)
    for finder in sys.meta_path:
        state[f"sys.meta_path ({getattr(finder, '__name__', type(finder).__name__)})"] = True
    for hooks in ("meta_path", "path_hooks"):  # libraries add theirs as they are imported
        state[f"sys.{hooks}"] = tuple(id(hook) for hook in getattr(sys, hooks) if not _library(_maker(hook)))
    modules: dict[str, dict[str, object]] = {}
    for name, module in list(sys.modules.items()):
        state[f"module {name}"] = module is not None
        if module is not None and (name in _MODULES or name.startswith(_OURS)):
            modules[name] = held = dict(vars(module))
            for key, value in held.items():
                if key.isupper() and isinstance(value, dict):
                    state[f"the content of {name}.{key}"] = len(value) > 0
    for number in signal.valid_signals():
        state[f"the handler of signal {int(number)}"] = signal.getsignal(number)
    if hasattr(signal, "getitimer"):  # Windows has none
        state["a timer"] = signal.getitimer(signal.ITIMER_REAL)[0] > 0
    state["sys.settrace"], state["sys.setprofile"] = sys.gettrace(), sys.getprofile()
    for cls in type(shell).__mro__[:-1]:
        state.update({f"{cls.__name__}.{key}": value for key, value in vars(cls).items() if callable(value)})
        state.update({f"the shell's {key}": None for key, value in vars(cls).items() if callable(value)})
    own = {key: value for key, value in vars(shell).items() if callable(value) and key not in _BOOKKEEPING}
    state.update({f"the shell's {key}": value for key, value in own.items()})
    state["the shell's custom exceptions"] = shell.custom_exceptions
    for kind, magics in shell.magics_manager.magics.items():
        state.update({f"the magic {kind} {name}": True for name in magics if name != "llmos"})
        state[f"the magic {kind} llmos"] = magics.get("llmos")
    state["get_ipython"] = shell.user_ns.get("get_ipython")
    for what in ("input_transformers_cleanup", "input_transformers_post", "ast_transformers"):
        state[f"the shell's {what}"] = tuple(map(id, getattr(shell, what, ())))
    for event, callbacks in shell.events.callbacks.items():
        state[f"the callbacks of {event}"] = tuple(id(f) for f in callbacks if not _library(f))
    return State(state, modules)


def registered_exits() -> int:
    """How many functions run at the kernel's end."""
    return atexit._ncallbacks()


def differences(before: State, after: State) -> list[str]:
    """The names of parts that were changed or taken away; new ones are a library's, save in our own modules."""
    missing = object()
    found = []
    for module, held in before.modules.items():
        now = after.modules.get(module, {})
        for key in [key for key, value in held.items() if now.get(key, missing) is not value]:
            if _counts(module, held[key]) or (module.startswith(_OURS) and _counts(module, now.get(key))):
                found.append(f"{module}.{key}")
        if module.startswith(_OURS):
            found += [f"{module}.{key}" for key in now if key not in held and _counts(module, now[key])]
    for name, old in before.parts.items():
        new = after.parts.get(name, missing)
        same = new == old if isinstance(old, tuple | bool | int | float) else new is old
        if not same:
            found.append(name)
    return found


def _counts(module: str, value: object) -> bool:
    """Whether a module's attribute is a part: what can be called, and what our own modules keep."""
    return callable(value) or (module.startswith(_OURS) and isinstance(value, bool | dict | list | set))


def _maker(hook: object) -> object:
    return hook if isinstance(hook, type) or hasattr(hook, "__qualname__") else type(hook)


def _library(function: Any) -> bool:
    module = getattr(function, "__module__", None)
    return isinstance(module, str) and module not in ("__main__", "builtins") and module in sys.modules
