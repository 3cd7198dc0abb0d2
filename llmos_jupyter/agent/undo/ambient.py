"""What belongs to the process and to IPython rather than to a name, and is cheap to keep: the last results, `sys.path`,
the environment, the working directory, warning filters, options of libraries, random states, pyplot's figures.
"""

from __future__ import annotations

import builtins
import os
import random
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmos_jupyter.agent.undo.kinds import numpy_random, put_dict, random_state

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_RESULTS = ("_", "__", "___")
_IPYTHON = frozenset({"_", "get_ipython", "display", "exit", "quit", "__IPYTHON__"})  # built in while a cell runs


@dataclass
class _Part:
    """`get` gives a value of its own, comparable with `==`; `put` makes it so again."""

    said: str
    get: Callable[[], Any]
    put: Callable[[Any], object]
    before: Any = None
    after: Any = None


class Ambient:
    """Kept at once; `settle` after the run, `restore` to undo what the run changed and nobody since."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._results = _results(shell)
        self._results_after: tuple[dict[Any, Any], dict[str, Any]] | None = None
        self._parts = _parts()
        for part in self._parts:
            part.before = part.get()

    def settle(self) -> None:
        self._results_after = _results(self._shell)
        for part in self._parts:
            part.after = part.get()
        self._parts = [part for part in self._parts if part.after != part.before]

    def restore(self) -> list[str]:
        """One sentence for each part that was put back, or left because it changed again since."""
        notes = []
        for part in self._parts:
            now = part.get()
            if now == part.before:
                continue
            if part.after is not None and now != part.after:
                notes.append(f"{part.said} changed again since, and stayed as it is.")
                continue
            try:
                part.put(part.before)
                notes.append(f"restored {part.said}")
            except (OSError, ValueError, KeyError, TypeError) as error:
                notes.append(f"{part.said} could not be restored ({type(error).__name__}: {error}).")
        self._restore_results()
        return notes

    def _restore_results(self) -> None:
        """`Out` without the run's results; `_` only where nothing was shown since."""
        out, last = self._results
        after_out, after_last = self._results_after or _results(self._shell)
        ns = self._shell.user_ns
        held = ns.get("_oh")
        if isinstance(held, dict):
            for key, value in after_out.items():
                if key not in out and held.get(key) is value:
                    del held[key]
                    ns.pop(f"_{key}", None)
                elif key in out and out[key] is not value and held.get(key) is value:
                    held[key] = out[key]
        now = _results(self._shell)[1]
        if any(now[name] is not after_last[name] for name in _RESULTS):
            return
        hook = getattr(self._shell, "displayhook", None)
        for name in _RESULTS:
            if last[name] is not after_last[name]:
                ns[name] = last[name]
                if hook is not None and hasattr(hook, name):
                    setattr(hook, name, last[name])


def _results(shell: InteractiveShell) -> tuple[dict[Any, Any], dict[str, Any]]:
    ns = shell.user_ns
    out = ns.get("_oh")
    return dict(out) if isinstance(out, dict) else {}, {name: ns.get(name, "") for name in _RESULTS}


class _Same:
    """Values compared by identity: nobody's `==` is asked."""

    def __init__(self, values: Any) -> None:
        self.values = list(values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and [*map(id, self.values)] == [*map(id, other.values)]

    __hash__ = None  # type: ignore[assignment]


def _parts() -> list[_Part]:
    parts = [
        _Part("the working directory", _cwd, os.chdir),
        _Part("the environment variables", lambda: dict(os.environ), _put_environment),
        _Part("sys.path", lambda: list(sys.path), _put_path),
        _Part("the warning filters", lambda: list(warnings.filters), _put_filters),
        _Part("the built-in names", lambda: _Same(_flat(vars(builtins))), _put_builtins),
    ]
    die = random_state(random._inst)
    parts.append(_Part("Python's random numbers", random.getstate, lambda state: die.restore()))
    np, pd, mpl = sys.modules.get("numpy"), sys.modules.get("pandas"), sys.modules.get("matplotlib")
    if np is not None and hasattr(np, "random"):
        old = np.random.mtrand._rand
        dice = numpy_random(old)
        parts.append(_Part("numpy's random numbers", dice.fingerprint, lambda state: dice.restore()))
        parts.append(_Part("numpy's print options", np.get_printoptions, lambda was: np.set_printoptions(**was)))
        parts.append(_Part("numpy's error handling", np.geterr, lambda was: np.seterr(**was)))
    if pd is not None and hasattr(pd, "get_option"):
        parts.append(_Part("pandas options", lambda: _pandas_options(pd), lambda was: _put_pandas_options(pd, was)))
    if mpl is not None and hasattr(mpl, "rcParams"):
        params = mpl.rcParams
        parts.append(
            _Part("matplotlib's rcParams", lambda: dict(dict.items(params)), lambda was: put_dict(params, was))
        )
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    if helpers is not None:
        figures = helpers.Gcf.figs
        parts.append(
            _Part("pyplot's open figures", lambda: _Same(_flat(figures)), lambda was: _put_figures(figures, was))
        )
    if (torch := sys.modules.get("torch")) is not None and hasattr(torch, "get_rng_state"):
        parts.append(
            _Part(
                "torch's random numbers",
                lambda: torch.get_rng_state().numpy().tobytes(),
                lambda was: torch.set_rng_state(torch.frombuffer(bytearray(was), dtype=torch.uint8)),
            )
        )
    return parts


def _flat(mapping: Any) -> list[Any]:
    return [part for item in list(mapping.items()) if item[0] not in _IPYTHON for part in item]


def _cwd() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # it was deleted
        return ""


def _put_environment(wanted: dict[str, str]) -> None:
    for key in os.environ.keys() - wanted.keys():
        del os.environ[key]
    for key, value in wanted.items():
        if os.environ.get(key) != value:
            os.environ[key] = value


def _put_path(wanted: list[str]) -> None:
    sys.path[:] = wanted


def _put_filters(wanted: list[Any]) -> None:
    warnings.filters[:] = wanted  # type: ignore[index]
    changed = getattr(warnings, "_filters_mutated", None) or getattr(warnings, "_filters_mutated_lock_held", None)
    if changed is not None:
        changed()


def _put_builtins(wanted: _Same) -> None:
    keys, values = wanted.values[::2], wanted.values[1::2]
    was = dict(zip(keys, values, strict=True))
    held = vars(builtins)
    for key in [key for key in held if key not in _IPYTHON and key not in was]:
        del held[key]
    for key, value in was.items():
        if held.get(key) is not value:
            held[key] = value


def _pandas_options(pd: Any) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {key: pd.get_option(key) for key in pd._config.config._registered_options}


def _put_pandas_options(pd: Any, wanted: dict[str, Any]) -> None:
    now = _pandas_options(pd)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for key, value in wanted.items():
            if now.get(key) != value:
                pd.set_option(key, value)


def _put_figures(figures: Any, wanted: _Same) -> None:
    helpers = sys.modules["matplotlib._pylab_helpers"]
    keys, managers = wanted.values[::2], wanted.values[1::2]
    for key, manager in list(figures.items()):
        if not any(manager is old for old in managers):
            helpers.Gcf.destroy(key)
    figures.clear()
    figures.update(zip(keys, managers, strict=True))
