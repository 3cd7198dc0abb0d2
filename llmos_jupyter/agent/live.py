"""Looking at live objects without running any code of theirs.

`isinstance`, `hasattr`, `len`, `repr` and plain attribute access can all run code that a user wrote.
Here only `type`, the raw method resolution order and `inspect.getattr_static` are used; objects of
pandas and polars, recognised by their exact type, are asked through their own methods.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import inspect
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

MISSING: Any = inspect.Parameter.empty

# Types whose attribute access is the plain one although they are written in C and fill the slot.
_PLAIN_TYPES: tuple[type, ...] = (
    str, bytes, bytearray, int, float, complex, bool, list, dict, set, frozenset, tuple, range, type(None),
    slice, types.FunctionType, types.BuiltinFunctionType, types.GeneratorType, memoryview,
)  # fmt: skip
# Packages whose `__getattr__` of modules only knows submodules and what `__all__` or `dir` lists.
_LAZY_PACKAGES = frozenset({"numpy", "pandas", "scipy", "sklearn", "matplotlib", "seaborn", "plotly", "polars"})
_LABEL_TYPES = (str, int, float, bool, type(None))


def mro(cls: type) -> tuple[type, ...]:
    """The method resolution order, past any metaclass."""
    order: tuple[type, ...] = type.__getattribute__(cls, "__mro__")
    return order


def class_dict(cls: type) -> Any:
    return type.__getattribute__(cls, "__dict__")


def class_name(cls: type) -> str:
    name: str = type.__dict__["__name__"].__get__(cls)
    return name


def class_module(cls: type) -> str:
    module = type.__dict__["__module__"].__get__(cls)
    return module if type(module) is str else ""


def kind(obj: Any, *classes: type) -> bool:
    """Whether the object's type is exactly one of these. `type(obj) in (...)` would ask the metaclass
    for equality, and a user's metaclass may answer with code."""
    own = type(obj)
    return any(own is cls for cls in classes)


def derived(cls: type, base: type) -> bool:
    """`issubclass` without the hooks of metaclasses."""
    return any(each is base for each in mro(cls))


def static(obj: Any, name: str) -> Any:
    """The attribute as stored, without any descriptor or `__getattr__` running; MISSING if there is none.

    As `inspect.getattr_static`, which however compares and hashes classes on its way.
    """
    if is_module(obj):
        return types.ModuleType.__getattribute__(obj, "__dict__").get(name, MISSING)
    if is_class(obj):
        found = _in_classes(mro(obj), name)
        return _in_classes(mro(type(obj)), name) if found is MISSING else found
    own = instance_dict(obj)
    if own is not None and name in own:
        return own[name]
    return _in_classes(mro(type(obj)), name)


def _in_classes(classes: tuple[type, ...], name: str) -> Any:
    return next((class_dict(cls)[name] for cls in classes if name in class_dict(cls)), MISSING)


def hides_builtin(namespace: Mapping[str, Any], name: str) -> bool:
    """Whether the name is a builtin function's or class's, and a variable of the notebook that cannot be called."""
    if name not in namespace or name.startswith("_") or not callable(builtins.__dict__.get(name)):
        return False
    return _in_classes(mro(type(namespace[name])), "__call__") is MISSING


def is_module(obj: Any) -> bool:
    return derived(type(obj), types.ModuleType)


def is_class(obj: Any) -> bool:
    return derived(type(obj), type)


def module_name(module: Any) -> str:
    name = types.ModuleType.__getattribute__(module, "__dict__").get("__name__", "")
    return name if type(name) is str else ""


def plain_lookup(cls: type) -> bool:
    """True if instances of the class find attributes the usual way, with no hook of their own."""
    for base in mro(cls):
        if base is object or any(base is plain for plain in _PLAIN_TYPES):
            continue
        own = class_dict(base)
        if "__getattr__" in own:
            return False
        if "__getattribute__" in own and not class_module(base).startswith("numpy"):
            return False
    return True


def closed(cls: type) -> bool:
    """True if an instance can have no attribute beyond those of its class."""
    offset: int = type.__dict__["__dictoffset__"].__get__(cls)
    return offset == 0 and plain_lookup(cls)


def members(obj: Any) -> list[str]:
    """Public names of a live object's attributes, statically."""
    return [n for n in _members(obj) if type(n) is str and not n.startswith("_")]


def _members(obj: Any) -> Iterator[Any]:
    if is_module(obj):
        contents = types.ModuleType.__getattribute__(obj, "__dict__")
        yield from list(contents)
        exported = contents.get("__all__")
        if kind(exported, list, tuple):
            yield from exported
        return
    if not is_class(obj):
        yield from list(instance_dict(obj) or ())
    for cls in mro(obj if is_class(obj) else type(obj)):
        yield from list(class_dict(cls))


