"""Which function answers which system call that the sandbox's filter puts to the process outside."""

from __future__ import annotations

import errno
from collections.abc import Callable

from llmos_jupyter.sandbox import file_calls, other_calls, system_calls
from llmos_jupyter.sandbox.calls import Call
from llmos_jupyter.sandbox.judge import Judge

HANDLERS: dict[str, Callable[[Judge, Call], int]] = {**file_calls.HANDLERS, **other_calls.HANDLERS}


def answer(judge: Judge, call: Call, waits: Callable[[], bool]) -> int:
    """What to answer. `waits`: whether the call still waits, so that what was read of its memory is its own."""
    name = system_calls.names().get(call.number)
    if name is None or name not in HANDLERS:
        return errno.EPERM
    judge.begin_call(name, waits)
    return HANDLERS[name](judge, call)
