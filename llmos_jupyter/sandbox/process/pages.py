"""Which pages of a forked process were written since the fork, from /proc/self/pagemap.

A fork shares every page with its parent; the first write gives the writer a page of its own. Bit 56 of a
page's entry ("exclusively mapped", Documentation/admin-guide/mm/pagemap.rst, Linux 4.2 and later) therefore
tells a written page from an untouched one: 1.5 GB are checked by reading 3 MB. Only full pages are asked;
the bytes around them, which share their pages with other objects, are for the caller to copy.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from typing import Any

PAGE = mmap.PAGESIZE
_EXCLUSIVE, _FILE, _SWAPPED, _PRESENT = 56, 61, 62, 63
_CHUNK = 1 << 17  # entries a read: 1 MB


class WrittenPages:
    """Counts written pages. Made in the child, after the fork; `works` is False where it cannot tell."""

    def __init__(self, probe: int) -> None:
        """`probe` is the address of a page that the parent wrote before the fork and nobody reads since."""
        self.works = False
        try:
            import numpy as np

            self._np = np
            before = self.written(probe, PAGE)
            ctypes.memset(probe, 1, 1)
            self.works = before == 0 and self.written(probe, PAGE) == 1
        except (OSError, ImportError):
            return

    def written(self, address: int, size: int) -> int | None:
        """How many full pages in this range are the process's own; None if a page was swapped out."""
        own = self.own(address, size)
        return None if own is None else int(own.sum())

    def written_rows(self, address: int, width: int, rows: int) -> list[int] | None:
        """The same for each of many ranges that follow each other, looked up at once."""
        own = self.own(address, width * rows)
        if own is None:
            return None
        np, first = self._np, -(-address // PAGE)
        sums = np.concatenate([[0], np.cumsum(own, dtype="i8")])
        starts = address + width * np.arange(rows + 1)
        begins = np.clip(-(-starts[:-1] // PAGE) - first, 0, len(own))  # a short row may begin behind the last page
        ends = np.clip(starts[1:] // PAGE - first, 0, len(own))
        found: list[int] = np.where(ends > begins, sums[ends] - sums[begins], 0).tolist()
        return found

    def own(self, address: int, size: int) -> Any:
        """For each full page in this range 1 if it is the process's own; None if a page was swapped out."""
        first, last = -(-address // PAGE), (address + size) // PAGE
        parts = []
        # Opened each time: a candidate may close descriptors that are not its own.
        file = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
        try:
            while first < last:
                entries = min(_CHUNK, last - first)
                flags = self._np.frombuffer(os.pread(file, 8 * entries, 8 * first), dtype="<u8")
                if len(flags) < entries or bool(self._np.any(flags >> _SWAPPED & 1)):
                    return None
                # A file's page that was only read may be mapped once, too; a written one is no longer the file's.
                parts.append((flags >> _EXCLUSIVE) & (flags >> _PRESENT) & ~(flags >> _FILE) & 1)
                first += entries
        finally:
            os.close(file)
        return self._np.concatenate(parts) if parts else self._np.empty(0, "u8")


class Probe:
    """A page of memory, written before the fork."""

    def __init__(self) -> None:
        self._map = mmap.mmap(-1, PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._map[0] = 1
        self._view = ctypes.c_char.from_buffer(self._map)
        self.address = ctypes.addressof(self._view)

    def close(self) -> None:
        del self._view
        self._map.close()


def edges(address: int, size: int) -> bytes:
    """The bytes before the first and after the last full page of a range."""
    first, last = -(-address // PAGE) * PAGE, (address + size) // PAGE * PAGE
    if first >= last:
        return ctypes.string_at(address, size)
    return ctypes.string_at(address, first - address) + ctypes.string_at(last, address + size - last)
