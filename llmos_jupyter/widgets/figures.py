"""Plotly figures that are given what changed, and nothing else.

A front end is sent whole arrays, so that these are kept small: bars stand in a few traces, by their step's identifier,
and a bar that changes costs its own trace; curves are sent as small numbers without their x.
"""

from __future__ import annotations

import html
import math
import time
import zlib
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, cast

import numpy as np
import plotly.graph_objects as go
from plotly.serializers import custom_serializers
from plotly.subplots import make_subplots

from llmos_jupyter.widgets.gantt import Bar, Gantt, Line
from llmos_jupyter.widgets.saved import COLOURS, FAILED, GREY, INK
from llmos_jupyter.widgets.step_words import KINDS
from llmos_jupyter.widgets.utilisation import SECONDS, Used

# Traces a kind of bar.
_CHUNKS = 4
_PATTERNS = {"generation": "", "run": "/", "rehearsal": ".", "kernel": "x"}
_CLEAR = "rgba(0,0,0,0)"
# The same grey on light and dark; where CSS variables are known, `TEXT` has letters follow the theme.
_LAYOUT: dict[str, Any] = {
    "template": "none",
    "paper_bgcolor": _CLEAR,
    "plot_bgcolor": _CLEAR,
    "font": {"color": GREY, "size": 11},
    "hoverlabel": {"bgcolor": "#222222", "font": {"color": "#FFFFFF"}, "align": "left"},
    "modebar": {"bgcolor": _CLEAR, "color": GREY, "activecolor": COLOURS["generation"]},
    "autosize": True,
    "uirevision": "llmos",  # zoom and hidden traces outlive updates
}
_AXIS: dict[str, Any] = {"gridcolor": "rgba(128,128,128,.25)", "zeroline": False, "linecolor": GREY}
TEXT = """
.llmos-figure [class$="tick"] text, .llmos-figure .legendtext, .llmos-figure .annotation-text,
.llmos-figure .shape-label text { fill: var(--jp-ui-font-color1, #7A7A7A) !important }
"""


_COUNTERS = frozenset({"_last_layout_edit_id", "_last_trace_edit_id"})
_FILLED_IN = frozenset({"_js2py_traceDeltas", "_js2py_layoutDelta"})


def _news(name: str, value: Any) -> bool:
    return name not in _COUNTERS and not (value is None and name.startswith(("_py2js_", "_js2py_")))


class Figure(go.FigureWidget):  # type: ignore[misc]
    """A FigureWidget of which only updates go over the wire, not the bookkeeping around each of them.

    Plotly sends two counters and an empty message with each update, which double its size, and has the front end send
    back what it filled in, which nobody here reads. To a front end that comes later, after a page was loaded again, it
    tells its present state, and not that at its beginning.
    """

    def _send(self, msg: Any, buffers: Any = None) -> None:
        state = msg.get("state", {})
        if msg.get("method") != "update" or any(_news(name, value) for name, value in state.items()):
            super()._send(msg, buffers)

    def _handle_msg(self, msg: Any) -> None:
        data = msg["content"]["data"]
        if data.get("method") != "update" or set(data.get("state", {})) - _FILLED_IN:
            super()._handle_msg(msg)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        state = cast("dict[str, Any]", super().get_state(key=key, drop_defaults=drop_defaults))
        if key is None and getattr(self, "_layout_obj", None) is not None:  # None while it is being made
            to_json = custom_serializers["to_json"]
            state["_widget_data"] = to_json(deepcopy(self._data), None)
            state["_widget_layout"] = to_json(deepcopy(self._layout_obj._props), None)
        return state


class Drawn:
    """A figure, and what has been sent of it."""

    def __init__(self, figure: go.Figure) -> None:
        self.figure = Figure(figure)
        self.figure.add_class("llmos-figure")
        self.figure._config = {"displaylogo": False, "responsive": True, "modeBarButtonsToRemove": ["select", "lasso"]}
        self._sent: dict[tuple[int | str, str], Any] = {}
        self._changes: dict[int | str, dict[str, Any]] = {}

    def put(self, trace: int | str, name: str, value: Any) -> None:
        """A property of a trace, or of the layout (""), if it is another than before."""
        key = (trace, name)
        old = self._sent.get(key, _NOTHING)
        if old is _NOTHING:
            old = (self.figure.layout if trace == "" else self.figure.data[trace])[name]
            old = list(old) if isinstance(old, tuple) else old
        if not _same(old, value):
            self._changes.setdefault(trace, {})[name] = value
        self._sent[key] = value

    def send(self) -> bool:
        """Send the changes together. False if there are none."""
        changes, self._changes = self._changes, {}
        sends, layout = bool(changes), changes.pop("", {})
        # Traces in which the same properties changed go in one message, others in another: plotly fills up what a
        # trace has not changed with "undefined", and its model in the front end takes that for "remove".
        groups: dict[frozenset[str], list[int | str]] = {}
        for trace, properties in changes.items():
            groups.setdefault(frozenset(properties), []).append(trace)
        for traces in list(groups.values()) or ([[]] if layout else []):
            with self.figure.batch_update():
                for name, value in layout.items():
                    self.figure.layout[name] = value
                layout = {}
                for trace in traces:
                    for name, value in changes[trace].items():
                        self.figure.data[trace][name] = value
        return sends


