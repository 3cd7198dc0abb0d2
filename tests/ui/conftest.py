"""A real JupyterLab (or Notebook 7) in a real browser: Debian's Chromium, driven by Playwright.

Screenshots go to `build/screenshots/`: to be looked at, not to be compared.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from llmos_jupyter import config
from llmos_jupyter.agent.replay.recording import Recording, record
from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.protocol import Options
from tests.jupyter_servers import TOKEN, url_of
from tests.ui.front_end import FrontEnd

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")  # Playwright keeps an event loop running, which other modules' tests must not find
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert found, "no Chromium on the PATH: `make browser` installs it"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def lab(shared_home: Path) -> Iterator[FrontEnd]:
    with front_end(shared_home, "jupyterlab") as running:
        yield running


@contextlib.contextmanager
def front_end(home: Path, module: str, base_url: str = "/", panel: dict[str, Any] | None = None) -> Iterator[FrontEnd]:
    """Start JupyterLab or Notebook 7 with files of its own, on this test's daemon. `panel`: settings of the panel."""
    folder = home / module
    work = folder / "work"
    work.mkdir(parents=True)
    settings = {
        "token": TOKEN,
        "base_url": base_url,
        "port": 0,
        "open_browser": False,
        "allow_root": True,
        "root_dir": str(work),
    }
    (folder / "config").mkdir()
    (folder / "config" / "jupyter_server_config.json").write_text(json.dumps({"ServerApp": settings}))
    # No dialogue about news: it is no part of what is tested.
    news = folder / "user" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    if panel:
        own = folder / "user" / "llmos-jupyter" / "plugin.jupyterlab-settings"
        own.parent.mkdir()
        own.write_text(json.dumps(panel))
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "share"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "user"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "LLMOS_REPLAY": str(work / "answers.llmos.json"),
    }
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "--no-browser"], stdout=output, stderr=output, env=environment, cwd=work
        )
    try:
        yield FrontEnd(module, url_of(process, log), work, log)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that says nothing on its console that is an error; a picture is taken at its end."""
    context = browser.new_context(viewport={"width": 1500, "height": 950})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(_told(message)) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.set_default_timeout(20_000)
    yield page
    picture(page, request.node.name)
    context.close()
    expected = getattr(page, "expected_errors", ())
    unanswered = [text for text in said if getattr(page, "daemon_killed", False) and any(map(text.count, UNANSWERED))]
    assert len(unanswered) <= AT_MOST, "a daemon that is gone is asked again and again"
    rest = [text for text in said if text not in unanswered]
    assert [text for text in rest if not any(part in text for part in (*NOISE, *expected))] == []


def _told(message: ConsoleMessage) -> str:
    return f"{message.text} ({message.location.get('url', '')})"


# What was on its way when the daemon was killed, or sent before the panel had noticed: at most one for each of the
# panel's six sections. One that goes on asking has more.
UNANSWERED = ("502 (Bad Gateway)", "503 (Service Unavailable)")
AT_MOST = 6

# What JupyterLab itself says: of what is not there, and of its own features.
NOISE = ("favicon", "/channels", "/lsp/", "jupyter-lsp", "ResizeObserver loop", "/api/contents/")


def picture(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"


def violations(page: Page, selector: str) -> list[str]:
    """What axe finds serious or worse in a part of the page."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("selector => axe.run(selector)", selector)["violations"]
    return [
        f"{one['id']}: {one['help']} ({one['nodes'][0]['html'][:200]})"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def write_notebook(file: Path, *cells: str | tuple[str, str]) -> None:
    """A notebook of code cells; a pair is a kind of cell and its text."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    kinds: dict[str, Any] = {
        "code": nbformat.v4.new_code_cell,
        "markdown": nbformat.v4.new_markdown_cell,
        "raw": nbformat.v4.new_raw_cell,
    }
    for cell in cells:
        kind, text = ("code", cell) if isinstance(cell, str) else cell
        notebook.cells.append(kinds[kind](text))
    nbformat.write(notebook, file)


def answers(file: Path, made: dict[str, str], namespace: dict[str, Any] | None = None, kind: str = "code") -> None:
    """Record answers, so that a test about showing them needs no model."""
    config.change("replay=true")
    recording = Recording(file)
    for request, code in made.items():
        entry = record(request, Options(), namespace or {}, kind=kind, answer=code, model="qwen2.5-coder-1.5b")
        recording.add(entry)


@pytest.fixture
def daemon(shared_home: Path) -> lifecycle.RuntimeInfo:
    return lifecycle.find_or_start()
