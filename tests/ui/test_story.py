"""A user's first hour, with the real model: the first notebook, a background task, undo, a thumb, and bad luck."""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from llmos_jupyter import config
from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.daemon.client import DaemonClient
from tests.conftest import SMALL
from tests.ui.conftest import ROOT, picture
from tests.ui.front_end import FrontEnd, section


@pytest.mark.model
def test_a_users_first_hour(lab: FrontEnd, page: Page) -> None:
    for file in (ROOT / "notebooks").iterdir():
        if file.is_file():
            shutil.copy(file, lab.work)
    config.change(f"model={SMALL}")
    book = lab.open(page, "01-first-steps.ipynb")
    panel = book.open_panel()
    request = next(i for i in range(10) if book.is_code(i) and "%%llmos" in book.text(i))
    for index in range(request):
        if book.is_code(index):
            book.run(index)
    # The code streams, and the panel shows it.
    book.run(request, wait=False)
    answer = book.answer(request)
    expect(answer).to_contain_text("writing", timeout=120_000)
    expect(section(panel, "Now")).to_contain_text(SMALL)
    picture(page, "story_writing")
    expect(answer).to_contain_text("done", timeout=120_000)
    expect(answer).to_contain_text("tokens/s")
    expect(section(panel, "Schedule")).to_contain_text("engine")
    answer.get_by_role("button", name="Confidence").click()
    answer.get_by_role("button", name="Good answer").click()
    expect(answer.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
    picture(page, "story_done")
    answer.get_by_role("button", name="Undo").click()
    expect(answer).to_contain_text("undone")
    # A background task, cancelled from the panel.
    book.insert_below("%%llmos run -b\nimport time\ntime.sleep(300)")
    queue = section(panel, "Queue")
    cancel = queue.get_by_role("button", name="Cancel task").first
    cancel.click()
    expect(cancel).to_have_count(0)
    with closing(DaemonClient(start=False)) as client:
        assert client.tasks()[-1].state == "cancelled"
    # The kernel is restarted, the daemon killed.
    book.restart()
    page.daemon_killed = True  # type: ignore[attr-defined]
    os.kill(lifecycle.find_or_start().pid, signal.SIGKILL)
    panel.get_by_role("button", name="Start the daemon").click(timeout=40_000)
    expect(section(panel, "Now")).to_contain_text("0 running", timeout=40_000)
    expect(section(panel, "History")).to_contain_text("time.sleep(300)")
    assert Path(lab.log).exists()
