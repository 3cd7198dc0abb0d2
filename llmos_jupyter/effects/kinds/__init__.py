"""All kinds, registered; those of a library once it is imported."""

from __future__ import annotations

import importlib
import sys

from llmos_jupyter.effects.kind import Kind, forget_choices

_BASIC = (
    "plain",
    "times",
    "tuples",
    "references",
    "typing_forms",
    "containers",
    "weak_containers",
    "files",
    "callables",
    "iterators",
    "random_numbers",
    "instances",
    "functions",
    "enums",
    "classes",
    "numpy_arrays",
    "widgets",
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
    "pandas": ("pandas_frames", "pandas_indexes", "pandas_arrays", "pandas_scalars"),
    "matplotlib": ("figures",),
    "sklearn": ("sklearn_models",),
    "logging": ("loggers",),
    "torch": ("torch_tensors", "torch_parts"),
    "xml": ("xml_elements",),
    "pillow": ("pictures",),
    "scipy": ("scipy_parts",),
    "sympy": ("symbols",),
    "polars": ("polars_frames",),
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
    room = type(kind).__module__.rpartition(".")[2]
    return next((name for name, rooms in _ROOMS.items() if room in rooms), None)


def _enter(room: str) -> None:
    importlib.import_module(f"{__name__}.{room}")


for _room in _BASIC:
    _enter(_room)
