"""How fast this machine's processors read their memory."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

# Far more than any cache holds, read by each thread; and how often, of which the fastest counts: others may be at work.
BYTES = 128 << 20
ROUNDS = 4


def bytes_per_second(threads: int) -> float:
    """What so many threads read beside each other, measured by adding up numbers, which waits for the memory and for
    nothing else. By the threads' own time, so that programs that take turns with them on a core do not count; a quarter
    of a second."""
    import numpy as np

    blocks: list[Any] = [np.ones(BYTES // 8, dtype=np.int64) for _ in range(threads)]

    def read(block: Any) -> float:
        began = time.thread_time()
        np.bitwise_or.reduce(block)
        return BYTES / max(time.thread_time() - began, 1e-9)

    with ThreadPoolExecutor(threads) as pool:
        return max(sum(pool.map(read, blocks)) for _ in range(ROUNDS))
