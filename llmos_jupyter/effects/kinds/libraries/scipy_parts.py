"""SciPy: distributions with their parameters, and trees of points. Registered once the module of one is imported."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from llmos_jupyter.effects.kind import CHOOSERS, Kind, register
from llmos_jupyter.effects.objects.layout import is_a
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked_ints, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer

_NUMBERS = (int, float, bool, np.ndarray, np.float64, np.int64)


class DistributionKind(Kind):
    """A distribution with its parameters, as `stats.norm(0, 1)`: SciPy makes code for each, so it is made anew."""

    name = "distribution"
    refuses_change = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        name = obj.dist.name
        if type(vars(sys.modules["scipy.stats"]).get(name)) is not type(obj.dist):
            raise CannotComeHome(f"it is a distribution that scipy.stats does not know ({name})")
        return [name, pack.values(obj.args), pack.attributes(obj.kwds)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        name, args, keywords = content_of(content, 3)
        stats: Any = sys.modules.get("scipy.stats")
        found: Any = vars(stats).get(name) if stats is not None and type(name) is str else None
        args, keywords = build.values(args), build.attributes(keywords)
        if stats is None or not is_a(found, (stats.rv_continuous, stats.rv_discrete)):
            raise Malformed("a distribution that is none")
        for value in [*args, *keywords.values()]:
            if type(value) not in _NUMBERS or (type(value) is np.ndarray and value.dtype.kind not in "biuf"):
                raise Malformed("a distribution of what are no numbers")
        try:
            return found(*args, **keywords)
        except (TypeError, ValueError):
            raise Malformed("a distribution that is none") from None

    def children(self, obj: Any) -> list[Any]:
        return [*obj.args, *obj.kwds.values()]

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return [*obj.args, *obj.kwds.values(), obj.dist._random_state], None


DISTRIBUTION = register(DistributionKind())


class PointsKind(Kind):
    """A KD-tree: built again from its points."""

    name = "tree of points"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if obj.boxsize is not None:
            raise CannotComeHome("it is a tree of points in a box that repeats itself")
        return [type(obj).__name__, pack.value(pack.keep(np.asarray(obj.data))), int(obj.leafsize)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        name, data, leaf = content_of(content, 3)
        spatial: Any = sys.modules.get("scipy.spatial")
        cls: Any = getattr(spatial, name, None) if name in ("KDTree", "cKDTree") else None
        data = build.value(data)
        if cls is None or type(data) is not np.ndarray or data.dtype != np.float64 or data.ndim != 2:
            raise Malformed("a tree without points")
        if checked_ints([leaf])[0] < 1 or not bool(np.isfinite(data).all()):
            raise Malformed("a tree without leaves")
        return cls(data, leafsize=leaf)

    def children(self, obj: Any) -> list[Any]:
        return []


POINTS = register(PointsKind())


def _choose(cls: type) -> Kind | None:
    if cls.__module__ == "scipy.stats._distn_infrastructure" and cls.__name__ in (
        "rv_continuous_frozen",
        "rv_discrete_frozen",
    ):
        return DISTRIBUTION
    trees = ("scipy.spatial._ckdtree", "scipy.spatial._kdtree")
    return POINTS if cls.__module__ in trees and cls.__name__ in ("KDTree", "cKDTree") else None


CHOOSERS.append(_choose)
