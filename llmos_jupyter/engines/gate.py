"""Our own gate before servers that have no key: every request, whatever its path, must bring ours.

It stands inside the server's process, so that there is no second port behind it that anybody of this machine could
reach. Whether it stands is asked from outside at each start (`Server.guarded`).
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

REFUSED = b'{"error": {"message": "this engine serves its own user only", "type": "authentication_error"}}'


def opens(header: str | bytes | None, key: str) -> bool:
    """Whether an Authorization header carries the key. Compared in constant time; no key opens nothing."""
    if header is None or not key:
        return False
    given = header if isinstance(header, bytes) else header.encode("utf-8", "surrogateescape")
    return hmac.compare_digest(given, f"Bearer {key}".encode())


class Gate:
    """An ASGI application behind the key."""

    def __init__(self, app: App, key: str) -> None:
        self._app = app
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or opens(_authorization(scope.get("headers") or ()), self._key):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(REFUSED)).encode())]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            await send({"type": "http.response.body", "body": REFUSED})


def _authorization(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    found = [value for name, value in headers if name.lower() == b"authorization"]
    return found[0] if len(found) == 1 else None
