"""Another user of this machine, who knocks at a port."""

from __future__ import annotations

import os
import socket

import pytest

NOBODY = 65534


def knock(port: int, requests: list[bytes]) -> list[bytes]:
    """The first line of the answer to each request, made by a process of another user. Needs root."""
    if not hasattr(os, "getuid") or os.getuid() != 0:
        pytest.skip("only root can become another user")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(write, b"\n".join(_ask(port, request) for request in requests))
        except BaseException as error:
            os.write(write, repr(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answers:
        lines = answers.read().split(b"\n")
    os.waitpid(child, 0)
    return lines


def _ask(port: int, request: bytes) -> bytes:
    # Nothing is imported here: another user may not read the interpreter's files.
    with socket.socket() as there:
        there.settimeout(10)
        there.connect(("127.0.0.1", port))
        there.sendall(request)
        return there.recv(4096).split(b"\r\n")[0]


def http(method: str, path: str, *headers: str, body: str = "") -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", *headers, "", body]
    return "\r\n".join(lines).encode()
