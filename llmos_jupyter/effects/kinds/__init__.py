"""All kinds, registered; those of a library once it is imported."""

from __future__ import annotations

import importlib
import sys

from llmos_jupyter.effects.kind import Kind, forget_choices

_BASIC = (
    "values.plain",
    "values.times",
    "values.tuples",
    "code.references",
    "code.typing_forms",
    "values.containers",
    "values.weak_containers",
    "values.files",
    "code.callables",
    "values.iterators",
    "values.random_numbers",
    "values.instances",
    "code.functions",
    "code.enums",
    "code.classes",
    "libraries.numpy_arrays",
    "libraries.widgets",
)
# A library's name, the module that must be imported, and the rooms of its kinds.
OF_LIBRARIES = {
    "pandas": "pandas",
    "matplotlib": "matplotlib.figure",
    "sklearn": "sklearn.base",
    "logging": "logging",
    "torch": "torch.optim",
    "xml": "xml.etree.ElementTree",
    "pillow": "PIL.Image",
    "scipy": "scipy",
    "sympy": "sympy.core.singleton",
    "polars": "polars",
}
_ROOMS = {
    "pandas": (
        "libraries.pandas_frames",
        "libraries.pandas_indexes",
        "libraries.pandas_arrays",
        "libraries.pandas_scalars",
    ),
    "matplotlib": ("libraries.figures",),
    "sklearn": ("libraries.sklearn_models",),
    "logging": ("values.loggers",),
    "torch": ("libraries.torch_tensors", "libraries.torch_parts"),
    "xml": ("values.xml_elements",),
    "pillow": ("libraries.pictures",),
    "scipy": ("libraries.scipy_parts",),
    "sympy": ("libraries.symbols",),
    "polars": ("libraries.polars_frames",),
}
_loaded: set[str] = set()


def load(libraries: list[str] | None = None) -> list[str]:
    """Register the kinds of these libraries, or else of all that are imported; the names of those registered."""
    wanted = (
        [name for name, module in OF_LIBRARIES.items() if module in sys.modules] if libraries is None else libraries
    )
    for name in wanted:
        if name in OF_LIBRARIES and name not in _loaded:
            for room in _ROOMS[name]:
                _enter(room)
            _loaded.add(name)
            forget_choices()
    return sorted(_loaded)


def library_of(kind: Kind) -> str | None:
    """The library of `OF_LIBRARIES` that a kind belongs to; None for one that is always there."""
    room = type(kind).__module__.removeprefix(f"{__name__}.")
    return next((name for name, rooms in _ROOMS.items() if room in rooms), None)


def _enter(room: str) -> None:
    importlib.import_module(f"{__name__}.{room}")


for _room in _BASIC:
    _enter(_room)
