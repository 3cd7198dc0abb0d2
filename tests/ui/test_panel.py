"""The side panel in a real JupyterLab, on a real daemon with real background tasks; no model."""

from __future__ import annotations

import os
import re
import signal
from contextlib import closing

import pytest
from playwright.sync_api import Locator, Page, expect

from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.protocol import OPEN_STATES
from tests.daemon.test_live import background
from tests.ui.conftest import answers, picture, violations, write_notebook
from tests.ui.front_end import FrontEnd, section

LONG = "import time\ntime.sleep(300)"


@pytest.fixture(autouse=True)
def quiet(daemon: lifecycle.RuntimeInfo) -> None:
    """Nothing of the test before is left in the queue."""
    with closing(DaemonClient(start=False)) as client:
        for task in client.tasks(limit=1000):
            if task.state in OPEN_STATES:
                client.cancel(task.id)


def empty(lab: FrontEnd, page: Page) -> Locator:
    """The panel beside a notebook that has done nothing."""
    write_notebook(lab.work / "empty.ipynb", "1 + 1")
    return lab.open(page, "empty.ipynb").open_panel()


def test_a_background_cell_is_seen_paused_moved_and_cancelled(lab: FrontEnd, page: Page) -> None:
    write_notebook(lab.work / "tasks.ipynb", "%load_ext llmos_jupyter", f"%%llmos run -b\n{LONG}")
    book = lab.open(page, "tasks.ipynb")
    panel = book.open_panel()
    book.run(0)
    book.run(1)
    queue = section(panel, "Queue")
    expect(queue).to_contain_text("running")
    with closing(DaemonClient(start=False)) as client:
        first = client.queue()[0].task
        waiting = [background(client, f"{LONG}  # {name}") for name in "abcd"]
        expect(queue.get_by_role("button", name=f"Cancel task {waiting[-1].number}")).to_be_attached()
        queue.get_by_label(f"Priority of task {waiting[3].number}").select_option("interactive")
        expect(queue.get_by_label(f"Priority of task {waiting[3].number}")).to_have_value("100")
        queue.get_by_role("button", name=f"Pause task {waiting[2].number}").click()
        expect(queue.get_by_role("button", name=f"Resume task {waiting[2].number}")).to_be_attached()
        assert client.trace(waiting[2].id).task.state == "paused"
        queue.get_by_role("button", name=f"Cancel task {first.number}").click()
        expect(queue.get_by_role("button", name=f"Cancel task {first.number}")).to_have_count(0)
        assert client.trace(first.id).task.state == "cancelled"
    expect(book.cell(1)).to_contain_text("cancelled")
    schedule = section(panel, "Schedule")
    expect(schedule.locator("svg").first).to_be_visible()
    expect(schedule).to_contain_text("workers")


def test_names_that_are_html_are_text(lab: FrontEnd, page: Page) -> None:
    panel = empty(lab, page)
    with closing(DaemonClient(start=False)) as client:
        named = background(
            client, f"# <img src=x onerror='window.broken = 1'><script>window.broken = 1</script>\n{LONG}"
        )
        background(client, f"# שלום עולם\n{LONG}")
        expect(section(panel, "Queue")).to_contain_text("<img src=x")
        expect(section(panel, "Queue")).to_contain_text("שלום")
        client.cancel(named.id)
    expect(section(panel, "History")).to_contain_text("<img src=x")
    assert page.evaluate("window.broken") is None


def test_axe_finds_nothing_serious_in_the_panel_in_light_and_dark(lab: FrontEnd, page: Page) -> None:
    panel = empty(lab, page)
    with closing(DaemonClient(start=False)) as client:
        background(client, LONG)
    for name in ("Queue", "Schedule", "History", "Models", "Settings"):
        section(panel, name)
    expect(panel).to_contain_text("running")
    assert violations(page, "#llmos-panel") == []
    page.locator(".lm-MenuBar-itemLabel", has_text="Settings").click()
    page.locator(".lm-Menu-itemLabel", has_text="Theme").first.click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile(r"^JupyterLab Dark$")).click()
    expect(page.locator('body[data-jp-theme-light="false"]')).to_be_attached()
    page.wait_for_timeout(500)
    assert violations(page, "#llmos-panel") == []
    picture(page, "panel_dark")


def test_a_markdown_cell_becomes_a_request_by_the_toolbar(lab: FrontEnd, page: Page) -> None:
    answers(lab.work / "answers.llmos.json", {"# say six": "six = 6\nsix"})
    write_notebook(lab.work / "words.ipynb", ("markdown", "# say six"), ("raw", "raw words"))
    book = lab.open(page, "words.ipynb")
    book.cell(0).click()
    page.locator('.jp-NotebookPanel-toolbar [data-command="llmos:ask"], .jp-Toolbar [title*="%%llmos"]').first.click()
    expect(book.cell(0).locator(".cm-content")).to_contain_text("%%llmos")
    expect(book.cell(0).locator(".jp-OutputArea-executeResult")).to_contain_text("6", timeout=30_000)


def test_the_panel_recovers_when_the_daemon_was_killed(lab: FrontEnd, page: Page) -> None:
    panel = empty(lab, page)
    expect(section(panel, "Now")).to_contain_text("0 running")
    page.daemon_killed = True  # type: ignore[attr-defined]
    os.kill(lifecycle.find_or_start().pid, signal.SIGKILL)
    start = panel.get_by_role("button", name="Start the daemon")
    start.wait_for(timeout=40_000)
    start.click()
    expect(section(panel, "Now")).to_contain_text("0 running", timeout=40_000)
    with closing(DaemonClient(start=False)) as client:
        background(client, LONG)
    expect(section(panel, "Queue")).to_contain_text("running", timeout=20_000)
