"""The answer cell in a real JupyterLab: what it shows and what its buttons do. Answers are recorded: no model."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from llmos_jupyter.daemon.client import DaemonClient
from tests.ui.conftest import answers, write_notebook
from tests.ui.front_end import FrontEnd

CODE = "total = sum(numbers)\ntotal"


def lesson(lab: FrontEnd) -> Path:
    answers(lab.work / "answers.llmos.json", {"add up the numbers": CODE}, {"numbers": [1, 2, 3]})
    file = lab.work / "lesson.ipynb"
    write_notebook(file, "%load_ext llmos_jupyter\nnumbers = [1, 2, 3]", "%%llmos\nadd up the numbers", "total")
    return file


def test_code_result_buttons_and_tabs(lab: FrontEnd, page: Page) -> None:
    book = lab.open(page, lesson(lab).name)
    book.run(0)
    book.run(1)
    answer = book.answer(1)
    expect(answer).to_contain_text("done")
    expect(answer).to_contain_text("total = sum(numbers)")
    expect(book.cell(1)).to_contain_text("6")
    answer.get_by_role("tab", name="Rehearsal").click()
    expect(answer.get_by_role("table").first).to_contain_text("total")
    answer.get_by_role("button", name="Good answer").click()
    expect(answer.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
    answer.get_by_role("button", name="Undo").click()
    expect(answer).to_contain_text("undone")
    book.run(2)
    expect(book.cell(2)).to_contain_text("NameError")
    with DaemonClient(start=False) as client:
        assert client.tasks()[-1].feedback == "undone"
