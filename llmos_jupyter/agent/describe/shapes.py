"""What kind of table or array a value is: its class, its shape, the name of its dtype."""

from __future__ import annotations

from typing import Any

from llmos_jupyter.agent.describe.basics import (
    class_module,
    class_name,
    is_kind,
    is_library_kind,
    label,
    library_class,
    module_dict,
    mro,
    plain,
    redefines,
)


def shape_of(value: Any) -> str | None:
    """A table or an array inside a container: class and shape only."""
    if is_library_kind(value, "pandas", "DataFrame", "Series", "Index"):
        base = next(cls for cls in mro(type(value)) if class_name(cls) in ("DataFrame", "Series", "Index"))
        if redefines(value, base, "__getattribute__", "__getattr__", "shape", "columns", "index", "_mgr"):
            return class_name(type(value))
        rows = value.shape[0]
        if class_name(base) != "DataFrame":
            return f"{class_name(type(value))} of {rows}"
        names = ", ".join(label(name) for name in value.columns[:4].tolist())
        more = ", ..." if value.shape[1] > 4 else ""
        return f"{class_name(type(value))} {rows} x {value.shape[1]} ({names}{more})"
    if is_library_kind(value, "numpy", "ndarray"):
        array = bare(value)
        return f"{class_name(type(value))} {dtype_name(array.dtype)} {array.shape}"
    if is_exactly_a(value, "polars", "DataFrame"):
        return f"polars DataFrame {value.height} x {value.width}"
    if is_exactly_a(value, "torch", "Tensor"):
        return f"Tensor {tuple(value.shape)}"
    return None


def dtype_name(dtype: Any) -> str:
    """A dtype's name without running a third party's code."""
    numpy = module_dict("numpy")
    if "dtype" in numpy and is_kind(dtype, numpy["dtype"]):
        if dtype.names is not None:
            fields = ", ".join(f"{label(n)} {dtype_name(dtype.fields[n][0])}" for n in dtype.names[:8])
            return f"structured ({fields}{', ...' if len(dtype.names) > 8 else ''})"
        return plain(str(dtype))
    if is_pandas_dtype(type(dtype)):
        if class_name(type(dtype)) == "CategoricalDtype":
            return "category"
        return plain(str(dtype))
    return class_name(type(dtype))


def bare(array: Any) -> Any:
    """The array without the methods of a derived class."""
    ndarray = module_dict("numpy")["ndarray"]
    return ndarray.view(array, ndarray)


def is_exactly_a(value: object, module: str, name: str) -> bool:
    return type(value) is library_class(module, name)


def package(cls: type) -> str:
    return class_module(cls).partition(".")[0]


def is_pandas(cls: type) -> bool:
    """Whether pandas itself defines this class, by identity."""
    module = class_module(cls)
    return module.partition(".")[0] == "pandas" and module_dict(module).get(class_name(cls)) is cls


def is_pandas_dtype(cls: type) -> bool:
    return class_module(cls).startswith("pandas.core") or is_pandas(cls)
