"""In a sandbox that may start processes: what they print comes out with what the code itself prints."""

from __future__ import annotations

import codecs
import os
import sys
import threading

from llmos_jupyter.agent.rehearsal_inheritance import raise_descriptor

LAST_WORDS = 0.5  # seconds for what is in the pipe; a process left in the background may hold it open


class ProcessOutput:
    """Reads descriptors 1 and 2 of this process, which the processes that it starts inherit, until `close`."""

    def __init__(self) -> None:
        reading, writing = os.pipe()
        self._reading = raise_descriptor(reading)
        for descriptor in (1, 2):
            os.dup2(writing, descriptor)
        os.close(writing)
        self._thread = threading.Thread(target=self._copy, name="llmos process output", daemon=True)
        self._thread.start()

    def close(self) -> None:
        null = os.open(os.devnull, os.O_WRONLY)
        for descriptor in (1, 2):
            os.dup2(null, descriptor)
        os.close(null)
        self._thread.join(LAST_WORDS)

    def _copy(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while chunk := os.read(self._reading, 1 << 16):
            sys.stdout.write(decoder.decode(chunk))
