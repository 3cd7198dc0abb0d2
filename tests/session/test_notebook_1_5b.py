"""The model that a laptop gets by default, on the requests of the first notebook and on a choice of code or words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MIDDLE
from tests.kernels import Kernel, kernel
from tests.session.test_notebook import PENGUINS

pytestmark = pytest.mark.model_1_5b


@pytest.fixture(scope="module")
def notebook(shared_home: Path) -> Iterator[Kernel]:
    with kernel(shared_home) as running:
        running.run("%load_ext llmos_jupyter")
        running.run(f"import pandas as pd; penguins = pd.read_csv({str(PENGUINS)!r})")
        yield running


def test_real_columns_give_a_right_answer(notebook: Kernel) -> None:
    cell = notebook.run(f"%%llmos --model {MIDDLE}\naverage body_mass_g of each species in penguins")
    assert cell.status == "ok", cell.text
    assert MIDDLE in cell.text
    assert "5076.016260" in cell.text


@pytest.mark.parametrize("question", ["what is a p-value?", "什么是中位数？"])
def test_questions_are_answered_in_words(notebook: Kernel, question: str) -> None:
    cell = notebook.run(f"%llmos --model {MIDDLE} {question}")
    assert cell.status == "ok", cell.text
    assert "rehearsed" not in cell.text
    assert not cell.results
