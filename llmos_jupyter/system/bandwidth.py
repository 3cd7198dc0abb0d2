"""How fast this machine's processors read their memory."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

# Far more than any cache holds, read by each thread; and how often, of which the fastest counts: others may be at work.
BYTES = 128 << 20
ROUNDS = 4


def bytes_per_second(threads: int) -> float:
    """Measured by adding up numbers, which waits for the memory and for nothing else; a quarter of a second."""
    import numpy as np

    blocks: list[Any] = [np.ones(BYTES // 8, dtype=np.int64) for _ in range(threads)]
    fastest = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(ROUNDS):
            began = time.perf_counter()
            list(pool.map(np.bitwise_or.reduce, blocks))
            fastest = max(fastest, threads * BYTES / (time.perf_counter() - began))
    return fastest
