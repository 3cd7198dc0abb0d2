"""Pages written since a fork, told per row of an array that begins anywhere in memory."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import sys

import pytest

from llmos_jupyter.sandbox.process.pages import PAGE, Probe, WrittenPages

ROWS = 40
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc/self/pagemap")


# Of rows narrower than a page the last may begin behind the last full page.
@pytest.mark.parametrize("width", [3_200, 9_000])
@pytest.mark.parametrize("offset", [0, 16, 1_000, 2_000, 3_000, PAGE - 16])
def test_rows_wherever_an_array_begins(offset: int, width: int) -> None:
    memory = mmap.mmap(-1, 100 * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory[:] = b"x" * len(memory)
    held = ctypes.c_char.from_buffer(memory)
    begin, probe = ctypes.addressof(held) + offset, Probe()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            pages = WrittenPages(probe.address)
            if not pages.works:
                said = json.dumps("cannot tell")
            else:
                ctypes.memset(begin + 20 * width, 0, width)
                said = json.dumps(pages.written_rows(begin, width, ROWS))
        except BaseException as error:
            said = json.dumps(repr(error))
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        counts = json.loads(pipe.read())
    os.waitpid(child, 0)
    del held
    if counts == "cannot tell":
        pytest.skip("this kernel does not tell which pages were written")
    assert len(counts) == ROWS, counts
    start = begin + 20 * width
    written = max(0, (start + width) // PAGE - -(-start // PAGE))  # pages that lie wholly in the row
    assert counts == [written if row == 20 else 0 for row in range(ROWS)]
