"""The lowest border of an engine: a child process as `llama_cpp_server` is, with its key and its routes, and no model.

It writes `word ` as often as it is asked for tokens. The name of the model's file says what else it does: `slow` takes
its time for each, `deadly` is killed while it loads.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SETTINGS: dict[str, Any] = {}


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.send(200, [] if self.path == "/slots" else {"status": "ok"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers.get("Authorization") != f"Bearer {SETTINGS['api_key']}":
            self.send(401, {"error": {"message": "no key"}})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(body["max_tokens"]):
            time.sleep(0.02 if "slow" in SETTINGS["model"] else 0.0)
            self.chunk({"choices": [{"index": 0, "delta": {"content": "word "}}]})
        self.chunk({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "timings": {}})
        self.wfile.write(b"0\r\n\r\n")

    def send(self, status: int, content: object) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def chunk(self, content: object) -> None:
        data = f"data: {json.dumps(content)}\n\n".encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()


def main() -> None:
    SETTINGS.update(json.loads(sys.stdin.readline()))
    # When each began to load, and when it was ready: two loads at once would lie over each other.
    loads = Path(SETTINGS["model"]).parent / "loads"
    began = time.monotonic()
    if "deadly" in SETTINGS["model"]:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.1)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    with loads.open("a") as file:
        file.write(f"{began} {time.monotonic()}\n")
    address = f"http://127.0.0.1:{server.server_address[1]}"
    print(json.dumps({"address": address, "device": "cpu"}), flush=True)
    import threading

    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
