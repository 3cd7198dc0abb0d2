"""The options of libraries, as plain values: what can travel of them, and how they are put."""

from __future__ import annotations

import sys
import types
import warnings
from typing import Any

import numpy as np

from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked

_PLAIN = (type(None), bool, int, float, str)


def _plain(value: Any) -> Any:
    """A plain value; a tuple becomes `["tuple", ...]`. Raises CannotComeHome for anything else."""
    if type(value) in _PLAIN:
        return value
    if type(value) in (list, tuple):
        return [type(value).__name__, *map(_plain, value)]
    if type(value) is dict and {str}.issuperset(map(type, value)):
        return {name: _plain(part) for name, part in value.items()}
    if type(value) is types.BuiltinMethodType and value.__name__ == "format" and type(value.__self__) is str:
        return ["format", value.__self__]  # as in `pd.options.display.float_format = "{:.2f}".format`
    if (cycler := sys.modules.get("cycler")) is not None and type(value) is cycler.Cycler:
        return ["cycler", _plain(value.by_key())]
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
    if type(value) is list and len(value) == 2 and value[0] == "format":
        return checked(value[1], str).format
    if type(value) is list and len(value) == 2 and value[0] == "cycler" and "cycler" in sys.modules:
        columns = _read_plain(checked(value[1], dict), depth + 1)
        try:
            return sys.modules["cycler"].cycler(**columns)
        except (TypeError, ValueError):
            raise Malformed("a cycle that is none") from None
    raise Malformed("an option that is none")


def options(value: Any) -> Any:
    """Options as they came, checked."""
    return _read_plain(checked(value, dict))


def polars_direct() -> dict[str, Any]:
    """What polars keeps outside the environment variables: by the method that sets it."""
    getters = sys.modules["polars.config"]._POLARS_CFG_DIRECT_VARS
    return {name: get() for name, get in getters.items()}


def put_polars(wanted: dict[str, Any]) -> None:
    if not wanted.keys() <= polars_direct().keys():
        raise Malformed("options that polars does not have")
    for name, value in wanted.items():
        getattr(sys.modules["polars"].Config, name)(value)


def text_or_none(value: Any) -> str | None:
    text: str | None = checked(value, str, type(None))
    return text


def sklearn_options() -> dict[str, Any]:
    return _tolerant(sys.modules["sklearn"].get_config())


def put_sklearn_options(wanted: dict[str, Any]) -> None:
    sys.modules["sklearn"].set_config(**wanted)


def template() -> Any:
    """The name of plotly's template. One that has none is told apart by its address, and cannot travel."""
    name = sys.modules["plotly.io"].templates.default
    return name if type(name) in (str, type(None)) else id(name)


def put_template(name: str | None) -> None:
    sys.modules["plotly.io"].templates.default = name


def _tolerant(held: dict[str, Any]) -> dict[str, Any]:
    """Options whose values are plain; of others their identity, so that a change is seen and refused."""
    found = {}
    for name, value in held.items():
        try:
            found[name] = _plain(value)
        except CannotComeHome:
            found[name] = ["object", id(value)]
    return found


def print_options() -> dict[str, Any]:
    return _tolerant({k: v for k, v in np.get_printoptions().items() if k != "override_repr"})


def pandas_options() -> dict[str, Any]:
    pd = sys.modules["pandas"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _tolerant({key: pd.get_option(key) for key in pd._config.config._registered_options})


def put_pandas_options(wanted: dict[str, Any]) -> None:
    pd, now = sys.modules["pandas"], pandas_options()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, value in wanted.items():
            if now.get(name, value) != _plain(value):
                pd.set_option(name, value)


def rc_params() -> dict[str, Any]:
    held = dict(dict.items(sys.modules["matplotlib"].rcParams))
    return _tolerant({name: value for name, value in held.items() if not name.startswith("backend")})


def put_rc_params(wanted: dict[str, Any]) -> None:
    params = sys.modules["matplotlib"].rcParams
    now = rc_params()
    if not wanted.keys() <= dict.keys(params):
        raise Malformed("options that matplotlib does not have")
    for name, value in wanted.items():
        if now[name] != _plain(value):
            dict.__setitem__(params, name, value)
