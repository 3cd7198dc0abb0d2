"""Keeps a worker to the cores it was given, so that its threads and an engine's do not fight for the same ones."""

from __future__ import annotations

import os
from collections.abc import Sequence

# Read by the libraries when they are loaded; by child processes too.
VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
    "PYTHON_CPU_COUNT",
)


def limit_threads(cores: int) -> None:
    """Let numerical libraries that will be loaded into this process use so many threads each."""
    os.environ.update(dict.fromkeys(VARIABLES, str(cores)))


def limit_loaded(cores: int) -> None:
    """The same for those that are loaded already, as far as they can be told (BLAS and OpenMP)."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=cores)


def bind(processors: Sequence[int]) -> None:
    """Run this thread, and all it starts from now on, on these processors only; on systems without affinity, nothing.

    Processors this process may not use are left out; with none left, nothing changes.
    """
    if processors and hasattr(os, "sched_setaffinity"):
        allowed = os.sched_getaffinity(0) & set(processors)
        if allowed:
            os.sched_setaffinity(0, allowed)
