"""A real Jupyter Server in a process and folders of its own, with the proxy."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from jupyter_server.auth import Authorizer

TOKEN = "a-token-of-the-test"


class ReadOnly(Authorizer):
    """Lets users look, as those who share a server on a hub may be let."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return action == "read"


class Server(NamedTuple):
    """`url`: with the base URL and a slash at its end; `api`: of the proxy, likewise."""

    url: str
    log: Path
    pid: int

    @property
    def api(self) -> str:
        return f"{self.url}llmos/api/"

    @property
    def port(self) -> int:
        port = httpx.URL(self.url).port
        assert port is not None
        return port

    @property
    def root(self) -> str:
        """The path of `api`."""
        return httpx.URL(self.api).path

    def client(self, token: str | None = TOKEN) -> httpx.Client:
        """Calls to the proxy, logged in by token unless it is None."""
        headers = {"Authorization": f"token {token}"} if token else {}
        return httpx.Client(base_url=self.api, headers=headers, timeout=60.0, trust_env=False)


@contextlib.contextmanager
def jupyter_server(folder: Path, base_url: str = "/", **more: Any) -> Iterator[Server]:
    """A server that has the user's daemon (JUPYTER_RUNTIME_DIR as in this process) and its own files in `folder`.

    `more`: settings of ServerApp.
    """
    folder.mkdir(parents=True, exist_ok=True)
    work, log = folder / "work", folder / "server.log"
    work.mkdir()
    settings = {
        "token": TOKEN,
        "base_url": base_url,
        "port": 0,
        "open_browser": False,
        "allow_root": True,
        "root_dir": str(work),
        "jpserver_extensions": {"llmos_jupyter": True},
        **more,
    }
    config = folder / "config"
    config.mkdir()
    (config / "jupyter_server_config.json").write_text(json.dumps({"ServerApp": settings}), encoding="utf-8")
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(folder / "share"),
        "PYTHONPATH": str(Path(__file__).parent.parent),  # for classes that settings name
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server"], stdout=output, stderr=output, env=environment, cwd=work
        )
    try:
        yield Server(url_of(process, log), log, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def url_of(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where a server that was just started listens, once it does."""
    announced = Path(os.environ["JUPYTER_RUNTIME_DIR"]) / f"jpserver-{process.pid}.json"
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError):
            url = str(json.loads(announced.read_text(encoding="utf-8"))["url"])
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{url}api", trust_env=False)
                return url.replace("localhost", "127.0.0.1")
        assert process.poll() is None, log.read_text(encoding="utf-8")
        time.sleep(0.05)
    raise AssertionError(log.read_text(encoding="utf-8"))
