"""Wrong input in a real kernel: a user reads one sentence with the remedy, and no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernels import Kernel, kernel


@pytest.fixture(scope="module")
def notebook(shared_home: Path) -> Iterator[Kernel]:
    with kernel(shared_home) as running:
        running.run("%load_ext llmos_jupyter")
        yield running


@pytest.mark.parametrize(
    ("cell", "remedy"),
    [
        # Not one of these reaches the daemon.
        ("%llmos priority 1", "Write `%llmos priority N low`"),
        ("%llmos history 0", "Write `%llmos history [N]`"),
        ("%%llmos --candidates x\nthe mean", "it takes a whole number."),
        ("%%llmos --candidates 99\nthe mean", "input should be less than or equal to 16."),
        ("%%llmos --priority urgent\nthe mean", "it takes interactive, normal, low, or a number from 0 to 1000."),
        ("%%llmos --gpu 5\nthe mean", "add -b, or write `%%llmos run` and Python."),
        ("%%llmos -b --deadline soon\nthe mean", "write it like 90s, 10m or 2h."),
        ("%%llmos --use nosuchname\nthe mean", "--use takes names that exist in this notebook."),
        ("%%llmos run --mode show\nx = 1", "leave it out."),
        ("%%llmos run --memory lots\nx = 1", "write it like 500M or 8G."),
        ("%%llmos --xyzzy\nthe mean", "`%llmos?` lists them."),
        ("%llmos allow nonsense", "Write `%llmos allow` and then"),
        ("%llmos config keep_days=x", "keep_days cannot be 'x'"),
        # The daemon refuses these.
        ("%%llmos -b --on cluster\nthe mean", "leave --on out, or run Python there."),
        ("%%llmos run --gpu 99\nx = 1", "This task can never run: it needs 99 GPUs"),
        ("%%llmos run --memory 900T\nx = 1", "it needs 989.6 TB of memory"),
        ("%llmos priority 999 low", "`%llmos history` lists the ones there are."),
        ("%llmos result 999", "`%llmos history` lists the ones there are."),
    ],
)
def test_a_user_reads_one_sentence_with_the_remedy(notebook: Kernel, cell: str, remedy: str) -> None:
    shown = notebook.run(cell, timeout=60)
    assert shown.status == "error"
    assert remedy in shown.text
    assert "Traceback" not in shown.text
    assert len(shown.text.strip().splitlines()) == 1
