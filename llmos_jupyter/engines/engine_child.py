"""What the engines' child processes have in common: how they are told what to serve, answer, and end.

One line of JSON on standard input says what to serve (a secret on the command line could be read by other users). One
line of JSON on standard output says where it listens, or why it cannot. A child ends when its standard input closes, so
that it never outlives the daemon, however the daemon died.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from typing import Any, NoReturn, TextIO


def die_with_parent() -> None:
    """Ask Linux to end this process with the daemon, also while a model is being loaded."""
    if sys.platform == "linux":
        import ctypes
        import signal

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def begin() -> tuple[dict[str, Any], TextIO]:
    """The settings, and where to answer. What libraries print from now on goes to the log."""
    die_with_parent()
    settings = json.loads(sys.stdin.readline())
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return settings, answer


def say(answer: TextIO, **what: str) -> None:
    """`address` and `device`; or `sentence`, complete for the user; or `error`, for a sentence to be made of."""
    print(json.dumps(what), file=answer, flush=True)


def give_up(answer: TextIO, sentence: str) -> NoReturn:
    """Say why, and end whatever threads a library has left."""
    say(answer, sentence=sentence)
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)


def offline() -> None:
    """A model is served from its folder, and nothing is fetched or told anywhere. Before a library is imported."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


def until_alone() -> NoReturn:
    """Until the daemon is gone, or ends this engine."""
    sys.stdin.read()
    # The servers' own shut-down waits for running requests; nobody is left to read them.
    os._exit(0)


def end_when_alone() -> None:
    """The same beside a main thread that serves."""
    threading.Thread(target=until_alone, daemon=True).start()
