"""What an answer displays, made safe before it is published: the code that made it is a model's, and the page that it
goes to is the user's own, in which a script could do all that the user can.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from typing import Any

import mistune

from llmos_jupyter.effects.displays import live_widgets, safe_css, safe_html
from llmos_jupyter.effects.displays.safe_html import REMOTE, SCRIPT

log = logging.getLogger(__name__)
LARGEST, LARGEST_MARKDOWN = 20_000_000, 200_000  # characters; cleaning takes a second for five million
_TEXT, _HTML, _MARKDOWN, _LATEX, _SVG = "text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml"
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})
PLOTLY = "application/vnd.plotly.v1+json"
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*\Z")
# Markdown in which no HTML, no picture and no address stands.
_PLAIN_MARKDOWN = re.compile(
    r"(?:(?!<|&#|\]\s*[(:\[]|https?:|www\.|\\(?:href|url|require|class|cssId|style|html)).)*\Z", re.S
)
_markdown = mistune.create_markdown(escape=False, plugins=["table", "strikethrough", "footnotes", "task_lists", "math"])
_REMOTE = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.I)
# Where a figure of plotly names what it loads.
_LOADED = frozenset({"source", "style", "url", "sourceurl", "geojson", "topojsonURL", "plotlyServerURL", "tiles"})
_METADATA = frozenset({"width", "height", "unconfined", "needs_background", "expanded"})
_SIZE = re.compile(r"[\d.]+(?:px|em|%)?\Z|light\Z|dark\Z")
_WORDS = {
    "application/javascript": SCRIPT,
    "text/javascript": SCRIPT,
    live_widgets.MIME: "a widget",
}


@dataclass
class Shown:
    """One output as it may be published. `lost`: what was left out of it and is missed, in words."""

    data: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


def bundle(data: dict[str, Any], metadata: dict[str, Any] | None = None) -> Shown:
    """An output in all its formats, made safe. Formats that nothing is known of are left out, and so are scripts.

    That something was left out is told only where no picture, table or figure stands for it in another format.
    """
    shown = Shown()
    lost: list[str] = []
    for kind, content in data.items():
        try:
            safe, missed = _format(kind, content)
        except Exception:  # nothing that cannot be cleaned is shown
            log.exception("an output in the format %s could not be made safe", kind)
            safe, missed = {}, [f"a part in the format {kind[:80]}"]
        shown.data |= safe
        lost += missed
    if not shown.data.keys() & (_PICTURES | {PLOTLY, _SVG, _HTML, _LATEX, live_widgets.MIME}):
        shown.lost = list(dict.fromkeys(lost))
    elif REMOTE in lost:
        shown.lost = [REMOTE]
    shown.metadata = _metadata(metadata or {}, shown.data)
    return shown


def sentence(lost: list[str], name: str = "") -> str:
    """What was left out of an output, and how to see it. `name`: of the variable that was shown, if it has one."""
    if lost == [REMOTE]:
        return "A picture from the network was left out, as loading it would tell others what this notebook shows."
    what = " and ".join(lost)
    how = (
        f"`display({name})` in a cell of your own shows it" if name else "a cell of your own that displays it shows it"
    )
    return f"{what[0].upper()}{what[1:]} was left out, as an answer brings no script into the page: {how}."


def _format(kind: str, content: Any) -> tuple[dict[str, Any], list[str]]:
    """The safe content by format, which may be another one; and what was left out."""
    if kind in _PICTURES:
        safe = type(content) is bytes or (type(content) is str and _BASE64.match(content) is not None)
        return ({kind: content} if safe else {}), []
    if kind == live_widgets.MIME and (model := live_widgets.shown_in({kind: content})) in live_widgets.live():
        return {kind: {"version_major": 2, "version_minor": 0, "model_id": model}}, []
    if kind == PLOTLY and type(content) is dict:
        return {kind: _loading_nothing(content, "")}, []
    if kind == "application/json" and type(content) in (dict, list):
        return {kind: content}, []
    if type(content) is str:
        if kind == _TEXT:
            return {kind: content}, []
        if kind == _LATEX:
            return {kind: safe_html.tex(content)}, []
        if kind in (_HTML, _SVG, _MARKDOWN):
            if kind == _MARKDOWN and _PLAIN_MARKDOWN.match(content):
                return {kind: content}, []
            if len(content) > (LARGEST_MARKDOWN if kind == _MARKDOWN else LARGEST):
                return {}, ["what is too large to be looked through"]
            safe_text = _marked_up(kind, content)
            kind = _HTML if kind == _MARKDOWN else kind
            return ({kind: safe_text.text} if safe_text.text else {}), safe_text.lost
    return {}, [_WORDS.get(kind, f"a part in the format {kind[:80]}")]


def _marked_up(kind: str, content: str) -> safe_html.Safe:
    if kind == _SVG:
        return safe_html.svg(content)
    return safe_html.html(str(_markdown(content)) if kind == _MARKDOWN else content)


def _loading_nothing(value: Any, key: str) -> Any:
    """A figure's data without addresses of pictures and maps to load. Its texts may name whatever they like."""
    if type(value) is dict:
        return {name: _loading_nothing(part, name) for name, part in value.items()}
    if type(value) is list:
        return [_loading_nothing(part, key) for part in value]
    if type(value) is str and key in _LOADED and (_REMOTE.match(value) or "//" in value):
        return value if safe_css.PICTURE.match(value) else ""
    return value


def _metadata(metadata: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Sizes and the like; no text that a page could take for HTML."""
    found = {}
    for kind in data:
        held = metadata.get(kind)
        if type(held) is dict and (kept := {name: value for name, value in held.items() if _is_size(name, value)}):
            found[kind] = kept
    return found | {name: value for name, value in metadata.items() if _is_size(name, value)}


def _is_size(name: str, value: Any) -> bool:
    return name in _METADATA and (
        type(value) in (int, float, bool) or (type(value) is str and bool(_SIZE.match(value)))
    )
