"""A daemon of the benchmark's own, a shell, and requests timed from Enter to result."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell

from llmos_jupyter import config, paths
from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.protocol import CandidateRecord, RunRecord, Trace

PENGUINS = Path(__file__).parents[1] / "notebooks" / "data" / "penguins.csv"


@contextlib.contextmanager
def own_daemon() -> Iterator[None]:
    """Data and runtime folders of the benchmark's own, so that the user's history and daemon stay out of it."""
    os.environ["LLMOS_MODEL_DIR"] = str(paths.model_dir())
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"LLMOS_DATA_DIR": f"{folder}/data", "JUPYTER_RUNTIME_DIR": f"{folder}/run"}
        config.change("replay=false")  # a request asked twice must be answered twice
        config.change("examples=false")  # and no answer be an example for the next
        try:
            yield
        finally:
            lifecycle.stop()


def notebook_shell() -> InteractiveShell:
    """A shell with the extension and a real table."""
    shell = InteractiveShell.instance()
    shell.run_cell("%load_ext llmos_jupyter", store_history=True)
    shell.run_cell(f"import pandas as pd\npenguins = pd.read_csv({str(PENGUINS)!r})", store_history=True)
    return shell


@dataclass(frozen=True)
class Asked:
    """One request, answered. Seconds."""

    seconds: float
    trace: Trace

    @property
    def candidates(self) -> list[CandidateRecord]:
        return [stored.record for stored in self.trace.records if isinstance(stored.record, CandidateRecord)]

    @property
    def engine_seconds(self) -> float:
        """What the engine itself says it needed: reading the prompts and writing the candidates."""
        return sum(
            (record.candidate.timings.prompt_ms + record.candidate.timings.decode_ms) / 1000
            for record in self.candidates
        )

    @property
    def ran(self) -> bool:
        return any(isinstance(stored.record, RunRecord) for stored in self.trace.records)


def ask(shell: InteractiveShell, text: str, options: str = "") -> Asked:
    """Ask through the magic, as a cell does."""
    began = time.monotonic()
    with contextlib.redirect_stdout(io.StringIO()):
        shell.run_cell(f"%%llmos {options}\n{text}", store_history=True)
    seconds = time.monotonic() - began
    client = DaemonClient(start=False)
    return Asked(seconds, client.trace(str(client.tasks(limit=1)[-1].number)))
