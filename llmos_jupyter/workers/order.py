"""What the daemon tells the nursery of a worker to be made."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Order:
    """A worker to be made. `files` holds its connection file and scratch folder, `sockets` its sockets."""

    files: str
    sockets: str
    write: list[str]
    processes: bool
    devices: list[str]

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @property
    def connection_file(self) -> Path:
        return Path(self.files) / "connection.json"

    @property
    def scratch(self) -> Path:
        return Path(self.files) / "scratch"
