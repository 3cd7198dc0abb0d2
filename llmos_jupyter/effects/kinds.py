"""All kinds, registered; those of a library once it is imported."""

from __future__ import annotations

import importlib
import sys

from llmos_jupyter.effects import kinds_classes, kinds_containers, kinds_enums, kinds_numpy, kinds_objects, kinds_plain
from llmos_jupyter.effects.kind import forget_choices

_BASIC = (kinds_plain, kinds_containers, kinds_objects, kinds_enums, kinds_classes, kinds_numpy)
OF_LIBRARIES = {
    "pandas": "pandas",
    "pandas_scalars": "pandas",
    "matplotlib": "matplotlib.figure",
    "sklearn": "sklearn.base",
    "logging": "logging",
    "polars": "polars",
}
_loaded: set[str] = set()


def load(libraries: list[str] | None = None) -> list[str]:
    """Register the kinds of these libraries, or else of all that are imported; the names of those registered."""
    wanted = (
        [name for name, module in OF_LIBRARIES.items() if module in sys.modules] if libraries is None else libraries
    )
    for name in wanted:
        if name in OF_LIBRARIES and name not in _loaded:
            importlib.import_module(f"llmos_jupyter.effects.kinds_{name}")
            _loaded.add(name)
            forget_choices()
    return sorted(_loaded)
