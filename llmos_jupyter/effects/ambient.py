"""What belongs to the process rather than to a name, as plain values: working directory, environment, search path,
warning filters, random numbers, options of libraries.
"""

from __future__ import annotations

import decimal
import functools
import logging
import os
import random
import re
import sys
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmos_jupyter.effects import options
from llmos_jupyter.effects.kinds.values.random_numbers import plain_state, random_state, read_state
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked

# Set by the preparations of a copy or a worker, and not taken from the notebook.
PREPARED = frozenset(
    {"TMPDIR", "LOKY_MAX_CPU_COUNT", "MPLBACKEND", "JOBLIB_MULTIPROCESSING"}
    | {f"{name}_NUM_THREADS" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "BLIS")}
)
_IN_SCRATCH = ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR")  # torch puts them into the sandbox's temporary folder
NEVER_GONE: Any = object()


@dataclass(frozen=True)
class Part:
    """`get` gives a plain value that can stand in the table, `read` checks it, `put` makes it so."""

    name: str
    get: Callable[[], Any]
    read: Callable[[Any], Any]
    put: Callable[[Any], object]
    gone: Any = NEVER_GONE  # what stands for one of the options that is there no longer

    @property
    def is_options(self) -> bool:
        """Whether it is many options by their names, of which only those that differ are put."""
        return self.read in (options.options, _read_environment, _read_levels)

    def without(self, some: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
        """The options that only `some` has, each with what stands for its absence."""
        return {} if self.gone is NEVER_GONE else dict.fromkeys(some.keys() - others.keys(), self.gone)


def parts() -> list[Part]:
    """All parts, of the libraries that are imported."""
    found = [
        Part("the working directory", _cwd, _text, os.chdir),
        Part("the environment variables", _environment, _read_environment, _put_environment, None),
        Part("sys.path", lambda: [p for p in sys.path if type(p) is str], _text_list, _put_path),
        Part("the warning filters", _filters, _read_filters, _put_filters),
        Part("Python's random numbers", _random, random_state, lambda state: random.setstate(state)),
        Part("numpy's random numbers", _numpy_random, _read_numpy_random, _put_numpy_random),
        Part("the decimal context", _decimal, _read_decimal, _put_decimal),
        Part("the levels of loggers", _levels, _read_levels, _put_levels, logging.NOTSET),
        Part("the recursion limit", sys.getrecursionlimit, _read_limit, sys.setrecursionlimit),
        Part("numpy's print options", options.print_options, options.options, lambda held: np.set_printoptions(**held)),
        Part("numpy's error handling", np.geterr, _texts, lambda held: np.seterr(**held)),
    ]
    if (pd := sys.modules.get("pandas")) is not None and hasattr(pd, "get_option"):
        found.append(Part("pandas options", options.pandas_options, options.options, options.put_pandas_options))
    return [*found, *_of_plotting_and_learning()]


def _of_plotting_and_learning() -> list[Part]:
    found = []
    if (mpl := sys.modules.get("matplotlib")) is not None and hasattr(mpl, "rcParams"):
        found.append(Part("matplotlib's rcParams", options.rc_params, options.options, options.put_rc_params))
    if hasattr(sys.modules.get("sklearn"), "get_config"):
        found.append(
            Part("scikit-learn's options", options.sklearn_options, options.options, options.put_sklearn_options)
        )
    if hasattr(sys.modules.get("plotly.io"), "templates"):
        found.append(Part("plotly's template", options.template, options.text_or_none, options.put_template))
    if "_POLARS_CFG_DIRECT_VARS" in vars(sys.modules.get("polars.config", types)):
        found.append(Part("polars' options", options.polars_direct, options.options, options.put_polars))
    if "torch" in sys.modules and hasattr(sys.modules["torch"], "default_generator"):
        from llmos_jupyter.effects.kinds.libraries import torch_parts

        dice = sys.modules["torch"].default_generator
        name, get = "torch's random numbers", functools.partial(torch_parts.state_of, dice)
        found.append(Part(name, get, torch_parts.read_state, functools.partial(torch_parts.put_state, dice)))
        parts_of = (torch_parts.settings, torch_parts.read_settings, torch_parts.put_settings)
        found.append(Part("torch's settings", *parts_of))
    return found


def _cwd() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # it was deleted
        return ""


def _text(value: Any) -> str:
    text: str = checked(value, str)
    if text and not os.path.isdir(text):
        raise CannotComeHome(f"the working directory {text} is not there")
    return text


def _text_list(value: Any) -> list[str]:
    if not {str}.issuperset(map(type, checked(value, list))):
        raise Malformed("texts that are none")
    return list(value)


def _texts(value: Any) -> dict[str, str]:
    if type(value) is not dict or not {str}.issuperset(map(type, [*value, *value.values()])):
        raise Malformed("texts that are none")
    if any("\0" in text for text in [*value, *value.values()]) or any("=" in name for name in value):
        raise Malformed("variables that are none")
    return value


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _IN_SCRATCH}


