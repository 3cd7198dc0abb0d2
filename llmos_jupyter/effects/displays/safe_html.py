"""HTML and SVG that an answer shows, made safe for the page: no script, no frame, nothing loaded from elsewhere.

`nh3` keeps the elements and attributes listed here and drops all else. Style sheets never reach it: they are taken out
first, and put back by `safe_css`, for this output alone.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

import nh3

from llmos_jupyter.effects.displays import safe_css


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HTML = _words(
    "a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details "
    "dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup hr i img input ins kbd label li "
    "main mark menu meter nav ol p pre progress q rp rt ruby s samp section small span strike strong sub summary sup "
    "table tbody td tfoot th thead time tr tt u ul var wbr"
)
_SVG = _words(
    "svg g path rect circle ellipse line polyline polygon text tspan textPath defs use symbol clipPath mask pattern "
    "linearGradient radialGradient stop marker image filter feBlend feColorMatrix feComponentTransfer feComposite "
    "feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feMerge feMergeNode feMorphology feOffset "
    "feTurbulence"
)
_WITH_CONTENT = {"script", "style", "metadata", "title", "desc", "template", "noscript", "noembed", "noframes"}
_WITH_CONTENT |= {"iframe", "object", "embed", "applet", "textarea", "select", "button", "foreignObject", "math"}
_ATTRIBUTES = _words(
    "id class style title lang dir role align valign width height border cellpadding cellspacing colspan rowspan "
    "scope headers bgcolor color face size span start reversed type value max min low high optimum datetime open "
    "checked for tabindex alt nowrap href src xmlns version x y x1 y1 x2 y2 cx cy r rx ry fx fy dx dy d points "
    "transform viewBox preserveAspectRatio offset rotate textLength lengthAdjust startOffset refX refY orient "
    "markerWidth markerHeight markerUnits gradientUnits gradientTransform spreadMethod patternUnits "
    "patternContentUnits patternTransform clipPathUnits maskUnits maskContentUnits filterUnits primitiveUnits in in2 "
    "result mode operator k1 k2 k3 k4 stdDeviation values radius baseFrequency numOctaves seed flood-color "
    "flood-opacity fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin "
    "stroke-miterlimit "
    "stroke-dasharray stroke-dashoffset opacity clip-path clip-rule mask filter marker-start marker-mid "
    "marker-end stop-color stop-opacity font-family font-size font-style font-weight font-variant text-anchor "
    "dominant-baseline alignment-baseline baseline-shift letter-spacing word-spacing text-decoration writing-mode "
    "visibility display overflow shape-rendering text-rendering image-rendering color-interpolation-filters "
    "vector-effect paint-order pointer-events"
)
_TEXTS = frozenset({"id", "class", "title", "alt", "d", "points", "transform", "viewBox", "value"})
_SHEET_BEGINS, _SHEET_ENDS = re.compile(r"<style\b[^<>]*>", re.I), re.compile(r"</style\s*>", re.I)
_FRAME = re.compile(r"<(?:iframe|frame|object|embed|applet)\b", re.I)
_SCRIPT = re.compile(r"<script\b|\son\w+\s*=|javascript\s*:", re.I)
_SUSPECT = re.compile(r"[(\\@]")
# Classes by which the page itself knows its own parts: what an answer shows must not look like one.
_PAGE_CLASS = re.compile(r"(?:jp|lm|p|llmos|jupyter|cm)-", re.I)
# What TeX in it could do beyond formulas, wherever the page typesets it.
_TEX = re.compile(r"\\(?=(?:href|url|require|class|cssId|style|data|unicode|includegraphics|html\w*)\b)")

SCRIPT, FRAME, REMOTE = "a script", "a page within the page", "a picture from the network"


@dataclass
class Safe:
    """`text`: what may be shown; empty if nothing of it can be seen. `lost`: what was left out and is missed."""

    text: str = ""
    lost: list[str] = field(default_factory=list)


def html(text: str) -> Safe:
    """A fragment of HTML, made safe. What a page within it shows would be missing, so then nothing of it is shown."""
    if _FRAME.search(text):
        return Safe(lost=[FRAME])
    body, css = _apart(text)
    clean = _Cleaner()
    cleaned = clean(body)
    if not _is_seen(cleaned):
        return Safe(lost=[SCRIPT] if _SCRIPT.search(text) else clean.lost)
    if not css:
        return Safe(cleaned, clean.lost)
    scope = _scope(text)
    return Safe(f'<div class="{scope}"><style>\n{safe_css.sheet(css, scope)}\n</style>{cleaned}</div>', clean.lost)


def svg(text: str) -> Safe:
    """An SVG picture, made safe."""
    body, css = _apart(text)
    clean = _Cleaner()
    cleaned = clean(body)
    begin = cleaned.find("<svg")
    if begin < 0:
        return Safe(lost=[SCRIPT] if _SCRIPT.search(text) else [])
    end = opening = begin + len("<svg")
    added = ' xmlns:xlink="http://www.w3.org/1999/xlink"' if "xlink:" in cleaned else ""
    sheet = ""
    if css:
        scope = _scope(text)
        added += f' class="{scope}"'
        opening = cleaned.index("<", end)
        rules = safe_css.sheet(css, scope).replace("&", "&amp;")
        sheet = f'<style type="text/css">\n{rules}\n</style>'
    return Safe(cleaned[begin:end] + added + cleaned[end:opening] + sheet + cleaned[opening:], clean.lost)


def tex(text: str) -> str:
    """TeX without what it could do beyond formulas: those words are shown as they are."""
    return _TEX.sub("\\\\\u200b", text)


def _apart(text: str) -> tuple[str, str]:
    """The text without its style sheets, and the sheets."""
    outside, sheets, place = [], [], 0
    while (begins := _SHEET_BEGINS.search(text, place)) and (ends := _SHEET_ENDS.search(text, begins.end())):
        outside.append(text[place : begins.start()])
        sheets.append(text[begins.end() : ends.start()])
        place = ends.end()
    return "".join([*outside, text[place:]]), "\n".join(sheets)


def _scope(text: str) -> str:
    return f"llmos-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _is_seen(cleaned: str) -> bool:
    if re.search(r"<(?:img|svg|table|input|progress|meter|hr)\b", cleaned):
        return True
    return bool(nh3.clean(cleaned, tags=set()).replace("&nbsp;", "").strip())


class _Cleaner:
    """One fragment's. `lost` is filled as it is cleaned."""

    def __init__(self) -> None:
        self.lost: list[str] = []

    def __call__(self, text: str) -> str:
        cleaned: str = nh3.clean(
            text,
            tags=set(_HTML | _SVG),
            clean_content_tags=_WITH_CONTENT,
            attributes={"*": set(_ATTRIBUTES)},
            attribute_filter=self._attribute,
            set_tag_attribute_values={"input": {"type": "checkbox"}},
            generic_attribute_prefixes={"aria-"},
            url_schemes={"http", "https", "mailto", "data"},
        )
        return tex(cleaned)

    def _attribute(self, tag: str, name: str, value: str) -> str | None:
        """The attribute's value as it may stay; None if it may not."""
        try:
            return self._kept(tag, name, value)
        except (RecursionError, ValueError):  # nh3 would keep the value
            return None

    def _kept(self, tag: str, name: str, value: str) -> str | None:
        if name == "class":
            if tag == "svg":  # gets one of its own
                return None
            return value if "-" not in value else " ".join(c for c in value.split() if not _PAGE_CLASS.match(c))
        if name in ("href", "src"):
            return self._address(tag, value)
        if name == "style":
            return safe_css.declarations(value)
        if name in _TEXTS or not _SUSPECT.search(value):
            return value
        return value if safe_css.text_is_safe(value) else None

    def _address(self, tag: str, value: str) -> str | None:
        if tag in ("img", "image"):
            if safe_css.PICTURE.match(value):
                return value
            self.lost = [REMOTE]
            return None
        if tag == "a":
            return None if re.match(r"\s*data:", value, re.I) else value
        return value if value.strip().startswith("#") else None