def instance_dict(obj: Any) -> dict[str, Any] | None:
    """The instance dictionary, unless a class of its own put something in its place."""
    for cls in mro(type(obj)):
        entry = class_dict(cls).get("__dict__")
        if entry is not None and type(entry) is not types.GetSetDescriptorType:
            return None
    try:
        found = object.__getattribute__(obj, "__dict__")
    except (AttributeError, TypeError):
        return None
    return found if type(found) is dict else None


def lacks(obj: Any, name: str) -> bool:
    """True only if reading the attribute is certain to raise AttributeError."""
    if name.startswith("__") and name.endswith("__"):
        return False
    if is_module(obj):
        return _module_lacks(obj, name)
    if is_class(obj):
        return type(obj) is type and static(obj, name) is MISSING
    if static(obj, name) is not MISSING:
        return False
    return plain_lookup(type(obj))


def _module_lacks(module: Any, name: str) -> bool:
    if type(module) is not types.ModuleType:
        return False
    contents = module.__dict__
    if name in contents:
        return False
    own = module_name(module)
    exported: Any = contents.get("__all__")
    if kind(exported, list, tuple) and any(type(n) is str and n == name for n in exported):
        return False
    if "__getattr__" in contents and own.partition(".")[0] not in _LAZY_PACKAGES:
        return False
    if "__getattr__" in contents and own != own.partition(".")[0]:
        return False
    if not own or sys.modules.get(own) is not module:
        return True
    return not has_submodule(own, name)


def has_submodule(package: str, name: str) -> bool:
    """Whether a loaded package has a submodule of that name, loaded or not; nothing is imported."""
    if f"{package}.{name}" in sys.modules:
        return True
    loaded = sys.modules.get(package)
    if loaded is None or static(loaded, "__path__") is MISSING:
        return False
    return spec_exists(f"{package}.{name}")


def spec_exists(name: str) -> bool:
    """Whether an import of a top-level module, or of a submodule of a loaded one, would find it."""
    if sys.modules.get(name) is not None:
        return True
    for attempt in range(2):
        try:
            if importlib.util.find_spec(name) is not None:
                return True
        except (ImportError, AttributeError, ValueError, OSError):
            return True  # it cannot be told without importing: say nothing
        if attempt == 0:
            importlib.invalidate_caches()  # a package may have been installed a moment ago
    return False


# --- tables -----------------------------------------------------------------------------------


def library(name: str) -> Any:
    """A library if it is loaded, else None."""
    found = sys.modules.get(name)
    return found if found is not None and is_module(found) else None


def is_exactly(obj: Any, package: str, name: str) -> bool:
    """Whether the object's type is that class of a loaded library, and no subclass of a user's."""
    loaded = library(package)
    return loaded is not None and type(obj) is static(loaded, name)


def is_frame(obj: Any) -> bool:
    return is_exactly(obj, "pandas", "DataFrame")


def is_series(obj: Any) -> bool:
    return is_exactly(obj, "pandas", "Series")


def is_polars(obj: Any) -> bool:
    return is_exactly(obj, "polars", "DataFrame")


def column_labels(obj: Any) -> list[Any] | None:
    """The column labels of a pandas or polars frame; None if they are of kinds that compare in ways of
    their own (dates match strings, a user's objects run the user's code)."""
    if is_polars(obj):
        return list(obj.columns)
    index = obj.columns
    if class_name(type(index)) not in {"Index", "RangeIndex", "MultiIndex", "CategoricalIndex"}:
        return None
    return plain_labels(index.tolist())


def plain_labels(labels: list[Any]) -> list[Any] | None:
    """The labels if none of them is of a type that could run the user's code when compared, else None."""
    out: list[Any] = []
    for label in labels:
        if kind(label, *_LABEL_TYPES):
            out.append(label)
        elif type(label) is tuple:
            inner = plain_labels(list(label))
            if inner is None:
                return None
            out.append(tuple(inner))
        elif type(label).__module__ in {"numpy", "pandas", "datetime"} or class_module(type(label)).startswith(
            "pandas."
        ):
            out.append(str(label) if derived(type(label), str) else label)
        else:
            return None
    return out


def index_names(obj: Any) -> tuple[Any, ...] | None:
    """Names of the index levels of a pandas frame or series."""
    names = plain_labels(list(obj.index.names))
    return None if names is None else tuple(names)


def dtype_of(frame: Any, label: Any) -> str:
    """The dtype of one column, in the library's words; empty if it is not to be had."""
    if is_polars(frame):
        return str(frame.schema[label])
    position = [i for i, other in enumerate(frame.columns.tolist()) if type(other) is type(label) and other == label]
    return str(frame.dtypes.iloc[position[0]]) if len(position) == 1 else ""
