"""A picture without scripts: what is left in a saved notebook, in nbconvert's pages and in a terminal.

HTML with tables and small inline SVG, and plain text. Colours of Okabe and Ito (jfly.uni-koeln.de/color), each with a
pattern of its own, so that nobody needs to tell colours apart.
"""

from __future__ import annotations

import html
import math
import time
import uuid
from collections.abc import Iterable, Sequence

from llmos_jupyter.protocol import StepKind
from llmos_jupyter.widgets.gantt import Bar, Gantt, arrange
from llmos_jupyter.widgets.live import Picture
from llmos_jupyter.widgets.queue import rows, table_html, table_text
from llmos_jupyter.widgets.step_words import KINDS, clock
from llmos_jupyter.widgets.utilisation import Series, Used, used

COLOURS: dict[StepKind, str] = {
    "generation": "#0072B2",
    "run": "#E69F00",
    "rehearsal": "#009E73",
    "kernel": "#CC79A7",
}
# On these colours, text that reads.
INK: dict[StepKind, str] = {"generation": "#FFFFFF", "run": "#000000", "rehearsal": "#000000", "kernel": "#000000"}
FAILED = "#D55E00"
# A grey with a contrast of 4.3 to white as well as to JupyterLab's dark background.
GREY = "#7A7A7A"
STYLE = """
.llmos { color: var(--jp-ui-font-color1, inherit); font-family: var(--jp-ui-font-family, sans-serif);
  font-size: var(--jp-ui-font-size1, 13px); line-height: 1.4 }
.llmos h4 { margin: 8px 0 4px; font-size: inherit }
.llmos p { margin: 2px 0 }
.llmos table { border-collapse: collapse; margin: 0 }
.llmos th, .llmos td { text-align: start; vertical-align: top; padding: 2px 8px;
  border-bottom: 1px solid var(--jp-border-color2, rgba(128, 128, 128, .4)) }
"""
_PATTERNS: dict[StepKind, str] = {
    "generation": "",
    "run": '<path d="M0 6 6 0" stroke="#000" stroke-opacity=".45"/>',
    "rehearsal": '<circle cx="3" cy="3" r="1" fill="#000" fill-opacity=".55"/>',
    "kernel": '<path d="M0 0 6 6M0 6 6 0" stroke="#000" stroke-opacity=".4"/>',
}
# Bars and rows of a saved schedule.
_ROWS = 40


def page(parts: Iterable[str], picture: Picture) -> str:
    """Parts as one piece of HTML that says of when it is."""
    said = f"<p>{html.escape(picture.said)}</p>" if picture.said else ""
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(picture.now))
    return f'<div class="llmos"><style>{STYLE}</style>{said}{"".join(parts)}<p><small>as of {at}</small></p></div>'


def dashboard_text(picture: Picture) -> str:
    """All of it, for a terminal."""
    gantt = arrange(picture.steps, picture.names, picture.now)
    parts = (picture.said, queue_text(picture), used_text(used(picture.samples)), gantt_text(gantt))
    return "\n\n".join(part for part in parts if part)


def queue_html(picture: Picture) -> str:
    return f"<h4>Tasks</h4>{table_html(*rows(picture.queue, picture.now))}"


def queue_text(picture: Picture) -> str:
    return table_text(*rows(picture.queue, picture.now))


# --- utilisation ------------------------------------------------------------------------------


def used_html(measured: Used) -> str:
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in measured.words)
    return f"<h4>Utilisation</h4>{lines}{''.join(map(_spark, measured.series))}"


def used_text(measured: Used) -> str:
    return "\n".join(measured.words)


def _spark(series: Series) -> str:
    """A small curve of two minutes; gaps stay gaps."""
    known = [value for value in series.values if not math.isnan(value)]
    if not known:
        return ""
    top = 100.0 if series.unit == "%" else max(*known, 1.0)
    step = 160 / max(1, len(series.values) - 1)
    pieces: list[list[str]] = [[]]
    for index, value in enumerate(series.values):
        if math.isnan(value):
            pieces.append([])
        else:
            pieces[-1].append(f"{index * step:.1f},{32 - 30 * min(value, top) / top:.1f}")
    curves = "".join(f'<polyline points="{" ".join(piece)}"/>' for piece in pieces if piece)
    told = html.escape(f"{series.title}: {series.last:.0f} {series.unit}, at most {max(known):.0f}")
    return (
        f'<svg role="img" aria-label="{told}" width="170" height="52" viewBox="-4 0 170 52"><title>{told}</title>'
        f'<g fill="none" stroke="{COLOURS["generation"]}" stroke-width="1.5">{curves}</g>'
        f'<path d="M0 33H160" stroke="{GREY}"/>'
        f'<text x="0" y="46" font-size="10" fill="currentColor">{told}</text></svg>'
    )


# --- schedule ---------------------------------------------------------------------------------


def gantt_text(gantt: Gantt) -> str:
    if not gantt.bars:
        return "Nothing has run in the last ten minutes."
    return "\n".join("  ".join(about) for about in _told(gantt)[-12:])


