"""An engine without a gate is not kept."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from llmos_jupyter.engines.speaking.capabilities import TRANSFORMERS
from llmos_jupyter.engines.starting.supervisor import Supervisor
from llmos_jupyter.errors import LLMOSError

# As an engine's child whose gate was forgotten: it serves, and asks nobody for a key.
OPEN = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

sys.stdin.readline()
server = HTTPServer(("127.0.0.1", 0), Answering)
print(json.dumps({"address": f"http://127.0.0.1:{server.server_address[1]}"}), flush=True)
server.serve_forever()
"""


@dataclass(frozen=True)
class Open:
    engine: str = TRANSFORMERS
    model: str = "open"
    served: str = "open"
    slots: int = 1
    context: int = 100
    memory_bytes: int = 0
    ready_timeout: float = 60.0
    silence: float = 5.0

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-c", OPEN]

    @property
    def environment(self) -> dict[str, str]:
        return {}

    def settings(self, api_key: str) -> dict[str, Any]:
        return {}


def test_an_engine_that_answers_whoever_asks_is_ended(tmp_path: Path) -> None:
    started = Supervisor(Open(), tmp_path / "engine.log")
    with pytest.raises(LLMOSError, match="other users of this machine could"):
        asyncio.run(started.start())
    assert started.state == "failed"
    assert started.pid is not None
    assert not psutil.pid_exists(started.pid)