_NOTHING = object()


def _same(old: Any, new: Any) -> bool:
    if isinstance(new, np.ndarray):
        return isinstance(old, np.ndarray) and old.dtype == new.dtype and np.array_equal(old, new, equal_nan=True)
    return bool(old == new)


# --- the schedule -----------------------------------------------------------------------------


class GanttFigure(Drawn):
    """Bars by lane; below each, thin, when it was planned."""

    def __init__(self) -> None:
        # Plotly forgets an axis's type when data come, and takes that of the first trace: this one has a date and a
        # lane, and keeps now in view.
        unseen = {"mode": "markers", "marker": {"opacity": 0}, "hoverinfo": "skip", "showlegend": False}
        traces: list[Any] = [go.Scatter(x=[_date(time.time())], y=[""], **unseen)]
        for kind, title in KINDS.items():
            marker = {
                "color": COLOURS[kind],
                "pattern": {"shape": _PATTERNS[kind], "fillmode": "overlay", "fgcolor": "#000000", "fgopacity": 0.45,
                            "size": 6, "solidity": 0.25},
                "line": {"width": 2},
            }  # fmt: skip
            traces += [_bars(title, -0.42, 0.54, marker, INK[kind]) for _ in range(_CHUNKS)]
        plan = {"color": "rgba(128,128,128,.15)", "line": {"width": 1, "color": GREY}}
        traces += [_bars("planned", 0.18, 0.22, plan, GREY) for _ in range(_CHUNKS)]
        for title, dash, arrow in (("waits for", "solid", True), ("gave way", "dot", False)):
            traces.append(
                go.Scatter(
                    name=title, mode="lines+markers" if arrow else "lines", hoverinfo="skip",
                    line={"color": GREY, "width": 1.5, "dash": dash},
                    marker={"symbol": "arrow", "size": 9, "angleref": "previous", "color": GREY},
                )
            )  # fmt: skip
        line = {"color": GREY, "dash": "dash", "width": 1.5}
        now = {"type": "line", "xref": "x", "yref": "paper", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "line": line}
        layout = {
            **_LAYOUT,
            "barmode": "overlay",
            "height": 260,
            "margin": {"l": 10, "r": 10, "t": 40, "b": 80},
            "legend": {"orientation": "h", "yref": "container", "y": 0, "x": 0, "groupclick": "togglegroup"},
            "xaxis": {**_AXIS, "type": "date", "showgrid": True, "tickformat": "%H:%M:%S"},
            "yaxis": {**_AXIS, "type": "category", "autorange": "reversed", "automargin": True, "fixedrange": True},
            "shapes": [{**now, "label": {"text": "now", "textposition": "end", "textangle": 0, "yanchor": "bottom"}}],
        }
        super().__init__(go.Figure(traces, layout))
        self._first = {name: 1 + index * _CHUNKS for index, name in enumerate([*KINDS, "planned"])}

    def draw(self, gantt: Gantt) -> bool:
        """Show this arrangement. False if nothing had to be sent."""
        for group, first in self._first.items():
            bars = [bar for bar in gantt.bars if (group == "planned") == bar.planned and group in ("planned", bar.kind)]
            chunks: list[list[Bar]] = [[] for _ in range(_CHUNKS)]
            for bar in bars:
                chunks[zlib.crc32(bar.step.encode()) % _CHUNKS].append(bar)
            for number, chunk in enumerate(chunks):
                self._bars(first + number, chunk, legend=number == 0 and bool(bars), planned=group == "planned")
        lines = self._first["planned"] + _CHUNKS
        self._lines(lines, gantt.dependencies)
        self._lines(lines + 1, gantt.breaks)
        self.put("", "yaxis.categoryarray", [html.escape(lane) for lane in gantt.lanes])
        self.put("", "height", 150 + 28 * max(4, 2 * math.ceil(len(gantt.lanes) / 2)))
        # Time that nobody waits for goes by in larger steps.
        now = gantt.now if gantt.busy else 10 * (gantt.now // 10)
        self.put(0, "x", [_date(now)])
        self.put(0, "y", [html.escape(gantt.lanes[0])] if gantt.lanes else [""])
        self.put("", "shapes[0].x0", _ms(now))
        self.put("", "shapes[0].x1", _ms(now))
        self.put("", "shapes[0].visible", bool(gantt.bars))
        return self.send()

    def _bars(self, trace: int, bars: Sequence[Bar], *, legend: bool, planned: bool) -> None:
        self.put(trace, "showlegend", legend)
        # A trace without bars has no line in the legend: one that is nowhere stands in.
        empty: list[Any] = [None] if legend and not bars else []
        self.put(trace, "y", [html.escape(bar.lane) for bar in bars] or empty)
        self.put(trace, "base", np.array([_ms(bar.start) for bar in bars], "float64") if bars else empty)
        lasted = np.array([1000 * (bar.end - bar.start) for bar in bars], "float32")
        self.put(trace, "x", np.maximum(lasted, 1.0).round() if bars else empty)
        self.put(trace, "hovertext", ["<br>".join(html.escape(line) for line in bar.about) for bar in bars])
        if not planned:
            self.put(trace, "text", [bar.label for bar in bars])
            self.put(trace, "marker.line.color", [FAILED if bar.failed else _CLEAR for bar in bars])

    def _lines(self, trace: int, lines: Sequence[Line]) -> None:
        x, y, sizes = [], [], []
        for line in lines:
            x += [_ms(line.start), _ms(line.end), None]
            y += [html.escape(line.lane), html.escape(line.to), None]
            sizes += [0, 9, 0]
        self.put(trace, "x", x)
        self.put(trace, "y", y)
        self.put(trace, "marker.size", sizes)
        self.put(trace, "showlegend", bool(lines))


def _bars(title: str, offset: float, width: float, marker: dict[str, Any], ink: str) -> go.Bar:
    return go.Bar(
        name=title, legendgroup=title, showlegend=False, orientation="h", offset=offset, width=width, marker=marker,
        hovertemplate="%{hovertext}<extra></extra>", textposition="inside", insidetextanchor="start",
        insidetextfont={"color": ink, "size": 10}, cliponaxis=True,
    )  # fmt: skip


def _date(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def _ms(moment: float) -> float:
    """Milliseconds of the local clock: plotly shows dates as they are given."""
    return round(1000 * (moment + time.localtime(moment).tm_gmtoff))


# --- utilisation ------------------------------------------------------------------------------


def shape(used: Used) -> tuple[str, ...]:
    """What a figure of this has to have; another one needs another figure."""
    return tuple(series.title for series in used.series)


class UsedFigure(Drawn):
    """A small curve for each measure, and a bar for each core."""

    def __init__(self, used: Used) -> None:
        titles = [f"{series.title}, {series.unit}" for series in used.series[:1]] + ["each core, %"]
        titles += [f"{series.title}, {series.unit}" for series in used.series[1:]]
        count = math.ceil(len(titles) / 2)
        base = make_subplots(
            count, 2, subplot_titles=[html.escape(title) for title in titles], vertical_spacing=0.3 / count
        )
        places = [(1, 1), *((1 + index // 2, 1 + index % 2) for index in range(2, len(titles)))]
        colours = [COLOURS["generation"], COLOURS["rehearsal"], FAILED, COLOURS["kernel"]]
        for index, (series, (row, column)) in enumerate(zip(used.series, places, strict=False)):
            colour = colours[index % len(colours)]
            base.add_trace(
                go.Scatter(
                    name=series.title, mode="lines", line={"color": colour, "width": 1.5}, fill="tozeroy",
                    hovertemplate="%{y:.0f} " + series.unit + ", %{x:.0f} s<extra></extra>", showlegend=False,
                ),
                row, column,
            )  # fmt: skip
        bar = go.Bar(name="cores", marker={"color": COLOURS["generation"]}, showlegend=False,
                     hovertemplate="core %{x}: %{y} %<extra></extra>")  # fmt: skip
        base.add_trace(bar, 1, 2)
        base.update_layout(**_LAYOUT, height=30 + 95 * count, margin={"l": 40, "r": 10, "t": 24, "b": 24}, bargap=0.1)
        base.update_annotations(font={"size": 11})
        base.update_xaxes(**_AXIS, range=[-SECONDS, 0], showgrid=False, showticklabels=False, fixedrange=True)
        base.update_xaxes(row=count, showticklabels=True, nticks=4, ticksuffix=" s")
        base.update_xaxes(row=1, col=2, range=None, autorange=True)
        base.update_yaxes(**_AXIS, range=[0, 100], nticks=3, fixedrange=True)
        for series, (row, column) in zip(used.series, places, strict=False):
            if series.unit != "%":
                base.update_yaxes(row=row, col=column, range=None, autorange=True, rangemode="tozero")
        super().__init__(base)

    def draw(self, used: Used) -> bool:
        """Show these values. False if nothing had to be sent."""
        for index, series in enumerate(used.series):
            self.put(index, "x0", -used.interval * (len(series.values) - 1))
            self.put(index, "dx", used.interval)
            self.put(index, "y", small(series.values, whole=series.unit == "%"))
        self.put(len(used.series), "y", small(used.cores, whole=True))
        return self.send()


def small(values: Sequence[float], *, whole: bool) -> Any:
    """Numbers in as few bytes as they need: whole ones up to 255 in one each, others and gaps in four."""
    array = np.array(values, "float32")
    if whole and len(array) and np.isfinite(array).all() and array.min() >= 0 and array.max() <= 255:
        return np.rint(array).astype("uint8")
    return array
