"""What background tasks were given and gave back, on disk: when it is removed."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from llmos_jupyter import paths
from llmos_jupyter.protocol.jobs import Job

# Seconds for which the variables of a job that failed are kept, and results that no notebook has taken.
KEPT = 7 * 86400.0


def remove_variables(job: Job) -> None:
    """What a job was given is no longer needed; of one that failed it is kept for another try."""
    if job.variables:
        shutil.rmtree(job.variables.folder, ignore_errors=True)


def remove_unless(known: Callable[[str], bool]) -> None:
    for folder in _kept():
        if not known(folder.name):
            shutil.rmtree(folder, ignore_errors=True)


def remove_old() -> None:
    """Variables and results that nobody has asked for within a week."""
    for folder in _kept():
        with contextlib.suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > KEPT:
                shutil.rmtree(folder, ignore_errors=True)


def _kept() -> list[Path]:
    return [*paths.jobs_dir().glob("*"), *paths.results_dir().glob("*")]
