"""Small HTTP servers that misbehave in one way each, and one that does what the plainest server does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any, ClassVar

KEY = "right-key-0123456789"


class Misbehaving(BaseHTTPRequestHandler):
    """The first part of the path says how: `/html/v1/models`."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[str, dict[str, Any], str]]] = []

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(body)

    def _answer(self, body: dict[str, Any]) -> None:
        _, way, *rest = self.path.split("/")
        self.seen.append((self.path, body, self.headers.get("Authorization", "")))
        route = "/".join(rest)
        getattr(self, f"way_{way.replace('-', '_')}", self.way_plain)(route, body)

    # --- the ways -----------------------------------------------------------------------------

    def way_plain(self, route: str, body: dict[str, Any]) -> None:
        """Lists a model and streams words; refuses every field that it does not know, as `transformers serve` does."""
        if route == "v1/models":
            self.send(200, {"data": [{"id": "small", "owned_by": "somebody"}]})
        elif route == "v1/chat/completions":
            unknown = set(body) - {"model", "messages", "max_tokens", "temperature", "stream", "stop"}
            if unknown:
                self.send(422, {"detail": f"Unexpected fields in the request: {unknown}"})
            else:
                self.stream(["All ", "is ", "well."], body.get("model", ""))
        else:
            self.send(404, {"detail": "Not Found"})

    def way_html(self, route: str, body: dict[str, Any]) -> None:
        self.send(200, "<!doctype html><title>Welcome</title>", "text/html")

    def way_key(self, route: str, body: dict[str, Any]) -> None:
        if self.headers.get("Authorization") == f"Bearer {KEY}":
            self.way_plain(route, body)
        else:
            self.send(401, {"error": {"message": "no such key", "type": "invalid_request_error"}})

    def way_busy(self, route: str, body: dict[str, Any]) -> None:
        self.send(429, {"error": {"message": "slow down"}}, retry="17")

    def way_broken(self, route: str, body: dict[str, Any]) -> None:
        self.send(502, "<html>Bad Gateway</html>", "text/html")

    def way_half(self, route: str, body: dict[str, Any]) -> None:
        """Half a stream: the connection ends in the middle of a piece."""
        if route == "v1/models":
            return self.way_plain(route, body)
        self.begin_stream()
        self.chunk('data: {"choices": [{"index": 0, "delta": {"content": "All"}}]}\n\ndata: {"choi')
        self.close_connection = True
        return None

    def way_silent(self, route: str, body: dict[str, Any]) -> None:
        if route == "v1/models":
            return self.way_plain(route, body)
        self.begin_stream()
        self.chunk(": still here\n\n")
        time.sleep(5.0)
        self.close_connection = True
        return None

    def way_other(self, route: str, body: dict[str, Any]) -> None:
        """Another model's name."""
        if route == "v1/models":
            return self.way_plain(route, body)
        return self.stream(["Hello"], "another-model")

    def way_two(self, route: str, body: dict[str, Any]) -> None:
        if route == "v1/models":
            return self.send(200, {"data": [{"id": "small"}, {"id": "large"}]})
        return self.way_plain(route, body)

    def way_elsewhere(self, route: str, body: dict[str, Any]) -> None:
        self.send(307, "", location="http://192.0.2.7/v1/chat/completions")

    def way_words(self, route: str, body: dict[str, Any]) -> None:
        """A model that goes on writing behind its code block."""
        if route == "v1/models":
            return self.way_plain(route, body)
        pieces = ["```python\n", "x = ", "1\n", "``", "`\n", "This sets x.\n", "```python\ny = 2\n```"]
        return self.stream(pieces, body.get("model", ""))

    # --- sending ------------------------------------------------------------------------------

    def send(
        self, status: int, content: object, kind: str = "application/json", *, location: str = "", retry: str = ""
    ) -> None:
        data = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if location:
            self.send_header("Location", location)
        if retry:
            self.send_header("Retry-After", retry)
        self.end_headers()
        self.wfile.write(data)

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def stream(self, pieces: list[str], model: str) -> None:
        self.begin_stream()
        for piece in pieces:
            told = {"model": model, "choices": [{"index": 0, "delta": {"content": piece}}]}
            self.chunk(f"data: {json.dumps(told)}\n\n")
        end = {"model": model, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        self.chunk(f"data: {json.dumps(end)}\n\ndata: [DONE]\n\n")
        self.chunk("")


@contextmanager
def serving(tls: SSLContext | None = None) -> Iterator[str]:
    """Such a server; its address without a path."""
    Misbehaving.seen.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Misbehaving)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
