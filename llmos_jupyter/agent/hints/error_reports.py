"""An exception of a candidate's, in the parts a model or a person needs."""

from __future__ import annotations

import os
import traceback
from collections.abc import Collection, Iterator
from types import TracebackType

import IPython

from llmos_jupyter.agent.hints.failing_line import Failing, failing_line
from llmos_jupyter.agent.hints.unknown_name import unknown_name
from llmos_jupyter.protocol import ErrorReport

LONGEST = 2_000  # characters of a message
FRAMES = 6  # lines of the candidate shown

_TIMED = ("<timed exec>", "<timed eval>")  # what %%time calls the rest of its cell
_MACHINERY = tuple(os.path.dirname(os.path.abspath(file)) + os.sep for file in (IPython.__file__, __file__))


def error_report(error: BaseException, code: str, cells: Collection[str], *, again: bool = False) -> ErrorReport:
    """`cells` are the file names under which IPython compiled `code`; `again`: parts of the failing line may be worked
    out once more, to tell what they gave."""
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
    looks = bool(innermost and number) and isinstance(error, Exception)
    at_the_line = failing_line(innermost[0], code, number or 0, again=again) if looks else Failing([], "")
    return ErrorReport(
        type=name,
        message=message,
        line=number,
        source=_source(lines, number) if number else "",
        traceback="\n".join(shown),
        values=at_the_line.values,
        function=at_the_line.function,
        unknown=unknown_name(error, innermost[0].tb_frame, code, number or 0) if looks else None,
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
