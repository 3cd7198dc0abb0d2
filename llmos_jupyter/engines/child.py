"""Runs a helper program that can be stopped at any moment.

Downloads run in children: a name look-up, a TLS handshake or a blocked read cannot be interrupted in
our own process within a second, a child can.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Ended:
    """How a child ended, and what it wrote."""

    code: int
    output: str
    errors: str


def run(
    module: str,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    poll: Callable[[], None] = lambda: None,
) -> Ended:
    """Run `python -m module` with this interpreter to its end.

    `poll` is called about ten times a second; whatever it raises (or a KeyboardInterrupt) kills the child
    with all its children and goes on to the caller.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            # `-m` puts the working folder on the module path: never that of the notebook, where a file
            # `queue.py` of the user's would break pip.
            cwd=Path(sys.executable).parent,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,  # its end tells a child of ours that we are gone
            stdout=output,
            stderr=errors,
            start_new_session=True,  # Ctrl-C at a terminal is for us to handle
        )
        try:
            while True:
                try:
                    code = process.wait(_POLL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    poll()
        finally:
            if process.poll() is None:
                _kill(process)
            if process.stdin:
                process.stdin.close()
        return Ended(code, _text(cast(BinaryIO, output)), _text(cast(BinaryIO, errors)))


def _kill(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _text(file: BinaryIO) -> str:
    file.seek(0)
    return file.read(1 << 20).decode("utf-8", "replace")
