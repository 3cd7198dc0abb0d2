"""scikit-learn's compiled objects; everything else that it fits is plain attributes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from llmos_jupyter.effects import libraries
from llmos_jupyter.effects.kind import CHOOSERS, Kind, register
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer

_NODE_FIELDS = ("max_depth", "node_count", "nodes", "values")


class TreeKind(Kind):
    """A fitted decision tree: its nodes and values, as two arrays."""

    name = "decision tree"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        _, (features, classes, outputs), state = obj.__reduce__()
        parts = [state["nodes"], state["values"], classes]
        return [int(features), int(outputs), int(state["max_depth"]), *[pack.value(pack.keep(part)) for part in parts]]

    def blank(self, content: list[Any], build: Builder) -> Any:
        from sklearn.tree._tree import NODE_DTYPE, Tree

        features, outputs, depth, *parts = content_of(content, 6)
        nodes, values, classes = build.values(parts)
        for number in (features, outputs, depth):
            checked(number, int)
        if any(type(part) is not np.ndarray for part in (nodes, values, classes)) or nodes.dtype != NODE_DTYPE:
            raise Malformed("a tree without nodes")
        count = len(nodes)
        for name in ("left_child", "right_child"):
            if count and (int(nodes[name].min()) < -1 or int(nodes[name].max()) >= count):
                raise Malformed("a tree whose nodes lead nowhere")
        inner = nodes["left_child"] != -1
        if bool((nodes["right_child"][inner] <= np.flatnonzero(inner)).any()) or bool(
            (nodes["left_child"][inner] <= np.flatnonzero(inner)).any()
        ):
            raise Malformed("a tree that goes in circles")
        if inner.any() and not 0 <= int(nodes["feature"][inner].min()) <= int(nodes["feature"][inner].max()) < features:
            raise Malformed("a tree of features that are not there")
        if not 0 < outputs < 10_000 or len(classes) != outputs or values.ndim != 3 or len(values) != count:
            raise Malformed("a tree whose values do not fit")
        if values.shape[1:] != (outputs, int(classes.max())):
            raise Malformed("a tree whose values do not fit")
        made = Tree(features, np.ascontiguousarray(classes, np.intp), outputs)
        try:
            made.__setstate__({"max_depth": depth, "node_count": count, "nodes": nodes, "values": values})
        except (ValueError, TypeError, KeyError):
            raise Malformed("a tree that is none") from None
        return made


TREE = register(TreeKind())


_LOSSES = ("sklearn._loss._loss", "sklearn.linear_model._sgd_fast")


class CompiledKind(Kind):
    """A loss or a distance: a class of scikit-learn's and a few numbers."""

    name = "compiled part of scikit-learn"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        _, args = obj.__reduce__()[:2]
        if any(type(arg) not in (int, float, str) for arg in args):
            raise CannotComeHome(f"a {type(obj).__name__} of scikit-learn's")
        return [type(obj).__module__, type(obj).__name__, list(args)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        module, name, args = content_of(content, 3)
        if module not in _LOSSES or type(name) is not str:
            raise Malformed("a part of scikit-learn that is none")
        cls = libraries.attribute(module, name)
        if not issubclass(type(cls), type) or any(type(arg) not in (int, float) for arg in checked(args, list)):
            raise Malformed("a part of scikit-learn that is none")
        try:
            return cls(*args)
        except (TypeError, ValueError):
            raise Malformed("a part of scikit-learn that is none") from None


COMPILED = register(CompiledKind())


_LEAF, _DISTANCE = 4, 11  # where in a neighbours tree's state they stand


class NeighboursKind(Kind):
    """A KD-tree or ball tree: built again from its data, as it was built the first time."""

    name = "neighbours tree"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        state = obj.__getstate__()
        data, leaf, distance, weights = state[0], state[_LEAF], state[_DISTANCE], state[_DISTANCE + 1]
        name = {"EuclideanDistance64": "euclidean", "ManhattanDistance64": "manhattan"}.get(type(distance).__name__)
        if name is None or weights is not None:
            raise CannotComeHome(f"a {type(obj).__name__} with weights, or the distance {type(distance).__name__}")
        return [type(obj).__name__, pack.value(pack.keep(np.asarray(data))), int(leaf), name]

    def blank(self, content: list[Any], build: Builder) -> Any:
        from sklearn.neighbors import BallTree, KDTree

        name, data, leaf, metric = content_of(content, 4)
        data = build.value(data)
        if type(data) is not np.ndarray or data.dtype != np.float64 or data.ndim != 2 or not data.size:
            raise Malformed("a tree without data")
        if checked(leaf, int) < 1 or metric not in ("euclidean", "manhattan"):
            raise Malformed("a tree without leaves")
        made = {"KDTree": KDTree, "BallTree": BallTree}.get(name if type(name) is str else "")
        if made is None:
            raise Malformed("a tree of no kind")
        return made(data, leaf_size=leaf, metric=metric)


NEIGHBOURS = register(NeighboursKind())


def _choose(cls: type) -> Kind | None:
    if cls.__module__ == "sklearn.tree._tree" and cls.__name__ == "Tree":
        return TREE
    if cls.__module__ in _LOSSES:
        return COMPILED
    if (
        cls.__module__ in ("sklearn.neighbors._kd_tree", "sklearn.neighbors._ball_tree")
        and "sklearn.neighbors" in sys.modules
    ):
        return NEIGHBOURS
    return None


CHOOSERS.append(_choose)