def _read_environment(value: Any) -> dict[str, str | None]:
    wanted: dict[str, str | None] = checked(value, dict)
    if not {str}.issuperset(map(type, wanted)) or not {str, type(None)}.issuperset(map(type, wanted.values())):
        raise Malformed("texts that are none")
    if any("\0" in text for text in [*wanted, *wanted.values()] if text) or any("=" in name for name in wanted):
        raise Malformed("variables that are none")
    return wanted


def _put_environment(wanted: dict[str, str | None]) -> None:
    for name, value in wanted.items():
        if value is None:
            os.environ.pop(name, None)
        elif os.environ.get(name) != value:
            os.environ[name] = value


def _put_path(wanted: list[str]) -> None:
    sys.path[:] = wanted


# --- warnings -------------------------------------------------------------------------------------


def _filters() -> list[Any]:
    entries: list[Any] = list(warnings.filters)
    found = []
    for action, message, category, module, line in entries:
        texts = [[part.pattern, part.flags] if type(part) is re.Pattern else part for part in (message, module)]
        found.append([action, texts[0], [category.__module__, category.__qualname__], texts[1], line])
    return found


def _read_filters(value: Any) -> list[Any]:
    from llmos_jupyter.effects import libraries

    found = []
    for entry in checked(value, list):
        if type(entry) is not list or len(entry) != 5:
            raise Malformed("a filter that is none")
        action, message, category, module, line = entry
        if action not in ("default", "error", "ignore", "always", "module", "once", "all"):
            raise Malformed("a filter that is none")
        if type(category) is not list or len(category) != 2:
            raise Malformed("a filter that is none")
        if category[0] == "__main__":
            raise CannotComeHome("a filter of warnings of the code's own class")
        cls = libraries.attribute(*category)
        if not issubclass(type(cls), type) or not issubclass(cls, Warning):
            raise Malformed("a filter of what is no warning")
        found.append((action, _pattern(message), cls, _pattern(module), checked(line, int)))
    return found


def _pattern(said: Any) -> Any:
    if said is None or type(said) is str:
        return said
    if type(said) is not list or len(said) != 2 or type(said[0]) is not str or type(said[1]) is not int:
        raise Malformed("a pattern that is none")
    try:
        return re.compile(said[0], said[1])
    except (re.error, ValueError, OverflowError):
        raise Malformed("a pattern that is none") from None


def _put_filters(wanted: list[Any]) -> None:
    warnings.filters[:] = wanted  # type: ignore[index]
    changed = getattr(warnings, "_filters_mutated", None) or getattr(warnings, "_filters_mutated_lock_held", None)
    if changed is not None:
        changed()


# --- random numbers -------------------------------------------------------------------------------


def _random() -> list[Any]:
    version, numbers, following = random.getstate()
    return [version, list(numbers), following]


