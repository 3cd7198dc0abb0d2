"""`make demo`: run a notebook of natural-language cells in a real kernel and print what happened, cell by cell."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from llmos_jupyter.agent.replay.recording import Recording

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", nargs="?", type=Path, default=HERE / "02-penguins.ipynb")
    parser.add_argument("--recorded", action="store_true", help="give the recorded answers, without a model")
    arguments = parser.parse_args()
    notebook_file: Path = arguments.notebook
    with tempfile.TemporaryDirectory() as folder:
        recording = notebook_file.resolve().with_suffix(".llmos.json")
        # Anew each time, unless the recorded answers are wanted: a demonstration is of the model.
        os.environ["LLMOS_REPLAY"] = str(recording if arguments.recorded else Path(folder, recording.name))
        if arguments.recorded:
            Recording(recording).trust()  # whoever runs this program has it from the same place
        return run(notebook_file)


def run(notebook_file: Path) -> int:
    """Run the notebook's cells and print what came of each; 1 if one failed."""
    notebook = nbformat.read(notebook_file, as_version=4)
    started: dict[int, float] = {}

    def begin(cell: Any, cell_index: int, **_: Any) -> None:
        started[cell_index] = time.monotonic()
        if cell.cell_type == "code":
            print(f"\n{'=' * 100}\n{cell.source}\n{'-' * 100}", flush=True)

    def end(cell: Any, cell_index: int, **_: Any) -> None:
        for output in cell.get("outputs", []):
            print(as_text(output), flush=True)
        print(f"[{time.monotonic() - started[cell_index]:.1f} s in all]", flush=True)

    client = NotebookClient(
        notebook,
        timeout=900,
        resources={"metadata": {"path": str(notebook_file.resolve().parent)}},
        on_cell_start=begin,
        on_cell_executed=end,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        print(f"\nA cell failed: {error.ename}: {error.evalue}", file=sys.stderr)
        return 1
    return 0


def as_text(output: Any) -> str:
    """One output of a cell, as a terminal can show it."""
    if output.output_type == "stream":
        return str(output.text).rstrip()
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    pictures = [kind for kind in output.data if kind.startswith("image/")]
    text = str(output.data.get("text/plain", "")).rstrip()
    return f"{text} [{', '.join(pictures)}]" if pictures else text


if __name__ == "__main__":
    raise SystemExit(main())
