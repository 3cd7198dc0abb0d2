"""What a background task has shown so far, as one bundle that a front end replaces in place."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from llmos_jupyter.protocol import ANSWER_MIME

if TYPE_CHECKING:
    from llmos_jupyter.protocol.jobs import Ended, WorkerItem

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# Characters of a stream that are shown; of more the end is.
SHOWN = 20_000
_COLOURS = {"stderr": "background:rgba(200,60,60,.12);"}


class Board:
    """Outputs in the order they came; a stream grows, a display with an identifier is replaced, as in a notebook."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.state = "waiting"
        self.began = False
        self.notes: list[str] = []
        # A model's answer is a display of its own, which front ends draw as one.
        self.answer: dict[str, Any] | None = None
        self._parts: list[tuple[str, str, dict[str, Any]]] = []
        self._clear = False

    def add(self, item: WorkerItem) -> None:
        if item.type == "started":
            self.state, self.began = "running", True
            return
        if item.type == "waiting":
            self.state = item.message
            return
        if item.type == "clear":
            self._clear = item.wait
            if not item.wait:
                self._parts.clear()
            return
        if item.type == "ended":
            self.end(item)
            return
        if self._clear:
            self._parts.clear()
            self._clear = False
        if item.type == "stream":
            kind, text = item.name, item.text
            if self._parts and self._parts[-1][0] == kind:
                text = self._parts.pop()[2]["text/plain"] + text
            self._parts.append((kind, "", {"text/plain": _lines(text)[-SHOWN:]}))
        elif item.type == "display" and ANSWER_MIME in item.data:
            self.answer = item.data
        elif item.type == "display":
            place = next(
                (i for i, part in enumerate(self._parts) if item.display_id and part[1] == item.display_id), None
            )
            if place is not None:
                self._parts[place] = ("display", item.display_id, item.data)
            elif not item.update:
                self._parts.append(("display", item.display_id, item.data))
        elif item.type == "result":
            self._parts.append(("display", "", item.data))
        elif item.type == "error":
            text = _ANSI.sub("", "\n".join(item.traceback)) or f"{item.name}: {item.value}"
            self._parts.append(("stderr", "", {"text/plain": text}))
        elif item.type == "notice":
            self.notes.append(item.message)

    def end(self, ended: Ended) -> None:
        took = f" in {ended.seconds:.1f} s" if ended.seconds else ""
        self.state = f"done{took}" if ended.state == "done" else f"{ended.state}: {ended.message}"

    @property
    def head(self) -> str:
        return f"{self.title} · {self.state}"

    def bundle(self) -> dict[str, str]:
        """What stands beside the answer, as text and as HTML; the text is what is left where no HTML is shown."""
        plain = [part[2].get("text/plain", "") for part in self._parts]
        shown = [_html(kind, data) for kind, _, data in self._parts]
        notes = "".join(f"<div><small>{html.escape(note)}</small></div>" for note in self.notes)
        return {
            "text/plain": "\n".join([self.head, *(str(text).rstrip("\n") for text in plain), *self.notes]),
            "text/html": f"<div><small>{html.escape(self.head)}</small></div>{''.join(shown)}{notes}",
        }


def _html(kind: str, data: dict[str, Any]) -> str:
    if "text/html" in data:
        return f"<div>{data['text/html']}</div>"
    for mime in ("image/png", "image/jpeg"):
        if mime in data:
            return f'<div><img src="data:{mime};base64,{html.escape(str(data[mime]).strip())}"></div>'
    if "image/svg+xml" in data:
        return f"<div>{data['image/svg+xml']}</div>"
    colour = _COLOURS.get(kind, "")
    return f'<pre style="{colour}white-space:pre-wrap">{html.escape(str(data.get("text/plain", "")))}</pre>'


def _lines(text: str) -> str:
    """Text as a terminal shows it: what follows a carriage return stands over the line's beginning."""
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
