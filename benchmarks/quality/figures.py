"""What a matplotlib figure shows, as data: points of lines, heights of bars, counts, offsets, shares of a pie."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.quality.grading import alike


@dataclass
class Mark:
    """One thing drawn. `values` by kind: line (x, y) by x; bars (label, length); hist counts; points (x, y); pie
    shares of 1; image cells. `numeric_x`: x are numbers, not dates or categories."""

    kind: str
    values: list[Any] = field(default_factory=list)
    numeric_x: bool = True
    edges: tuple[float, float] = (0.0, 0.0)


def marks(figures: Sequence[Any]) -> list[Mark]:
    return [mark for figure in figures for axes in figure.axes for mark in _axes_marks(axes)]


def texts(figures: Sequence[Any]) -> str:
    """All titles, labels and legends."""
    from matplotlib.text import Text

    return "\n".join(text.get_text() for figure in figures for text in figure.findobj(Text) if text.get_text())


def same_figures(
    expected: Sequence[Any], actual: Sequence[Any], *, exact_bins: bool = False, must_say: Sequence[str] = ()
) -> str:
    """Empty if the figures show the same data, else why not."""
    wanted, got = marks(expected), marks(actual)
    if not got:
        return "nothing was drawn"
    if longest := max((len(mark.values) for mark in wanted if mark.kind == "line"), default=0):
        # A thin rule (a mean, a threshold) beside the curve is decoration.
        got = [mark for mark in got if mark.kind != "line" or len(mark.values) > 2 or longest <= 2]
    have = Counter(mark.kind for mark in got)
    need = Counter(mark.kind for mark in wanted)
    if have != need:
        return f"drew {_count(have)} instead of {_count(need)}"
    left = list(got)
    for mark in wanted:
        place = next((i for i, other in enumerate(left) if _same_mark(mark, other, exact_bins)), None)
        if place is None:
            return (
                f"the {mark.kind} shows other data: expected {str(mark.values)[:150]}, got {str(left[0].values)[:150]}"
            )
        left.pop(place)
    said = texts(actual).casefold()
    missing = [text for text in must_say if text.casefold() not in said]
    return f"{missing[0]!r} is not written in the figure" if missing else ""


def _count(kinds: Counter[str]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items())) or "nothing"


def _axes_marks(axes: Any) -> list[Mark]:
    from matplotlib.collections import PathCollection, QuadMesh
    from matplotlib.container import BarContainer
    from matplotlib.patches import Wedge

    found: list[Mark] = []
    bars = Mark("bars")
    for container in axes.containers:
        if isinstance(container, BarContainer):
            mark = _bars(axes, container)
            if mark.kind == "hist":
                found.append(mark)
            else:
                bars.values += mark.values
    if bars.values:
        found.append(bars)
    points: list[tuple[Any, Any]] = []
    for line in axes.lines:
        if line.get_transform() != axes.transData and line.get_transform() != line.axes.transData:
            continue
        xy = _finite(line.get_xydata())
        if line.get_linestyle() in ("None", "none", "", " "):
            # Outliers of a box plot have no line either, and may be none at all.
            points += xy
        elif xy:
            numeric = not axes.xaxis.have_units() and axes.xaxis.units is None and not _of_dates(axes.xaxis)
            found.append(Mark("line", sorted(xy), numeric_x=numeric and not _period_axis(axes)))
    for collection in axes.collections:
        if isinstance(collection, PathCollection):
            points += _finite(collection.get_offsets())
        elif isinstance(collection, QuadMesh):
            found.append(Mark("image", _cells(collection.get_array())))
    if points:
        found.append(Mark("points", sorted(points)))
    shares = [(p.theta2 - p.theta1) / 360 for p in axes.patches if isinstance(p, Wedge)]
    if shares:
        found.append(Mark("pie", sorted(shares)))
    # A colour bar is an image of its own, beside the data.
    found += [Mark("image", _cells(image.get_array())) for image in axes.images if axes.get_label() != "<colorbar>"]
    return [] if axes.get_label() == "<colorbar>" else found


def _of_dates(axis: Any) -> bool:
    return "Date" in type(axis.get_major_formatter()).__name__


def _period_axis(axes: Any) -> bool:
    return getattr(axes, "freq", None) is not None


def _bars(axes: Any, container: Any) -> Mark:
    flat = container.orientation == "horizontal"
    places = [(p.get_y(), p.get_height()) if flat else (p.get_x(), p.get_width()) for p in container.patches]
    lengths = [float(p.get_width() if flat else p.get_height()) for p in container.patches]
    lengths = [0.0 if math.isnan(length) else length for length in lengths]
    axis = axes.yaxis if flat else axes.xaxis
    named = _tick_names(axis)
    touching = len(places) > 1 and all(
        math.isclose(a + width, b, rel_tol=1e-6, abs_tol=1e-9 + 1e-6 * abs(width))
        for (a, width), (b, _) in itertools.pairwise(places)
    )
    if touching and not named:
        return Mark("hist", lengths, edges=(places[0][0], places[-1][0] + places[-1][1]))
    labels = [_nearest(named, start + width / 2) for start, width in places]
    return Mark("bars", list(zip(labels, lengths, strict=True)))


def _tick_names(axis: Any) -> dict[float, str]:
    """Tick labels that are names, by place; empty on an axis of numbers or dates."""
    from matplotlib.ticker import FixedFormatter

    names: dict[float, str] = {}
    if type(axis.get_major_formatter()).__name__ in ("StrCategoryFormatter",) or isinstance(
        axis.get_major_formatter(), FixedFormatter
    ):
        for place, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=False):
            if label.get_text():
                names[float(place)] = label.get_text()
    return names


def _nearest(names: dict[float, str], place: float) -> str:
    if not names:
        return ""
    best = min(names, key=lambda at: abs(at - place))
    return names[best] if abs(best - place) <= 0.5 else ""


def _finite(pairs: Any) -> list[tuple[float, float]]:
    rows = np.ma.filled(np.ma.asarray(pairs, dtype=float), np.nan)
    return [(float(x), float(y)) for x, y in rows if math.isfinite(x) and math.isfinite(y)]


def _cells(array: Any) -> list[float]:
    return [float(value) for value in np.ma.filled(np.ma.asarray(array, dtype=float), np.nan).ravel()]


def _same_mark(want: Mark, have: Mark, exact_bins: bool) -> bool:
    if want.kind != have.kind:
        return False
    a, b = want.values, have.values
    if want.kind == "hist":
        # A curve of the same data in other bins is the same histogram, unless the request fixed them.
        span = max(abs(want.edges[1] - want.edges[0]), 1e-9)
        near = all(abs(x - y) < 0.02 * span for x, y in zip(want.edges, have.edges, strict=True))
        return _all_alike(a, b) or (not exact_bins and near and math.isclose(sum(a), sum(b), rel_tol=1e-6))
    if want.kind == "line":
        if not _all_alike([y for _, y in a], [y for _, y in b]):
            return False
        xs, others = [x for x, _ in a], [x for x, _ in b]
        counted = xs == list(range(len(xs)))
        return counted or not (want.numeric_x and have.numeric_x) or _all_alike(xs, others)
    if want.kind == "bars":
        if not _all_alike(sorted(length for _, length in a), sorted(length for _, length in b)):
            return False
        named = all(label for label, _ in a) and all(label for label, _ in b)
        return not named or _paired(a) == _paired(b)
    return _all_alike(a, b)


def _paired(bars: list[tuple[str, float]]) -> list[tuple[str, str]]:
    return sorted((_plain(label), f"{length:.5g}") for label, length in bars)


def _plain(label: str) -> str:
    """A label as it is compared: 2024-03-01 00:00:00 and 2024-03 are one month, 3.0 and 3 one number."""
    text = label.strip().casefold().removesuffix(" 00:00:00")
    text = text[:-3] if len(text) == 10 and text.endswith("-01") and text[4] == "-" else text
    return text.removesuffix(".0")


def _all_alike(a: Sequence[Any], b: Sequence[Any]) -> bool:
    return len(a) == len(b) and all(_close(x, y) for x, y in zip(a, b, strict=True))


def _close(x: Any, y: Any) -> bool:
    if isinstance(x, tuple):
        return all(_close(one, other) for one, other in zip(x, y, strict=True))
    if isinstance(x, float) and isinstance(y, float) and math.isnan(x) and math.isnan(y):
        return True
    return alike(x, y)
