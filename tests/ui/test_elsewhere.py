"""The same in Notebook 7, and behind a base URL as JupyterHub sets one."""

from __future__ import annotations

from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from llmos_jupyter.daemon import lifecycle
from tests.ui.conftest import answers, front_end, picture, write_notebook
from tests.ui.front_end import FrontEnd, section
from tests.ui.test_answer_cell import CODE


def lesson(running: FrontEnd) -> str:
    answers(running.work / "answers.llmos.json", {"add up the numbers": CODE}, {"numbers": [1, 2, 3]})
    write_notebook(
        running.work / "a.ipynb", "%load_ext llmos_jupyter\nnumbers = [1, 2, 3]", "%%llmos\nadd up the numbers"
    )
    return "a.ipynb"


def test_notebook_7(home: Path, page: Page) -> None:
    lifecycle.find_or_start()
    # Notebook 7's own, with this extension or without.
    page.expected_errors = ("reading 'schema'", "yjs#509", "yjs/yjs")  # type: ignore[attr-defined]
    with front_end(home, "notebook") as running:
        book = running.open(page, lesson(running))
        book.run(0)
        book.run(1)
        answer = book.answer(1)
        expect(answer).to_contain_text("done")
        answer.get_by_role("button", name="Undo").click()
        expect(answer).to_contain_text("undone")
        panel = book.open_panel()
        expect(section(panel, "Now")).to_contain_text("0 running")
        expect(section(panel, "History")).to_contain_text("add up the numbers")
        picture(page, "notebook_7")
        page.goto("about:blank")


def test_behind_a_base_url(home: Path, page: Page) -> None:
    lifecycle.find_or_start()
    with front_end(home, "jupyterlab", "/user/ada/", {"side": "left", "statusBar": False}) as running:
        assert running.url.endswith("/user/ada/")
        assert httpx.get(f"{running.url}llmos/api/v1/status", trust_env=False).status_code == 403
        book = running.open(page, lesson(running))
        book.run(0)
        book.run(1)
        expect(book.answer(1)).to_contain_text("done")
        panel = book.open_panel()
        expect(page.locator("#jp-left-stack #llmos-panel")).to_be_visible()
        expect(page.get_by_text("LLM OS: no model loaded")).to_be_hidden()
        history = section(panel, "History")
        expect(history).to_contain_text("add up the numbers")
        history.get_by_role("button", name="Insert code").first.click()
        expect(page.locator(".jp-Notebook .cm-content", has_text="total = sum(numbers)").first).to_be_attached()
        page.goto("about:blank")