def gantt_html(gantt: Gantt) -> str:
    if not gantt.bars:
        return "<h4>Schedule</h4><p>Nothing has run in the last ten minutes.</p>"
    lines = "".join(
        f'<tr><td dir="auto">{html.escape(head)}</td><td dir="auto">{html.escape("; ".join(rest))}</td></tr>'
        for head, *rest in _told(gantt)
    )
    table = f"<table><tbody>{lines}</tbody></table>"
    return f"<h4>Schedule</h4>{_svg(gantt)}<details><summary>The same in words</summary>{table}</details>"


def _told(gantt: Gantt) -> list[tuple[str, ...]]:
    """The newest steps in words."""
    steps = {bar.step: bar.about for bar in sorted(gantt.bars, key=lambda bar: bar.start)}
    return list(steps.values())[-_ROWS:]


def _svg(gantt: Gantt) -> str:
    first, last = min(bar.start for bar in gantt.bars), max(gantt.now, *(bar.end for bar in gantt.bars))
    left, width, row = 170, 600, 24
    scale = width / max(last - first, 1.0)
    height = row * len(gantt.lanes)
    place = {lane: row * index for index, lane in enumerate(gantt.lanes)}
    mark = uuid.uuid4().hex[:8]  # patterns are found by names that hold for the whole page

    def x(moment: float) -> float:
        return left + (moment - first) * scale

    def lines(these: Sequence[tuple[float, str, float, str]], dash: str) -> str:
        paths = (
            f'<path d="M{x(start):.1f} {place[lane] + row / 2:.1f}L{x(end):.1f} {place[to] + row / 2:.1f}"/>'
            for start, lane, end, to in these
        )
        return f'<g stroke="{GREY}" stroke-dasharray="{dash}" fill="none">{"".join(paths)}</g>'

    patterns = "".join(
        f'<pattern id="llmos-{mark}-{kind}" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<rect width="6" height="6" fill="{COLOURS[kind]}"/>{drawn}</pattern>'
        for kind, drawn in _PATTERNS.items()
    )
    labels = "".join(
        f'<text x="{left - 8}" y="{y + row / 2 + 4}" text-anchor="end">{html.escape(_short(lane))}</text>'
        for lane, y in place.items()
    )
    bars = "".join(_bar(bar, x(bar.start), place[bar.lane], (bar.end - bar.start) * scale, mark) for bar in gantt.bars)
    waits = lines([(line.start, line.lane, line.end, line.to) for line in gantt.dependencies], "none")
    breaks = lines([(line.start, line.lane, line.end, line.to) for line in gantt.breaks], "2 2")
    now = f'<path d="M{x(gantt.now):.1f} 0V{height}" stroke="{GREY}" stroke-dasharray="5 3"/>'
    told = (
        f'<text x="{left}" y="{height + 14}">{clock(first)}</text>'
        f'<text x="{left + width}" y="{height + 14}" text-anchor="end">{clock(last)}</text>'
        f'<text x="{x(gantt.now):.1f}" y="{height + 28}" text-anchor="middle">now</text>'
    )
    return (
        f'<svg role="img" aria-label="Schedule: {len(gantt.bars)} bars in {len(gantt.lanes)} lanes" '
        f'style="max-width:100%" viewBox="0 0 {left + width + 20} {height + 52}" width="{left + width + 20}" '
        f'font-size="11" fill="currentColor"><defs>{patterns}</defs>{labels}{waits}{breaks}{bars}{now}{told}'
        f"{_legend(gantt, mark, left, height + 40)}</svg>"
    )


def _bar(bar: Bar, x: float, y: float, width: float, mark: str) -> str:
    title = f"<title>{html.escape(chr(10).join(bar.about))}</title>"
    width = max(width, 1.5)
    if bar.planned:
        return (
            f'<rect x="{x:.1f}" y="{y + 17}" width="{width:.1f}" height="5" fill="none" '
            f'stroke="{COLOURS[bar.kind]}">{title}</rect>'
        )
    edge = f'stroke="{FAILED}" stroke-width="2"' if bar.failed else ""
    number = bar.label if width > 8 * len(bar.label) else ""
    text = f'<text x="{x + 3:.1f}" y="{y + 12}" fill="{INK[bar.kind]}" font-size="10">{html.escape(number)}</text>'
    return (
        f'<g><rect x="{x:.1f}" y="{y + 2}" width="{width:.1f}" height="13" fill="url(#llmos-{mark}-{bar.kind})" {edge}>'
        f"{title}</rect>{text}</g>"
    )


def _legend(gantt: Gantt, mark: str, x: float, y: float) -> str:
    parts = []
    for kind in {bar.kind: None for bar in gantt.bars if not bar.planned}:
        parts.append(
            f'<rect x="{x}" y="{y}" width="14" height="10" fill="url(#llmos-{mark}-{kind})"/>'
            f'<text x="{x + 18}" y="{y + 9}">{KINDS[kind]}</text>'
        )
        x += 130
    parts.append(
        f'<rect x="{x}" y="{y + 2}" width="14" height="5" fill="none" stroke="currentColor"/>'
        f'<text x="{x + 18}" y="{y + 9}">planned</text>'
    )
    return "".join(parts)


def _short(text: str) -> str:
    return text if len(text) <= 26 else text[:25] + "…"
