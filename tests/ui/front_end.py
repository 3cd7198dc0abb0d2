"""What a user does in a front end, by the names that they see."""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.jupyter_servers import TOKEN

_NUMBERED = re.compile(r"\[\d+\]")


@dataclass(frozen=True)
class FrontEnd:
    """`url` ends with a slash; `work`: the folder in which its notebooks lie."""

    module: str
    url: str
    work: Path
    log: Path

    def page(self, notebook: str) -> str:
        if self.module == "notebook":
            return f"{self.url}notebooks/{notebook}?token={TOKEN}"
        return f"{self.url}lab/tree/{notebook}?token={TOKEN}&reset"

    def open(self, page: Page, notebook: str) -> Book:
        """Open a notebook, and wait until its kernel has nothing to do."""
        page.goto(self.page(notebook))
        book = Book(page)
        book.cell(0).wait_for(timeout=60_000)
        book.idle()
        self._connected()
        return book

    def _connected(self) -> None:
        """Wait until the page speaks with its kernel: what a page shows before that is what it expects."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            answer = httpx.get(f"{self.url}api/kernels", params={"token": TOKEN}, trust_env=False)
            # While a kernel of an earlier test ends, the server may answer with an error instead of the list.
            kernels = answer.json() if answer.is_success else []
            if any(kernel["execution_state"] == "idle" and kernel["connections"] for kernel in kernels):
                return
            time.sleep(0.2)


class Book:
    """The one notebook that is open and shown."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def cell(self, index: int) -> Locator:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def idle(self) -> None:
        """Wait until the kernel has nothing to do."""
        expect(self.page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')).to_be_attached(timeout=60_000)

    def run(self, index: int, *, wait: bool = True) -> Locator:
        """Run a cell by the keyboard."""
        cell = self.cell(index)
        before = cell.locator(".jp-InputPrompt").inner_text()
        prompt = cell.locator(".jp-InputPrompt")
        # What is sent while JupyterLab still connects to the kernel is dropped: its prompt is empty again.
        for _ in range(4):
            cell.locator(".cm-content").first.click()
            expect(cell.locator(".cm-focused")).to_be_attached()
            self.page.keyboard.press("Control+Enter")
            self.page.wait_for_timeout(1000)
            if not wait and prompt.inner_text() != before:
                break
            if wait:
                self.page.wait_for_function("prompt => !prompt.textContent.includes('*')", arg=prompt.element_handle())
                if _NUMBERED.fullmatch(prompt.inner_text().rstrip(":")) and prompt.inner_text() != before:
                    break
        if wait:
            expect(prompt).to_have_text(_NUMBERED)
        return cell

    def text(self, index: int) -> str:
        return self.cell(index).inner_text()

    def is_code(self, index: int) -> bool:
        return "jp-CodeCell" in (self.cell(index).get_attribute("class") or "")

    def insert_below(self, code: str) -> None:
        """Write a new cell below the active one, and run it."""
        self.page.keyboard.press("Escape")
        self.page.locator(".jp-Notebook .jp-Cell.jp-mod-active .jp-InputPrompt").click()
        self.page.keyboard.press("b")
        self.page.keyboard.press("Enter")
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Control+Enter")

    def restart(self) -> None:
        """Restart the kernel by the menu."""
        self.page.locator(".lm-MenuBar-itemLabel", has_text="Kernel").click()
        self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(r"^Restart Kernel…$")).click()
        self.page.locator(".jp-Dialog-button.jp-mod-accept, .jp-Dialog-button.jp-mod-warn").last.click()
        self.idle()

    def answer(self, index: int) -> Locator:
        """The answer cell below a cell."""
        return self.cell(index).locator(".jp-llmos-Answer").first

    def open_panel(self) -> Locator:
        panel = self.page.locator("#llmos-panel")
        if not panel.is_visible():
            self.page.keyboard.press("Alt+Shift+L")
        panel.wait_for()
        return panel


def section(panel: Locator, title: str) -> Locator:
    """A section of the panel, opened."""
    found = panel.locator("section").filter(has=panel.page.locator("h3 button", has_text=title))
    head = found.locator("h3 button").first
    for _ in range(4):
        if head.get_attribute("aria-expanded") == "true":
            break
        # A list above that becomes shorter meanwhile moves it away from beneath the pointer.
        head.click()
        with contextlib.suppress(AssertionError):
            expect(head).to_have_attribute("aria-expanded", "true", timeout=3_000)
    return found
