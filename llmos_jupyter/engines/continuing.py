"""Replies of servers that can do less than llama.cpp: where they end, and how they go on from a beginning."""

from __future__ import annotations

import re

GO_ON = "Your reply was cut off. Go on exactly where it stops: write only what follows, and repeat nothing of it."
_FENCE = re.compile(r"\s*```[\w+-]*[ \t]*\n")
_FENCE_BEGINS = re.compile(r"\s*(`{1,2}|```[\w+-]*[ \t]*)?")


class Rest:
    """What follows on a beginning, of a reply to `GO_ON`: without the beginning, or a part of it, where the model
    wrote that once more. Text is held back while it can still be a repetition."""

    def __init__(self, beginning: str) -> None:
        opened = _FENCE.match(beginning)
        self._beginning = beginning
        self._body = beginning[opened.end() :] if opened else beginning
        self._held: str | None = ""

    def new(self, text: str) -> str:
        """The part of the next piece that is no repetition."""
        if self._held is None:
            return text
        self._held += text
        held = self._held
        if self._beginning.startswith(held) or _FENCE_BEGINS.fullmatch(held):
            return ""
        opened = _FENCE.match(held)
        body = held[opened.end() :] if opened else held
        if self._body.startswith(body):
            return ""
        self._held = None
        return body.removeprefix(self._body)

    def end(self) -> str:
        """What was held back when the reply ended: nothing but a repetition, unless it is no part of the beginning."""
        held, self._held = self._held, None
        if not held or self._beginning.startswith(held) or _FENCE_BEGINS.fullmatch(held):
            return ""
        opened = _FENCE.match(held)
        body = held[opened.end() :] if opened else held
        return "" if self._body.startswith(body) else body.removeprefix(self._body)


class OneBlock:
    """Ends a reply that begins with a code block where the block closes, as a grammar would have ended it."""

    def __init__(self, beginning: str) -> None:
        self._text = beginning
        self.closed = False

    def take(self, text: str) -> str:
        """The part of the next piece that belongs to the reply."""
        before = len(self._text)
        self._text += text
        opened = _FENCE.match(self._text)
        if opened is None:
            return text
        # A closing fence stands alone on its line; whether it does is seen at the line's end.
        closing = re.compile(r"^[ \t]*```[ \t]*\n", re.MULTILINE).search(self._text, opened.end())
        if closing is None:
            return text
        self.closed = True
        end = closing.end() - 1
        return self._text[before:end] if end > before else ""
