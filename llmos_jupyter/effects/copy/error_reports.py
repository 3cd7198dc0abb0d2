"""An exception of a candidate's, in the parts a model or a person needs."""

from __future__ import annotations

import os
import traceback
from collections.abc import Collection, Iterator, Mapping
from types import TracebackType
from typing import Any, NamedTuple

import IPython

from llmos_jupyter import _version
from llmos_jupyter.protocol import Edit, ErrorReport, UnknownName

LONGEST = 2_000  # characters of a message
FRAMES = 6  # lines of the candidate shown

_TIMED = ("<timed exec>", "<timed eval>")  # what %%time calls the rest of its cell
_MACHINERY = tuple(os.path.dirname(os.path.abspath(file)) + os.sep for file in (IPython.__file__, _version.__file__))


class Failing(NamedTuple):
    """What `ErrorReport` says of the line that failed."""

    values: list[str]
    function: str
    unknown: UnknownName | None = None


class Looks:
    """What is looked at where the code ran, for the model's next try: by default nothing. A class, since a process of
    its own finds it by its name. `seconds`: that the whole run took. Nothing of it raises."""

    @staticmethod
    def at_the_line(error: Exception, tb: TracebackType, code: str, line: int, seconds: float) -> Failing:
        """What the line worked on that failed. `tb`: the traceback's entry of the candidate's own innermost frame."""
        return Failing([], "")

    @staticmethod
    def after(code: str, namespace: Mapping[str, Any], seconds: float) -> list[Edit]:
        """What is certainly meant otherwise in code that ran to its end."""
        return []

    @staticmethod
    def secrets(namespace: Mapping[str, Any], value: object) -> dict[str, str]:
        """Secrets among the variables and in what the cell ended with, which its output may show: text and kind."""
        return {}


def error_report(
    error: BaseException, code: str, cells: Collection[str], looks: type[Looks] = Looks, seconds: float = 0.0
) -> ErrorReport:
    """`cells` are the file names under which IPython compiled `code`."""
    lines = code.splitlines()
    entries = list(_entries(error.__traceback__))
    own = [
        (line, tb.tb_frame.f_code.co_name)
        for tb in entries
        if (line := _line(tb.tb_frame.f_code.co_filename, tb.tb_lineno, code, cells)) is not None
    ]
    innermost = [tb for tb in entries if _line(tb.tb_frame.f_code.co_filename, 1, code, cells) is not None][-1:]
    number = own[-1][0] if own else None
    if isinstance(error, SyntaxError) and (error.filename in cells or not own):
        number = error.lineno
        own, entries, innermost = ([(number, "<module>")] if number else []), [], []
    message = _message(error)
    name = type(error).__name__
    shown = ["Traceback (most recent call last):"] if own else []
    for n, function in own[:1] + own[1:][-(FRAMES - 1) :]:
        where = "" if function == "<module>" else f", in {function}"
        shown.append(f"  line {n}{where}: {_source(lines, n)}")
    if entries and (last := _library_frame(error.__traceback__, code, cells)):
        shown.append(last)
    shown.append(f"{name}: {message}" if message else name)
    failing = Failing([], "")
    if innermost and number and isinstance(error, Exception):
        failing = looks.at_the_line(error, innermost[0], code, number, seconds)
    return ErrorReport(
        type=name,
        message=message,
        line=number,
        source=_source(lines, number) if number else "",
        traceback="\n".join(shown),
        values=failing.values,
        function=failing.function,
        unknown=failing.unknown,
    )


def _entries(tb: TracebackType | None) -> Iterator[TracebackType]:
    while tb is not None:
        yield tb
        tb = tb.tb_next


def _line(filename: str, number: int, code: str, cells: Collection[str]) -> int | None:
    if filename in cells:
        return number
    if filename in _TIMED and code.lstrip().startswith("%%"):
        return number + 1 + len(code) - len(code.lstrip())
    return None


def _source(lines: list[str], number: int | None) -> str:
    return lines[number - 1].strip()[:200] if number and 0 < number <= len(lines) else ""


def _message(error: BaseException) -> str:
    try:
        text = str(error.msg) if isinstance(error, SyntaxError) else str(error)
    except Exception:  # an exception's own __str__ may fail
        text = "(its message could not be shown)"
    return text if len(text) <= LONGEST else text[: LONGEST // 2] + " … " + text[-LONGEST // 2 :]


def _library_frame(tb: TracebackType | None, code: str, cells: Collection[str]) -> str:
    """The innermost frame, if the error was raised inside a library that is not the notebook's machinery."""
    frames = traceback.extract_tb(tb)
    while frames and frames[-1].filename.startswith(_MACHINERY):
        frames.pop()
    if not frames or _line(frames[-1].filename, frames[-1].lineno or 1, code, cells) is not None:
        return ""
    last = frames[-1]
    parts = last.filename.replace(os.sep, "/").split("/")
    return f"  {'/'.join(parts[-2:])}, line {last.lineno}, in {last.name}: {last.line or ''}".rstrip(": ")
