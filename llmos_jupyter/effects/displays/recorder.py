"""What a run shows, kept as plain values in the order in which it came, to be shown again in the notebook."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from llmos_jupyter.agent.rehearsal.capture import HALF, Capture
from llmos_jupyter.effects.displays import live_widgets

MOST_TEXT = 2 * HALF  # characters of streams; of more the beginning and the end are kept, and how much is missing
MOST_END = 4_000  # characters of that end
MOST_BYTES = 64 << 20  # of displays
_PLAIN = (type(None), bool, int, float, str)


class Recorder:
    """Collects outputs: `["stream", name, text]`, `["display", data, metadata, transient, update]`, `["clear", wait]`,
    `["result", number, data, metadata]`, where `number` counts the values in `results`."""

    def __init__(self) -> None:
        self.outputs: list[list[Any]] = []
        self.results: list[Any] = []
        self.dropped = 0
        self._left, self._room = MOST_TEXT, MOST_BYTES
        self._full = False
        self._end: deque[list[str]] = deque()
        self._end_size = 0
        self._lock = threading.Lock()

    def stream(self, name: str, text: str) -> None:
        with self._lock:
            if len(text) > self._left and not self._full:
                self._make_room()
            kept, rest = text[: self._left], text[self._left :]
            if rest:
                self._full = True
                self._keep_end(name, rest)
            if not kept:
                return
            self._left -= len(kept)
            if self.outputs and self.outputs[-1][:2] == ["stream", name]:
                self.outputs[-1][2].append(kept)
            else:
                self.outputs.append(["stream", name, [kept]])

    def _make_room(self) -> None:
        """Keep of lines that were drawn again and again, by hours of a progress bar, what stands there now."""
        before = self._left
        for output in self.outputs:
            if output[0] == "stream":
                text = "".join(output[2])
                output[2] = [redrawn(text)]
                self._left += len(text) - len(output[2][0])
        self._full = self._left - before < MOST_TEXT // 2  # not for little, again and again

    def _keep_end(self, name: str, text: str) -> None:
        self._end.append([name, text])
        self._end_size += len(text)
        while (over := self._end_size - MOST_END) > 0:
            first = self._end[0]
            gone = min(over, len(first[1]))
            first[1] = first[1][gone:]
            if not first[1]:
                self._end.popleft()
            self._end_size -= gone
            self.dropped += gone

    def display(self, data: Any, metadata: Any, transient: Any, update: bool) -> None:
        self._add(["display", plain(data), plain(metadata or {}), plain(transient or {}), bool(update)])

    def clear(self, wait: bool) -> None:
        self._add(["clear", bool(wait)])

    def value(self, value: Any) -> None:
        """A value that is a result, whether or not anything of it is shown."""
        self.results.append(value)
        self._add(["result", len(self.results) - 1, None, {}])

    def result(self, data: Any, metadata: Any) -> None:
        """What is shown of the last result."""
        last = next((output for output in reversed(self.outputs) if output[0] == "result"), None)
        if last is not None and _size(shown := plain(data)) <= self._room:
            self._room -= _size(shown)
            last[2:] = [shown, plain(metadata or {})]

    def shown_widgets(self) -> list[str]:
        """The ids of the widgets among what is shown."""
        places = {"display": 1, "result": 2}
        shown = [output[places[output[0]]] for output in self.outputs if output[0] in places]
        return [model for data in shown if (model := live_widgets.shown_in(data)) is not None]

    def drop_widgets(self, models: set[str]) -> None:
        """Forget that these were displayed."""
        self.outputs = [o for o in self.outputs if o[0] != "display" or live_widgets.shown_in(o[1]) not in models]

    @property
    def shows(self) -> bool:
        """Whether anything is shown so far."""
        return any(map(_is_seen, self.outputs))

    def aside(self, show: Callable[[], tuple[Any, Any]]) -> list[Any]:
        """What `show` displays, and what it returns as data and metadata: as outputs that are not among the others."""
        count = len(self.outputs)
        data, metadata = show()
        if data:
            self.display(data, metadata, None, False)
        shown = self._told(self.outputs[count:])
        del self.outputs[count:]
        return shown

    def _add(self, output: list[Any]) -> None:
        size = _size(output)
        with self._lock:
            if size <= self._room:
                self._room -= size
                self.outputs.append(output)
            else:
                self.outputs.append(["stream", "stderr", ["An output was too large to be shown.\n"]])

    def content(self) -> list[Any]:
        """The outputs for the table."""
        told = self._told(self.outputs)
        if self.dropped:
            told.append(["stream", "stdout", f"\n… {self.dropped} characters left out …\n"])
        return told + [["stream", name, text] for name, text in self._end]

    @staticmethod
    def _told(outputs: list[list[Any]]) -> list[Any]:
        return [[*output[:2], "".join(output[2])] if output[0] == "stream" else output for output in outputs]


class Tee(Capture):
    """Writes into a capture, and into the recorder under a stream's name."""

    def __init__(self, recorder: Recorder, name: str, capture: Capture) -> None:
        self._recorder, self._name, self._capture = recorder, name, capture

    def write(self, text: str) -> None:
        self._recorder.stream(self._name, text)
        self._capture.write(text)

    def text(self) -> str:
        return self._capture.text()


def redrawn(text: str) -> str:
    """Text with the last state only of each line that is drawn again and again after a carriage return."""
    if "\r" not in text:
        return text
    return "\n".join(_last_state(line) for line in text.split("\n"))


def _last_state(line: str) -> str:
    states = [state for state in line.split("\r") if state]
    return (states[-1] if states else "") + ("\r" if line.endswith("\r") else "")


def plain(value: Any) -> Any:
    """Dicts, lists and atoms only."""
    if type(value) in _PLAIN:
        return value if type(value) is not int or abs(value) < 1 << 63 else str(value)
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return str(value)


def _is_seen(output: list[Any]) -> bool:
    if output[0] == "stream":
        return bool("".join(output[2]).strip())
    return output[0] == "display" or (output[0] == "result" and output[2] is not None)


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return sum(_size(part) for part in value.values())
    if isinstance(value, list):
        return sum(map(_size, value))
    return len(value) if isinstance(value, str | bytes) else 8
