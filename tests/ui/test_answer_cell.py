"""The answer cell in a real JupyterLab: what it shows and what its buttons do. Answers are recorded: no model."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import nbformat
from playwright.sync_api import Page, expect

from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.protocol import ANSWER_MIME, AnswerCell
from tests.ui.conftest import answers, picture, violations, write_notebook
from tests.ui.front_end import Book, FrontEnd

CODE = "total = sum(numbers)\ntotal"


def lesson(lab: FrontEnd, name: str = "lesson.ipynb") -> str:
    answers(lab.work / "answers.llmos.json", {"add up the numbers": CODE}, {"numbers": [1, 2, 3]})
    write_notebook(lab.work / name, "%load_ext llmos_jupyter\nnumbers = [1, 2, 3]", "%%llmos\nadd up the numbers")
    return name


def answered(lab: FrontEnd, page: Page) -> Book:
    book = lab.open(page, lesson(lab))
    book.run(0)
    book.run(1)
    expect(book.answer(1)).to_contain_text("done")
    return book


def test_code_result_tabs_thumb_and_undo(lab: FrontEnd, page: Page) -> None:
    book = answered(lab, page)
    answer = book.answer(1)
    expect(answer).to_contain_text("total = sum(numbers)")
    expect(book.cell(1).locator(".jp-OutputArea-executeResult")).to_contain_text("6")
    answer.get_by_role("tab", name="Sandbox").click()
    expect(answer.get_by_role("table").first).to_contain_text("total")
    answer.get_by_role("tab", name="Sandbox").press("ArrowRight")
    expect(answer.get_by_role("tab", name="Trace")).to_have_attribute("aria-selected", "true")
    expect(answer).to_contain_text("recorded in answers.llmos.json")
    answer.get_by_role("button", name="Good answer").click()
    expect(answer.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
    with closing(DaemonClient(start=False)) as client:
        assert client.tasks()[-1].feedback == "up"
        answer.get_by_role("button", name="Undo").click()
        expect(answer).to_contain_text("undone")
        expect(answer).to_contain_text("total")
        assert client.tasks()[-1].feedback == "undone"
    answer.get_by_role("button", name="Run", exact=True).click()
    expect(book.cell(2).locator(".jp-OutputArea-executeResult")).to_contain_text("6")


def test_insert_and_edit_by_the_keyboard(lab: FrontEnd, page: Page) -> None:
    book = answered(lab, page)
    answer = book.answer(1)
    answer.get_by_role("button", name="Insert as cell").focus()
    page.keyboard.press("Enter")
    expect(book.cell(2).locator(".cm-content")).to_contain_text("total = sum(numbers)")
    answer.get_by_role("button", name="Edit and run").focus()
    page.keyboard.press("Enter")
    expect(answer.locator(".cm-focused, textarea:focus")).to_be_attached()
    page.keyboard.press("Control+End")
    page.keyboard.type(" * 100")
    answer.get_by_role("button", name="Run edited").click()
    expect(book.cell(2).locator(".jp-OutputArea-executeResult")).to_contain_text("600")


def test_what_a_strangers_notebook_shows_is_read_before_it_runs(lab: FrontEnd, page: Page) -> None:
    marker = lab.work / "clicked"
    code = "# mean of sales by region\nmeans = {'north': 3}\n" + "\n" * 120 + f"open({str(marker)!r}, 'w').close()"
    cell = nbformat.v4.new_code_cell("%%llmos\nmean of sales by region", execution_count=1)
    data = {ANSWER_MIME: AnswerCell(state="shown", text=code, number=1).model_dump(mode="json"), "text/plain": code}
    cell.outputs = [nbformat.v4.new_output("display_data", data=data)]
    write_notebook(lab.work / "strange.ipynb")
    strange = nbformat.read(lab.work / "strange.ipynb", 4)
    strange.cells = [cell]
    nbformat.write(strange, lab.work / "strange.ipynb")
    book = lab.open(page, "strange.ipynb")
    answer = book.answer(0)
    expect(answer).to_contain_text("more lines below")
    for name in ("Run", "Edit and run"):
        button = answer.get_by_role("button", name=name, exact=True)
        expect(button).to_have_attribute("aria-disabled", "true")
        expect(button).to_have_attribute("title", re.compile("not trusted"))
        button.dispatch_event("click")
    expect(page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(1)
    answer.get_by_role("button", name="Insert as cell").click()
    expect(page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(2)
    page.keyboard.press("Control+s")
    assert not marker.exists()


def test_axe_finds_nothing_serious_in_an_answer(lab: FrontEnd, page: Page) -> None:
    book = answered(lab, page)
    for tab in ("Code", "Sandbox", "Trace"):
        book.answer(1).get_by_role("tab", name=tab).click()
        assert violations(page, ".jp-llmos-Answer") == []


def test_a_saved_answer_reads_well_with_and_without_the_kernel(lab: FrontEnd, page: Page) -> None:
    book = answered(lab, page)
    page.keyboard.press("Control+s")
    file = lab.work / "lesson.ipynb"
    page.wait_for_function("document.querySelector('.jp-mod-dirty') === null")
    saved = nbformat.read(file, 4).cells[1].outputs
    assert "```python\ntotal = sum(numbers)" in saved[0].data["text/markdown"]
    assert "replayed from answers.llmos.json" in saved[0].data["text/plain"]
    assert saved[1].data["text/plain"] == "6"
    expect(book.answer(1)).to_be_visible()
    bare = nbformat.read(file, 4)
    bare.metadata["kernelspec"] = {"name": "no-such-kernel", "display_name": "gone", "language": "python"}
    Path(lab.work / "kept.ipynb").write_text(nbformat.writes(bare))
    page.goto(lab.page("kept.ipynb"))
    kept = Book(page)
    expect(kept.answer(1)).to_contain_text("total = sum(numbers)", timeout=30_000)
    expect(kept.answer(1).get_by_role("button", name="Undo")).to_be_disabled()
    picture(page, "a_saved_answer")
