"""Which libraries' modules the parent imports on behalf of a run, and which classes it makes instances of."""

from __future__ import annotations

import importlib
import re
import sys
import types
from typing import Any

from llmos_jupyter.effects import reasons
from llmos_jupyter.effects.objects.layout import class_dict, installed, is_a, is_users, mro
from llmos_jupyter.effects.table import CannotComeHome, Malformed

# Whose Python classes are nothing but their attributes.
LIBRARIES = frozenset(
    [
        "abc",
        "array",
        "ast",
        "calendar",
        "collections",
        "configparser",
        "contextlib",
        "copy",
        "csv",
        "cycler",
        "dataclasses",
        "datetime",
        "dateutil",
        "decimal",
        "difflib",
        "enum",
        "fractions",
        "functools",
        "html",
        "importlib_resources",
        "ipaddress",
        "itertools",
        "joblib",
        "json",
        "kiwisolver",
        "math",
        "matplotlib",
        "mpl_toolkits",
        "narwhals",
        "networkx",
        "numbers",
        "numpy",
        "operator",
        "packaging",
        "pandas",
        "pathlib",
        "plotly",
        "_plotly_utils",
        "polars",
        "pyarrow",
        "pytz",
        "queue",
        "random",
        "re",
        "scipy",
        "seaborn",
        "sklearn",
        "statistics",
        "statsmodels",
        "string",
        "sympy",
        "textwrap",
        "threadpoolctl",
        "time",
        "torch",
        "types",
        "threading",
        "typing",
        "typing_extensions",
        "urllib",
        "uuid",
        "warnings",
        "xarray",
        "xml",
        "zoneinfo",
        "IPython",
        "argparse",
        "logging",
        "shapely",
        "geopandas",
        "patsy",
        "tabulate",
    ]
)
# Whose objects stand for something outside the namespace.
_NEVER = re.compile(
    r"^(IPython\.(core\.(?!display)|terminal|utils\.(?!capture))|logging|pandas\.io\.(?!formats)|joblib\.(?!numpy)|ctypes|urllib\.(?!parse))"
)
_WAITING = frozenset({"Condition", "Event", "Semaphore", "BoundedSemaphore"})  # of threading's: those of a queue
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def may_be_made(cls: type) -> str | None:
    """Why the parent makes no instance of a class; None if it does."""
    if (why := reasons.of_class(cls)) is not None:
        return why
    if any("__del__" in class_dict(base) for base in mro(cls)[:-1]):
        return f"a {cls.__name__} runs code when it ends"
    if is_users(cls):
        return None
    module = cls.__module__
    if type(module) is not str or (module.partition(".")[0] not in LIBRARIES and module != "builtins"):
        return f"a {cls.__name__} is of a library whose objects are not known ({module})"
    if _NEVER.match(module) or (module == "threading" and cls.__name__ not in _WAITING):
        return f"a {cls.__name__} belongs to the process, not to the notebook"
    return None


def module(name: Any) -> types.ModuleType:
    """A module by its name, imported if it is an installed library's. Raises Malformed or CannotComeHome."""
    if type(name) is not str or not _NAME.fullmatch(name) or name == "__main__":
        raise Malformed("a module without a name")
    if name in sys.modules:
        return sys.modules[name]
    top = name.partition(".")[0]
    if not installed(top) or (top not in sys.modules and top not in LIBRARIES):
        raise CannotComeHome(f"the module {name} is not imported in the notebook", "module")
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise CannotComeHome(f"the module {name} cannot be imported ({error})", "module") from None


def attribute(module_name: Any, path: Any) -> Any:
    """What a module defines under a dotted path; nothing is computed on the way."""
    found: Any = module(module_name)
    if type(path) is not str or not _NAME.fullmatch(path):
        raise Malformed("an attribute without a name")
    for part in path.split("."):
        held = class_dict(found) if is_a(found, type) else object.__getattribute__(found, "__dict__")
        if part not in held:
            raise CannotComeHome(f"{module_name}.{path} is not there")
        found = held[part]
        if is_a(found, (staticmethod, classmethod)):
            found = found.__func__
    return found


def address_of(obj: Any) -> tuple[str, str] | None:
    """Module and path of a class or function of a library's, if that is where it is found; None otherwise."""
    path = getattr(obj, "__qualname__", None) or getattr(obj, "__name__", None)
    if type(path) is not str or "<" in path:
        return None
    said = getattr(obj, "__module__", None)
    owners = [said] if type(said) is str else []
    if said == "builtins":
        owners.append("types")  # has `NoneType` and its like
    if type(obj).__name__ == "ufunc":
        owners = ["numpy", "scipy.special"]
    for owner in [*owners, *(["builtins"] if not owners else [])]:
        if owner == "__main__" or owner not in sys.modules:
            continue
        try:
            found = attribute(owner, path)
        except (CannotComeHome, Malformed, AttributeError):
            continue
        if found is obj:
            return owner, path
    return None