def _numpy_random() -> Any:
    return plain_state(np.random.mtrand._rand.get_state(legacy=False))


def _read_numpy_random(value: Any) -> Any:
    like = np.random.mtrand._rand.get_state(legacy=False)
    state = read_state(value, like)
    try:
        np.random.RandomState(0).set_state(state)
    except (ValueError, TypeError, KeyError, OverflowError):
        raise Malformed("a random state that is none") from None
    return state


def _put_numpy_random(state: Any) -> None:
    np.random.mtrand._rand.set_state(state)


# --- numbers ---------------------------------------------------------------------------------------


def _decimal() -> list[Any]:
    context = decimal.getcontext()
    held = [getattr(context, name) for name in _CONTEXT]
    return [*held, sorted(signal.__name__ for signal, trapped in context.traps.items() if trapped)]


_CONTEXT = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")
_SIGNALS = {signal.__name__: signal for signal in decimal.Context().traps}


def _read_decimal(value: Any) -> decimal.Context:
    *held, traps = checked(value, list) or [None]
    if len(held) != len(_CONTEXT) or type(traps) is not list or not all(trap in _SIGNALS for trap in traps):
        raise Malformed("a decimal context that is none")
    try:
        return decimal.Context(**dict(zip(_CONTEXT, held, strict=True)), traps=[_SIGNALS[trap] for trap in traps])
    except (ValueError, TypeError, OverflowError):
        raise Malformed("a decimal context that is none") from None


def _put_decimal(wanted: decimal.Context) -> None:
    context = decimal.getcontext()
    for name in _CONTEXT:
        setattr(context, name, getattr(wanted, name))
    for signal, trapped in wanted.traps.items():
        context.traps[signal] = trapped


# --- loggers --------------------------------------------------------------------------------------


def _levels() -> dict[str, int]:
    loggers = dict(logging.getLogger().manager.loggerDict)
    return {name: held.level for name, held in loggers.items() if isinstance(held, logging.Logger) and held.level}


def _read_levels(value: Any) -> dict[str, int]:
    wanted: dict[str, int] = checked(value, dict)
    if not {str}.issuperset(map(type, wanted)) or not {int}.issuperset(map(type, wanted.values())) or "" in wanted:
        raise Malformed("levels that are none")
    return wanted


def _put_levels(wanted: dict[str, int]) -> None:
    for name, level in wanted.items():
        logging.getLogger(name).setLevel(level)


def _read_limit(value: Any) -> int:
    if type(value) is not int or not 100 <= value <= 1_000_000:
        raise Malformed("a recursion limit that is none")
    return value


def changed(before: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """In the copy: what differs now, and which options hold what cannot travel. Of options only those that differ."""
    found: dict[str, Any] = {}
    cannot: list[str] = []
    for part in parts():
        now, was = part.get(), before.get(part.name)
        if was is None or now == was:
            continue
        if part.is_options:
            left = part.without(was, now)
            now = {name: value for name, value in now.items() if name not in was or value != was[name]} | left
            if any(type(value) is list and value[:1] == ["object"] for value in now.values()):
                cannot.append(part.name)
                continue
        found[part.name] = now
    return found, cannot


def snapshot() -> dict[str, Any]:
    return {part.name: part.get() for part in parts()}


def read(content: Any) -> list[tuple[Part, Any]]:
    """In the parent: the parts that changed, each with its new value, checked."""
    known = {part.name: part for part in parts()}
    found = []
    for name, value in checked(content, dict).items():
        if name not in known:
            raise CannotComeHome(f"{name} belongs to a library that the notebook has not imported")
        found.append((known[name], known[name].read(value)))
    return found


def undo_of(part: Part, new: Any) -> Callable[[], object]:
    """Puts a part back as it is now."""
    was = part.get()
    if part.is_options:
        left = part.without(new, was)
        was = {name: value for name, value in was.items() if name in new} | left
    value = part.read(was)
    return lambda: part.put(value)
