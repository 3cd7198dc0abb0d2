"""Jupyter's output messages as our events, and no more of them than a notebook can hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llmos_jupyter.protocol.jobs import Clear, Display, Error, Notice, Result, Stream, WorkerItem
from llmos_jupyter.text import wellformed


def event(kind: str, content: Mapping[str, Any]) -> WorkerItem | None:
    """The event of one IOPub message; None for those that show nothing (status, comm)."""
    if kind == "stream":
        name = "stderr" if content["name"] == "stderr" else "stdout"
        return Stream(name=name, text=wellformed(content["text"]))
    if kind in ("display_data", "update_display_data"):
        return Display(
            data=content["data"],
            metadata=content.get("metadata", {}),
            display_id=content.get("transient", {}).get("display_id") or "",
            update=kind == "update_display_data",
        )
    if kind == "execute_result":
        return Result(data=content["data"], metadata=content.get("metadata", {}))
    if kind == "error":
        traceback = [wellformed(line) for line in content["traceback"]]
        return Error(name=content["ename"], value=wellformed(content["evalue"]), traceback=traceback)
    if kind == "clear_output":
        return Clear(wait=bool(content["wait"]))
    return None


class Bound:
    """Lets output through until it weighs too much; then says so once. Errors always pass, cut to fit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._streams = 0
        self._shown: dict[str, int] = {}
        self._told = False

    def admit(self, item: WorkerItem) -> WorkerItem | None:
        if isinstance(item, Clear):
            self._streams, self._shown = 0, {}
            return item
        if isinstance(item, Stream):
            # A progress bar writes over its own line: what a carriage return takes back weighs nothing.
            size = len(item.text.rpartition("\r")[2].encode())
            if self._streams + sum(self._shown.values()) + size > self._limit:
                return self._too_much()
            self._streams += size
        elif isinstance(item, Display | Result):
            key = getattr(item, "display_id", "") or f"#{len(self._shown)}"
            size = len(json.dumps(item.data))
            others = sum(weight for name, weight in self._shown.items() if name != key)
            if self._streams + others + size > self._limit:
                return self._too_much()
            self._shown[key] = size
        elif isinstance(item, Error):
            return item.model_copy(
                update={"value": item.value[:10_000], "traceback": [line[:10_000] for line in item.traceback[-200:]]}
            )
        return item

    def _too_much(self) -> Notice | None:
        if self._told:
            return None
        self._told = True
        return Notice(
            message=f"Output beyond {self._limit / 2**20:.3g} MiB is not shown: print less, or write it to a file."
        )
