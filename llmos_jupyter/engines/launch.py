"""What the supervisor must know of an engine to start it, whichever it is."""

from __future__ import annotations

from typing import Any, Protocol


class Launch(Protocol):
    """How to start one engine process, and what it will serve.

    `engine` is its row in the table of capabilities; `model` the model's name for people, `served` its name in requests
    (empty: none is sent). The child, whose environment is ours and `environment`, reads `settings` and answers as
    `engine_child` says. `ready_timeout`: seconds until it must; `silence`: seconds without a byte in an answer after
    which it is taken to hang.
    """

    @property
    def engine(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def served(self) -> str: ...
    @property
    def slots(self) -> int: ...
    @property
    def context(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...
    @property
    def ready_timeout(self) -> float: ...
    @property
    def silence(self) -> float: ...
    @property
    def command(self) -> list[str]: ...
    @property
    def environment(self) -> dict[str, str]: ...
    def settings(self, api_key: str) -> dict[str, Any]: ...
