"""What belongs to the process rather than to a name, as plain values: working directory, environment, search path,
warning filters, random numbers, options of libraries.
"""

from __future__ import annotations

import decimal
import functools
import os
import random
import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmos_jupyter.effects.kinds.values.random_numbers import plain_state, random_state, read_state
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked

# Set in the copy by the lock's own preparations, or by libraries that work in its temporary folder.
OURS = frozenset(
    {
        "TORCHINDUCTOR_CACHE_DIR",
        "TRITON_CACHE_DIR",
        "TMPDIR",
        "LOKY_MAX_CPU_COUNT",
        "MPLBACKEND",
        "JOBLIB_MULTIPROCESSING",
    }
    | {f"{name}_NUM_THREADS" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "BLIS")}
)


@dataclass(frozen=True)
class Part:
    """`get` gives a plain value that can stand in the table, `read` checks it, `put` makes it so."""

    name: str
    get: Callable[[], Any]
    read: Callable[[Any], Any]
    put: Callable[[Any], object]

    @property
    def is_options(self) -> bool:
        """Whether it is many options by their names, of which only those that differ are put."""
        return self.read is _options


def parts() -> list[Part]:
    """All parts, of the libraries that are imported."""
    found = [
        Part("the working directory", _cwd, _text, os.chdir),
        Part("the environment variables", _environment, _texts, _put_environment),
        Part("sys.path", lambda: [p for p in sys.path if type(p) is str], _text_list, _put_path),
        Part("the warning filters", _filters, _read_filters, _put_filters),
        Part("Python's random numbers", _random, random_state, lambda state: random.setstate(state)),
        Part("numpy's random numbers", _numpy_random, _read_numpy_random, _put_numpy_random),
        Part("the decimal context", _decimal, _read_decimal, _put_decimal),
        Part("the recursion limit", sys.getrecursionlimit, _read_limit, sys.setrecursionlimit),
        Part("numpy's print options", _print_options, _options, lambda held: np.set_printoptions(**held)),
        Part("numpy's error handling", np.geterr, _texts, lambda held: np.seterr(**held)),
    ]
    if (pd := sys.modules.get("pandas")) is not None and hasattr(pd, "get_option"):
        found.append(Part("pandas options", _pandas_options, _options, _put_pandas_options))
    if (mpl := sys.modules.get("matplotlib")) is not None and hasattr(mpl, "rcParams"):
        found.append(Part("matplotlib's rcParams", _rc_params, _options, _put_rc_params))
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
    return {name: value for name, value in os.environ.items() if name not in OURS}


def _put_environment(wanted: dict[str, str]) -> None:
    for name in os.environ.keys() - wanted.keys() - OURS:
        del os.environ[name]
    for name, value in wanted.items():
        if name not in OURS and os.environ.get(name) != value:
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
    return [context.prec, context.rounding]


def _read_decimal(value: Any) -> Any:
    if type(value) is not list or len(value) != 2 or type(value[0]) is not int or type(value[1]) is not str:
        raise Malformed("a decimal context that is none")
    try:
        decimal.Context(prec=value[0], rounding=value[1])
    except (ValueError, TypeError):
        raise Malformed("a decimal context that is none") from None
    return value


def _put_decimal(value: Any) -> None:
    decimal.getcontext().prec, decimal.getcontext().rounding = value


def _read_limit(value: Any) -> int:
    if type(value) is not int or not 100 <= value <= 1_000_000:
        raise Malformed("a recursion limit that is none")
    return value


# --- options --------------------------------------------------------------------------------------

_PLAIN = (type(None), bool, int, float, str)


def _plain(value: Any) -> Any:
    """A plain value; a tuple becomes `["tuple", ...]`. Raises CannotComeHome for anything else."""
    if type(value) in _PLAIN:
        return value
    if type(value) in (list, tuple):
        return [type(value).__name__, *map(_plain, value)]
    if type(value) is dict and {str}.issuperset(map(type, value)):
        return {name: _plain(part) for name, part in value.items()}
    raise CannotComeHome("an option whose value is not plain")


def _read_plain(value: Any, depth: int = 0) -> Any:
    if type(value) in _PLAIN:
        return value
    if depth > 20:
        raise Malformed("options nested too deeply")
    if type(value) is dict:
        return {checked(name, str): _read_plain(part, depth + 1) for name, part in value.items()}
    if type(value) is list and value and value[0] in ("list", "tuple"):
        items = [_read_plain(part, depth + 1) for part in value[1:]]
        return items if value[0] == "list" else tuple(items)
    raise Malformed("an option that is none")


def _options(value: Any) -> Any:
    return _read_plain(checked(value, dict))


def _tolerant(held: dict[str, Any]) -> dict[str, Any]:
    """Options whose values are plain; of others their identity, so that a change is seen and refused."""
    found = {}
    for name, value in held.items():
        try:
            found[name] = _plain(value)
        except CannotComeHome:
            found[name] = ["object", id(value)]
    return found


def _print_options() -> dict[str, Any]:
    return _tolerant({k: v for k, v in np.get_printoptions().items() if k != "override_repr"})


def _pandas_options() -> dict[str, Any]:
    pd = sys.modules["pandas"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _tolerant({key: pd.get_option(key) for key in pd._config.config._registered_options})


def _put_pandas_options(wanted: dict[str, Any]) -> None:
    pd, now = sys.modules["pandas"], _pandas_options()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, value in wanted.items():
            if now.get(name, value) != _plain(value):
                pd.set_option(name, value)


def _rc_params() -> dict[str, Any]:
    held = dict(dict.items(sys.modules["matplotlib"].rcParams))
    return _tolerant({name: value for name, value in held.items() if not name.startswith("backend")})


def _put_rc_params(wanted: dict[str, Any]) -> None:
    params = sys.modules["matplotlib"].rcParams
    now = _rc_params()
    if not wanted.keys() <= dict.keys(params):
        raise Malformed("options that matplotlib does not have")
    for name, value in wanted.items():
        if now[name] != _plain(value):
            dict.__setitem__(params, name, value)


def changed(before: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """In the copy: what differs now, and which options hold what cannot travel. Of options only those that differ."""
    found: dict[str, Any] = {}
    cannot: list[str] = []
    for part in parts():
        now, was = part.get(), before.get(part.name)
        if was is None or now == was:
            continue
        if part.is_options:
            now = {name: value for name, value in now.items() if name not in was or value != was[name]}
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
        was = {name: value for name, value in was.items() if name in new}
    value = part.read(was)
    return lambda: part.put(value)
